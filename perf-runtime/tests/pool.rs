//! What a pool promises, against the runtime itself: no macro, one `static` a test.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;

use perf_runtime::pool::{Pool, PoolStats, Pooled};

/// The numbers of one pool must agree with each other at every moment.
#[track_caller]
fn assert_adds_up(stats: &PoolStats) {
    assert_eq!(stats.borrowed, stats.returned + stats.discarded + stats.taken + stats.in_use, "{stats:?}");
    assert!(stats.idle + stats.in_use <= stats.created, "{stats:?}");
    assert!(stats.idle <= stats.max_size, "{stats:?}");
    assert!(stats.in_use <= stats.peak_in_use, "{stats:?}");
    assert!(stats.reused <= stats.borrowed, "{stats:?}");
}

#[test]
fn the_last_object_back_is_the_first_out() {
    static POOL: Pool<Box<u32>> = Pool::new(Box::default);
    let (a, b) = (POOL.borrow(), POOL.borrow());
    let (at_a, at_b) = (&raw const **a, &raw const **b);
    drop(a);
    drop(b);
    let (b, a) = (POOL.borrow(), POOL.borrow());
    assert_eq!((&raw const **a, &raw const **b), (at_a, at_b));
    assert_eq!(POOL.stats().created, 2);
    assert_eq!(POOL.stats().reused, 2);
}

#[test]
fn validate_judges_before_reset_cleans() {
    static POOL: Pool<Vec<u8>> =
        Pool::new(Vec::new).reset(Vec::clear).validate(|bytes| bytes.first() != Some(&b'!'));
    POOL.borrow().push(b'a');
    assert!(POOL.borrow().is_empty());
    POOL.borrow().push(b'!');
    let stats = POOL.stats();
    assert_eq!((stats.returned, stats.discarded, stats.idle), (2, 1, 0));
    assert_adds_up(&stats);
}

#[test]
fn a_full_pool_drops_what_comes_back() {
    for (max_size, pool) in {
        static POOLS: [(u64, Pool<Box<u8>>); 5] = [
            (1, Pool::new(Box::default).max_size(1)),
            (2, Pool::new(Box::default).max_size(2)),
            (3, Pool::new(Box::default).max_size(3)),
            (17, Pool::new(Box::default).max_size(17)),
            (100, Pool::new(Box::default).max_size(100)),
        ];
        &POOLS
    } {
        let out: Vec<_> = (0..150).map(|_| pool.borrow()).collect();
        assert_eq!(pool.stats().peak_in_use, 150);
        drop(out);
        let stats = pool.stats();
        assert_eq!((stats.idle, stats.returned), (*max_size, *max_size));
        assert_eq!(stats.discarded, 150 - max_size);
        assert_adds_up(&stats);
    }
}

#[test]
fn objects_are_found_in_the_shards_of_other_threads() {
    static POOL: Pool<Vec<u8>> = Pool::new(Vec::new);
    let (send, receive) = mpsc::channel::<Pooled<Vec<u8>>>();
    let (ready, next) = mpsc::channel();
    let consumer = thread::spawn(move || {
        for buffer in receive {
            drop(buffer);
            ready.send(()).unwrap();
        }
    });
    for _ in 0..1000 {
        send.send(POOL.borrow()).unwrap();
        next.recv().unwrap();
    }
    drop(send);
    consumer.join().unwrap();
    let stats = POOL.stats();
    assert_eq!((stats.created, stats.reused, stats.peak_in_use), (1, 999, 1));
}

#[test]
fn a_taken_object_never_comes_back() {
    static POOL: Pool<String> = Pool::new(|| "new".to_owned());
    let mut object = POOL.borrow();
    object.push_str(" and mine");
    assert_eq!(Pooled::take(object), "new and mine");
    let stats = POOL.stats();
    assert_eq!((stats.taken, stats.in_use, stats.idle, stats.returned), (1, 0, 0, 0));
    assert_eq!(*POOL.borrow(), "new");
}

#[test]
fn prefill_is_made_on_the_first_borrowing_and_counts_as_reuse() {
    static POOL: Pool<Box<u8>> = Pool::new(Box::default).max_size(8).prefill(5);
    assert_eq!(POOL.stats().created, 0);
    let first = POOL.borrow();
    let stats = POOL.stats();
    assert_eq!((stats.created, stats.idle, stats.in_use, stats.reused), (5, 4, 1, 1));
    let others: Vec<_> = (0..5).map(|_| POOL.borrow()).collect();
    let stats = POOL.stats();
    assert_eq!((stats.created, stats.idle, stats.peak_in_use, stats.reused), (6, 0, 6, 5));
    drop((first, others));
    assert_eq!(POOL.stats().idle, 6);
    assert_adds_up(&POOL.stats());
}

#[test]
fn a_prefilled_pool_keeps_to_its_limit_too() {
    static POOL: Pool<Box<u8>> = Pool::new(Box::default).max_size(4).prefill(4);
    let out: Vec<_> = (0..3).map(|_| POOL.borrow()).collect();
    drop(out);
    assert_eq!(POOL.stats().idle, 4);
    let out: Vec<_> = (0..6).map(|_| POOL.borrow()).collect();
    drop(out);
    assert_eq!((POOL.stats().idle, POOL.stats().discarded), (4, 2));
}

#[test]
fn a_panicking_factory_leaves_no_trace_in_the_counters() {
    static BROKEN: AtomicBool = AtomicBool::new(true);
    static POOL: Pool<u8> = Pool::new(|| {
        assert!(!BROKEN.load(SeqCst), "no object today");
        7
    });
    let panic = catch_unwind(|| drop(POOL.borrow())).unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "no object today");
    let stats = POOL.stats();
    assert_eq!((stats.borrowed, stats.created, stats.in_use), (0, 0, 0));
    BROKEN.store(false, SeqCst);
    assert_eq!(*POOL.borrow(), 7);
}

#[test]
fn a_factory_that_panics_in_prefill_costs_one_object_and_its_room_is_freed() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    static POOL: Pool<usize> = Pool::new(|| {
        let made = MADE.fetch_add(1, SeqCst);
        assert_ne!(made, 2, "the third fails");
        made
    })
    .max_size(4)
    .prefill(4);
    assert!(catch_unwind(|| drop(POOL.borrow())).is_err());
    assert_eq!((POOL.stats().created, POOL.stats().idle), (2, 2));
    let out: Vec<_> = (0..4).map(|_| POOL.borrow()).collect();
    drop(out);
    let stats = POOL.stats();
    assert_eq!((stats.created, stats.idle, stats.discarded), (4, 4, 0));
}

#[test]
fn a_panic_in_reset_or_validate_costs_the_object_and_goes_no_further() {
    static RESET: Pool<u8> = Pool::new(|| 0).reset(|object| assert_eq!(*object, 0, "cannot reset"));
    static VALIDATE: Pool<u8> = Pool::new(|| 0).validate(|object| {
        assert_eq!(*object, 0, "cannot tell");
        true
    });
    for pool in [&RESET, &VALIDATE] {
        *pool.borrow() = 1;
        drop(pool.borrow());
        let stats = pool.stats();
        assert_eq!((stats.created, stats.discarded, stats.idle), (2, 1, 1));
        assert_adds_up(&stats);
    }
}

#[test]
fn what_a_panicking_borrower_held_is_dropped() {
    static DROPS: AtomicU64 = AtomicU64::new(0);
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPS.fetch_add(1, SeqCst);
        }
    }
    static POOL: Pool<Counted> = Pool::new(|| Counted).reset(|_| unreachable!("it is not to be used again"));
    let unwound = catch_unwind(|| {
        let _object = POOL.borrow();
        panic!("the borrower fails");
    });
    assert!(unwound.is_err());
    assert_eq!((POOL.stats().discarded, POOL.stats().idle, DROPS.load(SeqCst)), (1, 0, 1));
}

#[test]
fn a_loan_within_a_destructor_that_runs_while_unwinding_is_returned_and_its_reset_may_panic() {
    static KEPT: Pool<u8> = Pool::new(|| 0);
    static LOST: Pool<u8> = Pool::new(|| 0).reset(|_| panic!("in the middle of another panic"));
    struct BorrowsWhenDropped;
    impl Drop for BorrowsWhenDropped {
        fn drop(&mut self) {
            drop(KEPT.borrow());
            drop(LOST.borrow());
        }
    }
    let unwound = catch_unwind(|| {
        let _guard = BorrowsWhenDropped;
        panic!("the first panic");
    });
    assert_eq!(*unwound.unwrap_err().downcast::<&str>().unwrap(), "the first panic");
    assert_eq!(KEPT.stats().idle, 1);
    assert_eq!(LOST.stats().discarded, 1);
}

#[test]
fn user_code_may_use_the_pool_it_is_called_from() {
    static POOL: Pool<Vec<u8>> = Pool::new(|| {
        if POOL.stats().in_use < 3 {
            let mut deeper = POOL.borrow();
            deeper.push(1);
        }
        Vec::new()
    })
    .reset(|bytes| {
        assert!(POOL.stats().in_use > 0);
        bytes.clear();
    });
    drop(POOL.borrow());
    let stats = POOL.stats();
    assert_eq!((stats.created, stats.peak_in_use), (3, 3));
    assert_adds_up(&stats);
}

#[test]
fn shrink_drops_what_is_idle_and_nothing_else() {
    static DROPS: AtomicU64 = AtomicU64::new(0);
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPS.fetch_add(1, SeqCst);
            assert!(POOL.stats().idle == 0, "all are out of the pool before the first is dropped");
        }
    }
    static POOL: Pool<Counted> = Pool::new(|| Counted).prefill(4);
    let kept = POOL.borrow();
    drop((POOL.borrow(), POOL.borrow()));
    assert_eq!(POOL.shrink(), 3);
    assert_eq!(DROPS.load(SeqCst), 3);
    drop(kept);
    assert_eq!((POOL.stats().idle, POOL.stats().created), (1, 4));
}

#[test]
fn a_loan_can_be_sent_and_shared_if_its_object_can() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    is_send::<Pooled<Vec<u8>>>();
    is_sync::<Pooled<Vec<u8>>>();
    is_send::<Pooled<std::cell::Cell<u8>>>();
}

#[test]
fn many_threads_never_share_an_object_and_the_counters_stay_exact() {
    const THREADS: u64 = 8;
    const ROUNDS: u64 = 4000;
    static MADE: AtomicU64 = AtomicU64::new(0);
    static DROPPED: AtomicU64 = AtomicU64::new(0);
    struct Counted(AtomicBool);
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, SeqCst);
        }
    }
    static POOL: Pool<Counted> = Pool::new(|| {
        MADE.fetch_add(1, SeqCst);
        Counted(AtomicBool::new(false))
    })
    .max_size(5)
    .prefill(3)
    .validate(|object| !object.0.load(SeqCst));

    let start = Barrier::new(THREADS as usize + 1);
    let running = AtomicBool::new(true);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            start.wait();
            let mut looks = 0;
            while running.load(SeqCst) {
                assert_adds_up(&POOL.stats());
                looks += 1;
                thread::yield_now();
            }
            looks
        });
        let workers: Vec<_> = (0..THREADS)
            .map(|worker| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    for round in 0..ROUNDS {
                        let object = POOL.borrow();
                        assert!(!object.0.swap(true, SeqCst), "somebody else holds it");
                        let second = (round % 3 == 0).then(|| POOL.borrow());
                        match (worker + round) % 64 {
                            0 => drop(Pooled::take(object)),
                            // Left marked, so not valid any more.
                            1 => drop(object),
                            2 => {
                                let result = catch_unwind(AssertUnwindSafe(move || {
                                    let _object = object;
                                    std::panic::resume_unwind(Box::new(()));
                                }));
                                assert!(result.is_err());
                            }
                            _ => object.0.store(false, SeqCst),
                        }
                        drop(second);
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
        running.store(false, SeqCst);
        assert!(watcher.join().unwrap() > 0);
    });

    let stats = POOL.stats();
    assert_adds_up(&stats);
    assert_eq!(stats.in_use, 0);
    assert_eq!(stats.borrowed, THREADS * (ROUNDS + ROUNDS.div_ceil(3)));
    assert_eq!(stats.created, MADE.load(SeqCst));
    let taken =
        (0..THREADS).flat_map(|worker| (0..ROUNDS).map(move |round| worker + round)).filter(|n| n % 64 == 0);
    assert_eq!(stats.taken, taken.count() as u64);
    assert!(stats.peak_in_use <= 2 * THREADS);
    POOL.shrink();
    assert_eq!(MADE.load(SeqCst), DROPPED.load(SeqCst));
}
