//! Call counts are exact, and times within 3 % of the truth, on workloads whose truth is known by construction.
//!
//! The truth of a time is what the function itself reads on the system's clock, first and last thing in its body, on the same run: a pause of the
//! machine is then in both. Only a pause that falls between the function's reading and the profiler's tells them apart, so
//! a workload whose times differ is run again, up to five times; one that is measured wrongly differs each time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use perfkit::{FunctionRow, profiled};

/// One test at a time: they all look at the one report of the process.
static SERIAL: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    let guard = SERIAL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // The bookkeeping's own first use takes longer than what it keeps book of.
    drop(Witness::new("warm-up"));
    take_truth();
    perfkit::reset();
    guard
}

#[derive(Clone, Copy, Default, Debug)]
struct Truth {
    calls: u64,
    primitive: u64,
    own: Duration,
    total: Duration,
}

thread_local! {
    static TRUTH: RefCell<HashMap<&'static str, Truth>> = RefCell::default();
    /// Open functions: name and time of callees.
    static STACK: RefCell<Vec<(&'static str, Duration)>> = RefCell::default();
}

/// The test's own bookkeeping of one call.
struct Witness {
    name: &'static str,
    start: Instant,
}

impl Witness {
    fn new(name: &'static str) -> Self {
        STACK.with_borrow_mut(|stack| stack.push((name, Duration::ZERO)));
        Witness { name, start: Instant::now() }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let elapsed = self.start.elapsed();
        let (callees, outermost) = STACK.with_borrow_mut(|stack| {
            let (_, callees) = stack.pop().unwrap();
            if let Some((_, parent)) = stack.last_mut() {
                *parent += elapsed;
            }
            (callees, stack.iter().all(|(name, _)| *name != self.name))
        });
        TRUTH.with_borrow_mut(|truth| {
            let truth = truth.entry(self.name).or_default();
            truth.calls += 1;
            truth.own += elapsed.saturating_sub(callees);
            if outermost {
                truth.primitive += 1;
                truth.total += elapsed;
            }
        });
    }
}

fn spin(micros: u64) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(micros) {
        std::hint::spin_loop();
    }
}

fn take_truth() -> HashMap<&'static str, Truth> {
    TRUTH.take()
}

/// Runs a workload until its times agree; counts must be right every time.
#[track_caller]
fn agrees_once(mut workload: impl FnMut() -> Result<(), String>) {
    let _alone = alone();
    let mut differences = Vec::new();
    for _ in 0..5 {
        perfkit::reset();
        match workload() {
            Ok(()) => return,
            Err(difference) => differences.push(difference),
        }
    }
    panic!("five times different: {differences:#?}");
}

fn within_3_percent(what: &str, measured: Duration, truth: Duration) -> Result<(), String> {
    let (measured, truth) = (measured.as_secs_f64(), truth.as_secs_f64());
    if (measured - truth).abs() <= 0.03 * truth {
        return Ok(());
    }
    Err(format!("{what}: measured {measured}, truth {truth}"))
}

fn row(name: &str) -> FunctionRow {
    let report = perfkit::report();
    let suffix = format!("::{name}");
    report
        .functions
        .into_iter()
        .find(|row| row.name.ends_with(&suffix))
        .unwrap_or_else(|| panic!("no {name}"))
}

#[track_caller]
fn check(truths: &HashMap<&'static str, Truth>) -> Result<(), String> {
    assert!(!truths.is_empty());
    for (name, truth) in truths {
        let row = row(name);
        assert_eq!(row.calls, truth.calls, "calls of {name}");
        assert_eq!(row.primitive_calls, truth.primitive, "primitive calls of {name}");
        within_3_percent(&format!("self time of {name}"), row.self_time, truth.own)?;
        within_3_percent(&format!("total time of {name}"), row.total_time, truth.total)?;
    }
    Ok(())
}

#[profiled]
fn outer() {
    let _witness = Witness::new("outer");
    spin(2_000);
    for _ in 0..3 {
        middle();
    }
}

#[profiled]
fn middle() {
    let _witness = Witness::new("middle");
    spin(1_000);
    leaf();
    leaf();
}

#[profiled]
fn leaf() {
    let _witness = Witness::new("leaf");
    spin(500);
}

#[test]
fn nested() {
    agrees_once(|| {
        for _ in 0..5 {
            outer();
            leaf();
        }
        let truths = take_truth();
        assert_eq!((truths["outer"].calls, truths["middle"].calls, truths["leaf"].calls), (5, 15, 35));
        check(&truths)
    });
}

#[profiled]
fn countdown(n: u32) {
    let _witness = Witness::new("countdown");
    spin(300);
    if n > 0 {
        countdown(n - 1);
    }
}

#[profiled]
fn ping(n: u32) {
    let _witness = Witness::new("ping");
    spin(200);
    if n > 0 {
        pong(n - 1);
    }
}

#[profiled]
fn pong(n: u32) {
    let _witness = Witness::new("pong");
    spin(400);
    if n > 0 {
        ping(n - 1);
        ping(0);
    }
}

#[test]
fn recursive() {
    agrees_once(|| {
        countdown(20);
        countdown(0);
        ping(9);
        let truths = take_truth();
        assert_eq!((truths["countdown"].calls, truths["countdown"].primitive), (22, 2));
        assert_eq!((truths["ping"].primitive, truths["pong"].primitive), (1, 1));
        check(&truths)
    });
}

#[test]
fn threaded() {
    agrees_once(|| {
        let mut all: HashMap<&'static str, Truth> = HashMap::new();
        // More threads than processors, some of them after others have ended.
        for _ in 0..3 {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    std::thread::spawn(|| {
                        outer();
                        take_truth()
                    })
                })
                .collect();
            for thread in threads {
                for (name, truth) in thread.join().unwrap() {
                    let sum = all.entry(name).or_default();
                    sum.calls += truth.calls;
                    sum.primitive += truth.primitive;
                    sum.own += truth.own;
                    sum.total += truth.total;
                }
            }
        }
        assert_eq!((all["outer"].calls, all["leaf"].calls), (12, 72));
        check(&all)
    });
}

#[test]
fn many_short_threads_share_few_trees_and_lose_nothing() {
    let _alone = alone();
    let before = perfkit::report().threads;
    for _ in 0..200 {
        std::thread::spawn(|| (0..10).for_each(|_| short())).join().unwrap();
    }
    assert_eq!(row("short").calls, 2_000);
    assert_eq!(perfkit::report().threads - before, 200);
}

#[profiled]
fn short() {
    std::hint::black_box(());
}

/// Ready at the given poll; does nothing before.
struct AfterPolls(u32);

impl Future for AfterPolls {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        Poll::Pending
    }
}

thread_local! {
    static BUSY: RefCell<Duration> = RefCell::default();
}

fn busy(micros: u64) {
    let start = Instant::now();
    spin(micros);
    BUSY.with_borrow_mut(|busy| *busy += start.elapsed());
}

#[profiled]
async fn waiting() {
    busy(1_000);
    AfterPolls(3).await;
    busy(2_000);
}

#[test]
fn asynchronous() {
    agrees_once(|| {
        let mut context = Context::from_waker(Waker::noop());
        let mut wall = Duration::ZERO;
        for _ in 0..3 {
            let mut future = pin!(waiting());
            let start = Instant::now();
            while future.as_mut().poll(&mut context).is_pending() {
                spin(5_000);
            }
            wall += start.elapsed();
        }
        // One polled and given up, one never polled.
        let mut given_up = Box::pin(waiting());
        assert!(given_up.as_mut().poll(&mut context).is_pending());
        drop(given_up);
        drop(waiting());

        let report = perfkit::report();
        let function = report.functions.iter().find(|row| row.name.ends_with("::waiting")).unwrap();
        let future = report.futures.iter().find(|row| row.name.ends_with("::waiting")).unwrap();
        assert_eq!((function.calls, function.in_flight), (4, 0));
        assert_eq!((future.started, future.completed, future.dropped), (4, 3, 1));
        assert_eq!(future.polls, 3 * 4 + 1);
        within_3_percent("busy", future.busy, BUSY.take())?;
        within_3_percent("total", function.total_time, future.busy)?;
        within_3_percent("wall", future.wall.mean * 3, wall)
    });
}

#[test]
fn a_future_may_change_its_thread_at_every_poll() {
    agrees_once(|| {
        let mut future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(waiting());
        let mut polls = 0;
        loop {
            polls += 1;
            let (back, ready, spent) = std::thread::spawn(move || {
                let ready = future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
                (future, ready, BUSY.take())
            })
            .join()
            .unwrap();
            future = back;
            BUSY.with_borrow_mut(|busy| *busy += spent);
            if ready {
                break;
            }
        }
        let report = perfkit::report();
        let row = report.futures.iter().find(|row| row.name.ends_with("::waiting")).unwrap();
        assert_eq!((row.started, row.completed, row.polls), (1, 1, polls));
        within_3_percent("busy", row.busy, BUSY.take())
    });
}

#[profiled]
fn under_way(report: &mut Option<perfkit::Report>) {
    spin(3_000);
    leaf();
    *report = Some(perfkit::report());
}

#[test]
fn a_call_under_way_is_shown_with_its_time_so_far() {
    let _alone = alone();
    let mut report = None;
    under_way(&mut report);
    let report = report.unwrap();
    let row = report.functions.iter().find(|row| row.name.ends_with("::under_way")).unwrap();
    assert_eq!((row.calls, row.in_flight), (0, 1));
    assert!(
        row.self_time >= Duration::from_millis(3) && row.total_time >= Duration::from_micros(3_500),
        "{row:?}"
    );
    take_truth();
}

#[profiled]
fn fails_at(depth: u32) {
    assert!(depth > 0, "on purpose");
    fails_at(depth - 1);
}

#[test]
fn a_panic_closes_its_frames_and_the_tree_stays_right() {
    agrees_once(|| {
        assert!(std::panic::catch_unwind(|| fails_at(3)).is_err());
        // Often enough that the first one's own first use is little beside them.
        (0..20).for_each(|_| leaf());
        let row = row("fails_at");
        assert_eq!((row.calls, row.primitive_calls, row.panics, row.in_flight), (4, 1, 4, 0));
        // Had a frame stayed open, this would be called from within it and the total could not stand by itself.
        check(&take_truth())
    });
}

#[test]
fn nothing_is_counted_while_paused() {
    let _alone = alone();
    short();
    perfkit::pause();
    short();
    outer();
    perfkit::resume();
    short();
    assert_eq!(row("short").calls, 2);
    assert!(!perfkit::report().functions.iter().any(|row| row.name.ends_with("::outer")));
    take_truth();
}

#[test]
fn self_times_add_up_to_the_whole_and_shares_are_of_the_run() {
    agrees_once(|| {
        outer();
        let report = perfkit::report();
        for row in &report.functions {
            let share = row.self_time.as_secs_f64() / report.wall.as_secs_f64();
            assert!((row.share - share).abs() < 1e-9, "{row:?} in {:?}", report.wall);
        }
        let own: Duration = report.functions.iter().map(|row| row.self_time).sum();
        take_truth();
        within_3_percent("sum of self times", own, row("outer").total_time)
    });
}

#[test]
fn percentiles_lie_within_a_thirty_second_of_the_truth() {
    agrees_once(|| {
        let mut truth: Vec<Duration> = (0..200).map(|i| varied(200 + i)).collect();
        truth.sort_unstable();
        let latency = row("varied").latency;
        for (measured, truth) in [
            (latency.p50, truth[99]),
            (latency.p95, truth[189]),
            (latency.min, truth[0]),
            (latency.mean, truth.iter().sum::<Duration>() / 200),
        ] {
            let error = (measured.as_secs_f64() - truth.as_secs_f64()).abs() / truth.as_secs_f64();
            // 1/32 of the histogram's own, and what lies between the two clocks' readings.
            if error > 1.0 / 32.0 + 0.01 {
                return Err(format!("{measured:?} for {truth:?}"));
            }
        }
        assert!(latency.p50 <= latency.p95 && latency.p95 <= latency.p99 && latency.p99 <= latency.max);
        Ok(())
    });
}

#[profiled]
fn varied(micros: u64) -> Duration {
    let start = Instant::now();
    spin(micros);
    start.elapsed()
}

#[profiled]
fn level(depth: u32, path: u32) {
    if depth > 0 {
        if path & 1 == 0 { left(depth - 1, path >> 1) } else { right(depth - 1, path >> 1) }
    }
}

#[profiled]
fn left(depth: u32, path: u32) {
    level(depth, path);
}

#[profiled]
fn right(depth: u32, path: u32) {
    level(depth, path);
}

#[test]
fn too_many_paths_are_merged_and_said_to_be() {
    let _alone = alone();
    let start = Instant::now();
    std::thread::spawn(|| {
        // 2^17 paths of 17 steps each.
        for path in 0..1 << 17 {
            level(17, path);
        }
    })
    .join()
    .unwrap();
    let elapsed = start.elapsed();
    let report = perfkit::report();
    assert!(report.truncated);
    assert_eq!(row("level").calls, (1 << 17) * 18);
    assert_eq!(row("left").calls + row("right").calls, (1 << 17) * 17);
    let own: Duration = report.functions.iter().map(|row| row.self_time).sum();
    assert!(own > Duration::ZERO && own <= elapsed, "{own:?} of {elapsed:?}");
}
