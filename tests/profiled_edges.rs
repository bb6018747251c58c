//! Calls at the edges: over a reset, while paused, after a thread's own end, more paths than are kept.

mod one_report;

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use one_report::{alone, row};
use perfkit::{FutureRow, profiled};

#[track_caller]
fn future_row(name: &str) -> FutureRow {
    let suffix = format!("::{name}");
    let mut rows = perfkit::report().futures.into_iter();
    rows.find(|row| row.name.ends_with(&suffix)).unwrap_or_else(|| panic!("no future {name}"))
}

fn spin(duration: Duration) {
    let start = Instant::now();
    while start.elapsed() < duration {
        std::hint::spin_loop();
    }
}

#[profiled]
fn first() -> u32 {
    std::hint::black_box(1)
}

#[profiled]
fn second() -> u32 {
    std::hint::black_box(2)
}

macro_rules! many {
    ($($name:ident)*) => {
        mod many {
            $(#[perfkit::profiled] pub(super) fn $name() -> u32 { std::hint::black_box(1) })*
            pub(super) static ALL: &[fn() -> u32] = &[$($name),*];
        }
    };
}

// More siblings than are looked through one by one.
many!(a b c d e f g h i j k l m n o p);

#[profiled]
fn calls_in_turn() {
    for _ in 0..1_000 {
        first();
        second();
        for function in many::ALL {
            function();
        }
    }
}

#[test]
fn callees_in_turn_are_told_apart() {
    let _alone = alone();
    calls_in_turn();
    first();
    assert_eq!(row("calls_in_turn").calls, 1);
    assert_eq!((row("first").calls, row("second").calls), (1_001, 1_000));
    for name in ["a", "h", "p"] {
        assert_eq!(row(&format!("many::{name}")).calls, 1_000);
    }
}

#[profiled]
fn inner() {
    spin(Duration::from_millis(4));
}

#[profiled]
fn outermost() {
    spin(Duration::from_millis(1));
    inner();
}

#[profiled]
fn walk(depth: u32, path: u32) {
    if depth > 0 {
        if path & 1 == 0 { left(depth - 1, path >> 1) } else { right(depth - 1, path >> 1) }
    }
}

#[profiled]
fn left(depth: u32, path: u32) {
    walk(depth, path);
}

#[profiled]
fn right(depth: u32, path: u32) {
    walk(depth, path);
}

#[test]
fn totals_of_merged_paths_hold_their_callees_and_a_reset_forgets_the_merging() {
    let _alone = alone();
    thread::spawn(|| {
        // 2^17 paths, more than are kept.
        for path in 0..1 << 17 {
            walk(17, path);
        }
        assert!(perfkit::report().truncated);
        perfkit::reset();
        assert!(!perfkit::report().truncated, "nothing merged was called since the reset");
        outermost();
        assert!(perfkit::report().truncated);
    })
    .join()
    .unwrap();
    let (outermost, inner) = (row("outermost"), row("inner"));
    assert_eq!((outermost.calls, inner.calls), (1, 1));
    assert!(inner.total_time >= Duration::from_millis(4), "{inner:?}");
    assert!(outermost.total_time >= inner.total_time + Duration::from_millis(1), "{outermost:?} {inner:?}");
    assert!(outermost.self_time + inner.total_time / 2 < outermost.total_time, "{outermost:?} {inner:?}");
}

/// Pending once.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(
        |_| if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending },
    )
    .await;
}

#[profiled]
async fn waits() {
    yield_once().await;
}

fn poll(future: std::pin::Pin<&mut impl Future>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn a_future_under_way_at_a_reset_ends_after_it() {
    let _alone = alone();
    let mut future = pin!(waits());
    assert!(!poll(future.as_mut()));
    perfkit::reset();
    assert_eq!((row("waits").calls, row("waits").in_flight), (0, 1));
    assert!(poll(future.as_mut()));
    let (function, future) = (row("waits"), future_row("waits"));
    assert_eq!((function.calls, function.in_flight), (1, 0));
    assert_eq!((future.started, future.completed, future.dropped, future.polls), (0, 1, 0, 1));
}

#[test]
fn a_future_that_began_ends_also_while_measuring_is_paused() {
    let _alone = alone();
    let mut completes = Box::pin(waits());
    let mut given_up = Box::pin(waits());
    assert!(!poll(completes.as_mut()) && !poll(given_up.as_mut()));
    perfkit::pause();
    assert!(poll(completes.as_mut()));
    drop(given_up);
    // This one is not measured at all.
    assert!(!poll(pin!(waits())));
    perfkit::resume();
    let (function, future) = (row("waits"), future_row("waits"));
    assert_eq!(function.in_flight, 0, "{function:?} {future:?}");
    assert_eq!((future.started, future.completed, future.dropped), (2, 1, 1), "{future:?}");
}

#[profiled]
async fn countdown(n: u32) {
    yield_once().await;
    if n > 0 {
        Box::pin(countdown(n - 1)).await;
    }
}

#[test]
fn an_async_recursion_has_one_primitive_call() {
    let _alone = alone();
    let mut future = pin!(countdown(5));
    while !poll(future.as_mut()) {}
    let row = row("countdown");
    assert_eq!((row.calls, row.primitive_calls, row.in_flight), (6, 1, 0));
}

/// Calls a profiled function, and asks for a report, when its thread has no destructors left to run but this.
struct Last;

impl Drop for Last {
    fn drop(&mut self) {
        outlives_its_thread();
        let report = perfkit::report();
        let row = report.functions.iter().find(|row| row.name.ends_with("::outlives_its_thread"));
        assert!(row.is_some_and(|row| row.in_flight == 0), "{row:?}");
    }
}

#[profiled]
fn outlives_its_thread() {
    std::hint::black_box(());
}

#[test]
fn calls_in_a_thread_s_own_destructors_are_counted_and_later_threads_too() {
    thread_local!(static LAST: RefCell<Option<Last>> = const { RefCell::new(None) });
    let _alone = alone();
    let before = perfkit::report().threads;
    thread::spawn(|| {
        // Made before the profiler's own, so that it is dropped after that.
        LAST.with_borrow_mut(|last| *last = Some(Last));
        outlives_its_thread();
    })
    .join()
    .unwrap();
    for _ in 0..5 {
        thread::spawn(outlives_its_thread).join().unwrap();
    }
    let row = row("outlives_its_thread");
    assert_eq!((row.calls, row.in_flight), (7, 0));
    assert_eq!(perfkit::report().threads - before, 6);
}
