//! Functions of whose calls not all are timed: every call is counted, and times are estimated.

mod one_report;

use std::hint::black_box;
use std::panic::catch_unwind;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use one_report::{alone, row};
use perfkit::profiled;

/// By work and not by a clock.
#[inline(never)]
fn work(rounds: u64) -> u64 {
    (0..rounds).fold(1, |sum: u64, n| black_box(sum).wrapping_mul(31) ^ n)
}

/// Some hundred nanoseconds, which are few enough to be sampled.
const ROUNDS: u64 = if cfg!(debug_assertions) { 50 } else { 300 };

#[profiled]
fn every_call(rounds: u64) -> u64 {
    work(rounds)
}

#[profiled(sample = 16)]
fn one_in_16(rounds: u64) -> u64 {
    work(rounds)
}

#[profiled(sample = "auto")]
fn automatic(rounds: u64) -> u64 {
    work(rounds)
}

#[profiled]
fn calls_all(calls: u64, rounds: u64) {
    for _ in 0..calls {
        every_call(rounds);
        one_in_16(rounds);
        automatic(rounds);
        work(rounds);
    }
}

#[test]
fn estimates_agree_with_what_is_measured() {
    let _alone = alone();
    const CALLS: u64 = 5_000;
    let mut differences = Vec::new();
    // Whatever else the machine does falls on one of them and not on the others, so that a try is short enough to be left alone, and there are many.
    for _ in 0..300 {
        perfkit::reset();
        calls_all(CALLS, ROUNDS);
        let (exact, sampled, automatic) = (row("every_call"), row("one_in_16"), row("automatic"));
        for row in [&exact, &sampled, &automatic] {
            assert_eq!((row.calls, row.primitive_calls, row.in_flight), (CALLS, CALLS, 0), "{row:?}");
        }
        assert!(exact.estimate.is_none(), "{exact:?}");
        let estimate = sampled.estimate.unwrap();
        assert!((200..450).contains(&estimate.timed_calls), "{estimate:?}");
        assert!(automatic.estimate.is_some_and(|estimate| estimate.timed_calls < CALLS), "{automatic:?}");
        let caller = row("calls_all");
        // Its total is measured, its self time is what the estimates leave.
        let estimate = caller.estimate.unwrap();
        assert!(estimate.total_error.is_zero() && !estimate.self_error.is_zero(), "{estimate:?}");
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(work(ROUNDS));
        }
        let truth = start.elapsed().as_secs_f64();
        // Not optimised, the profiler takes so long that its caller's self time cannot be told to some per cent.
        let caller = (!cfg!(debug_assertions)).then_some(&caller);
        let far: Vec<String> = [&sampled, &automatic]
            .into_iter()
            .chain(caller)
            .map(|row| (&row.name, row.self_time.as_secs_f64() / truth))
            .filter(|(_, ratio)| !(0.95..1.05).contains(ratio))
            .map(|(name, ratio)| format!("{name}: {ratio}"))
            .collect();
        if far.is_empty() {
            return;
        }
        differences.push(far);
    }
    panic!("each time different: {differences:#?}");
}

#[profiled(sample = 16)]
fn gets_slow(rounds: u64) -> u64 {
    work(rounds)
}

#[profiled(sample = 16)]
fn sometimes_slow(rounds: u64) -> u64 {
    work(rounds)
}

#[test]
fn slow_calls_among_fast_ones_count() {
    let _alone = alone();
    let mut differences = Vec::new();
    for _ in 0..10 {
        perfkit::reset();
        let start = Instant::now();
        (0..20_000).for_each(|_| {
            black_box(gets_slow(5));
        });
        (0..1_000).for_each(|_| {
            black_box(gets_slow(20_000));
        });
        let first = start.elapsed();
        let start = Instant::now();
        (0..50_000).for_each(|call| {
            black_box(sometimes_slow(if call % 50 == 0 { 20_000 } else { 5 }));
        });
        let truths = [("gets_slow", first), ("sometimes_slow", start.elapsed())];
        let ratios = truths.map(|(name, truth)| row(name).self_time.as_secs_f64() / truth.as_secs_f64());
        if ratios.iter().all(|ratio| (0.5..1.5).contains(ratio)) {
            return;
        }
        differences.push(ratios);
    }
    panic!("ten times different: {differences:?}");
}

#[profiled(sample = "auto")]
fn becomes_slow(rounds: u64) -> u64 {
    work(rounds)
}

#[test]
fn a_function_that_becomes_slow_is_soon_timed_at_every_call() {
    let _alone = alone();
    let timed = |calls: u32, rounds| {
        let before = row("becomes_slow").estimate.map_or(0, |estimate| estimate.timed_calls);
        (0..calls).for_each(|_| {
            black_box(becomes_slow(rounds));
        });
        row("becomes_slow").estimate.unwrap().timed_calls - before
    };
    becomes_slow(1);
    let fast = timed(300_000, 1);
    assert!(fast < 100_000, "{fast}");
    let slow = timed(12_000, 5_000);
    assert!(slow > 3_000, "{slow}");
}

#[profiled(sample = 1_000)]
fn rarely_timed(rounds: u64) -> u64 {
    work(rounds)
}

#[test]
fn calls_of_which_none_was_timed_since_a_reset_are_estimated_from_earlier_ones() {
    let _alone = alone();
    (0..3_000).for_each(|_| {
        black_box(rarely_timed(1_000));
    });
    for _ in 0..100 {
        perfkit::reset();
        (0..10).for_each(|_| {
            black_box(rarely_timed(1_000));
        });
        let row = row("rarely_timed");
        assert!(!row.self_time.is_zero() && row.estimate.is_some_and(|e| !e.self_error.is_zero()), "{row:?}");
    }
}

#[profiled(sample = 1_000)]
fn begins_slowly(sleep: bool) {
    if sleep {
        thread::sleep(Duration::from_millis(20));
    }
}

#[profiled(sample = 8)]
fn uneven(rounds: u64) -> u64 {
    work(rounds)
}

#[profiled]
fn calls_uneven() {
    (0..500).for_each(|call| {
        black_box(uneven(if call % 25 == 0 { 3_000 } else { 3 }));
    });
}

#[test]
fn no_estimate_is_above_what_is_known() {
    let _alone = alone();
    let start = Instant::now();
    perfkit::reset();
    // One of the first two is always timed, and neither stands for all that come.
    for call in 0..500 {
        begins_slowly(call < 2);
    }
    let (row_of_slow, elapsed) = (row("begins_slowly"), start.elapsed());
    assert!(row_of_slow.total_time <= elapsed, "{row_of_slow:?} in {elapsed:?}");
    // What a function takes that is timed is known, however its callees are estimated.
    for _ in 0..50 {
        let start = Instant::now();
        perfkit::reset();
        calls_uneven();
        let elapsed = start.elapsed();
        let (outer, inner) = (row("calls_uneven"), row("uneven"));
        assert!(outer.total_time <= elapsed && inner.total_time <= elapsed, "{outer:?} in {elapsed:?}");
    }
}

#[profiled(sample = 8)]
fn countdown(n: u32) {
    if n > 0 {
        countdown(n - 1);
    }
}

#[profiled(sample = 8)]
fn ping(n: u32) {
    if n > 0 {
        pong(n - 1);
    }
}

#[profiled(sample = "auto")]
fn pong(n: u32) {
    if n > 0 {
        ping(n - 1);
    }
}

#[test]
fn recursions_are_counted() {
    let _alone = alone();
    for _ in 0..1_000 {
        countdown(4);
        ping(5);
    }
    for (name, calls) in [("countdown", 5_000), ("ping", 3_000), ("pong", 3_000)] {
        assert_eq!((row(name).calls, row(name).primitive_calls), (calls, 1_000), "{name}");
    }
}

#[profiled(sample = 4)]
fn fails(now: bool) {
    assert!(!now, "on purpose");
}

#[profiled(sample = 4, err)]
fn refuses(now: bool) -> Result<(), ()> {
    if now { Err(()) } else { Ok(()) }
}

#[test]
fn panics_and_errors_are_counted_timed_or_not() {
    let _alone = alone();
    for n in 0..200 {
        let _ = catch_unwind(|| fails(n % 2 == 0));
        let _ = refuses(n % 4 == 0);
    }
    let (fails, refuses) = (row("fails"), row("refuses"));
    assert_eq!((fails.calls, fails.panics, fails.in_flight), (200, 100, 0));
    assert_eq!((refuses.calls, refuses.errors), (200, 50));
}

#[profiled(sample = 32)]
fn parent(calls: u32) {
    for _ in 0..calls {
        every_call(1);
    }
}

#[test]
fn threads_and_callees_of_calls_that_are_not_timed() {
    let _alone = alone();
    let threads: Vec<_> = (0..4).map(|_| thread::spawn(|| (0..100).for_each(|_| parent(3)))).collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!((row("parent").calls, row("every_call").calls), (400, 1_200));
    let callers = perfkit::report().callers("::every_call");
    assert_eq!((callers.len(), callers[0].calls), (1, 1_200));
    assert!(callers[0].caller.name.ends_with("::parent"));
}

#[profiled(sample = 1_000)]
fn reports_itself() -> u64 {
    row("reports_itself").in_flight
}

#[test]
fn a_call_that_is_not_timed_is_in_flight() {
    let _alone = alone();
    assert_eq!((reports_itself(), reports_itself(), reports_itself()), (1, 1, 1));
}

#[profiled(sample = 2)]
mod inside {
    pub(super) fn sampled() {}

    #[perfkit::profiled(sample = 1)]
    pub(super) fn exact() {}

    pub(super) async fn polled() {}
}

#[test]
fn a_block_says_it_for_the_functions_in_it() {
    let _alone = alone();
    for _ in 0..1_000 {
        inside::sampled();
        inside::exact();
    }
    let mut polled = std::pin::pin!(inside::polled());
    let _ = polled.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let sampled = row("inside::sampled");
    assert!((400..600).contains(&sampled.estimate.unwrap().timed_calls), "{sampled:?}");
    assert!(row("inside::exact").estimate.is_none());
    assert_eq!(row("inside::polled").calls, 1);
}
