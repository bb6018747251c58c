//! Results that are computed anew in the background, where the background has no time for them.

#![allow(clippy::unused_async, reason = "the shapes are the point")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use perfkit::cached;

/// Waits until it holds, for at most ten seconds.
fn soon(mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Nothing of a future is computed anew in this process; how often it was asked for.
static DROPPED: AtomicU32 = AtomicU32::new(0);

/// One test at a time: there is one background.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn drop_refreshes() -> MutexGuard<'static, ()> {
    perfkit::cache::refresh_with(|future| {
        DROPPED.fetch_add(1, Ordering::SeqCst);
        drop(future);
    });
    alone()
}

/// How many refreshes it asks for.
fn asked<R>(call: impl FnOnce() -> R) -> (R, u32) {
    let before = DROPPED.load(Ordering::SeqCst);
    (call(), DROPPED.load(Ordering::SeqCst) - before)
}

#[test]
fn nobody_waits_for_a_refresh_that_has_not_begun() {
    static IS_LATER: AtomicBool = AtomicBool::new(false);
    static IS_QUEUED: AtomicBool = AtomicBool::new(false);
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    static ENDED: AtomicUsize = AtomicUsize::new(0);

    #[cached(ttl = "50ms", stale = "60s")]
    fn inner(n: usize) -> usize {
        n
    }

    #[cached(ttl = "50ms", stale = "60s")]
    fn outer(n: usize) -> usize {
        if IS_LATER.load(Ordering::SeqCst) {
            RUNNING.fetch_add(1, Ordering::SeqCst);
            while !IS_QUEUED.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
        }
        let sum = n + inner(1);
        ENDED.fetch_add(1, Ordering::SeqCst);
        sum
    }

    let _alone = alone();
    let threads = thread::available_parallelism().map_or(2, usize::from);
    (0..threads).for_each(|n| _ = outer(n));
    thread::sleep(Duration::from_millis(80));
    IS_LATER.store(true, Ordering::SeqCst);
    // All threads of the background are taken.
    (0..threads).for_each(|n| _ = outer(n));
    assert!(soon(|| RUNNING.load(Ordering::SeqCst) == threads));
    // This one has to wait for them, and they need its result.
    assert_eq!(inner(1), 1);
    IS_QUEUED.store(true, Ordering::SeqCst);
    assert!(soon(|| ENDED.load(Ordering::SeqCst) == 2 * threads), "the background waits for itself");
}

#[test]
fn two_refreshes_do_not_wait_for_each_other() {
    static IS_LATER: AtomicBool = AtomicBool::new(false);
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    static ENDED: AtomicUsize = AtomicUsize::new(0);

    /// Each needs the other one, once both have begun.
    #[cached(ttl = "50ms", stale = "60s")]
    fn pair(n: usize) -> usize {
        if IS_LATER.load(Ordering::SeqCst) && RUNNING.fetch_add(1, Ordering::SeqCst) < 2 {
            while RUNNING.load(Ordering::SeqCst) < 2 {
                thread::sleep(Duration::from_millis(1));
            }
            let _ = pair(1 - n);
            ENDED.fetch_add(1, Ordering::SeqCst);
        }
        n
    }

    let _alone = alone();
    if thread::available_parallelism().map_or(2, usize::from) < 2 {
        return;
    }
    assert_eq!((pair(0), pair(1)), (0, 1));
    thread::sleep(Duration::from_millis(80));
    IS_LATER.store(true, Ordering::SeqCst);
    assert_eq!((pair(0), pair(1)), (0, 1));
    assert!(soon(|| ENDED.load(Ordering::SeqCst) == 2), "each waits for the other one");
}

#[test]
fn a_refresh_that_never_runs_is_no_run() {
    #[cached(ttl = "30ms", stale = "60s")]
    async fn run(n: u8) -> u8 {
        thread::sleep(Duration::from_millis(2));
        n
    }

    let _alone = drop_refreshes();
    assert_eq!(smol::block_on(run(1)), 1);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(asked(|| smol::block_on(run(1))), (1, 1));
    let stats = run::stats();
    assert_eq!((stats.loads, stats.load_errors), (1, 0));
    assert!(stats.load_time < Duration::from_secs(1), "{:?}", stats.load_time);
    // The next one is asked.
    assert_eq!(asked(|| smol::block_on(run(1))), (1, 1));
}

#[test]
fn asking_for_what_is_over_does_not_make_it_good_again() {
    #[cached(tti = "50ms", stale = "60s")]
    async fn run(n: u8) -> u8 {
        n
    }

    let _alone = drop_refreshes();
    assert_eq!(smol::block_on(run(1)), 1);
    thread::sleep(Duration::from_millis(80));
    assert_eq!(asked(|| smol::block_on(run(1))), (1, 1));
    assert_eq!(asked(|| smol::block_on(run(1))), (1, 1));
}

#[test]
fn a_panic_of_another_result_does_not_end_refreshes() {
    static IS_ARMED: AtomicBool = AtomicBool::new(false);

    #[derive(Clone)]
    struct Fragile;

    impl Drop for Fragile {
        fn drop(&mut self) {
            assert!(!IS_ARMED.swap(false, Ordering::SeqCst), "on purpose");
        }
    }

    #[cached(ttl = "50ms", stale = "60s", max_size = 100)]
    async fn run(_n: u8) -> Fragile {
        Fragile
    }

    let _alone = drop_refreshes();
    let call = |n| drop(smol::block_on(run(n)));
    (0..40).for_each(call);
    // Something waits to be dropped.
    drop(smol::block_on(run::prime(7)));
    thread::sleep(Duration::from_millis(80));
    let panics = asked(|| {
        let future = run(1);
        IS_ARMED.store(true, Ordering::SeqCst);
        let result = catch_unwind(AssertUnwindSafe(|| drop(smol::block_on(future))));
        IS_ARMED.store(false, Ordering::SeqCst);
        result.is_err()
    });
    assert_eq!(panics, (true, 1));
    assert_eq!(asked(|| call(1)).1, 1);
}
