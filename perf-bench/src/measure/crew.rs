//! Several threads that run one benchmark at once: one *leads*, which measures as if it were alone, and the others *follow*, which run as many calls as it does
//! at the same time.
//!
//! All of them run the benchmark's own code from its beginning, so that each makes its inputs itself. What a batch took is what the slowest took.
//! Nobody waits for a thread that is gone: who follows is sent off when the leader ends, and a leader that finds a follower gone stops.
//! A teardown comes when all have gone, with all that they made.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::measure::loops::{Batch, Calls};

/// What a benchmark's own code is given by, on this thread.
#[derive(Debug, Default)]
pub(crate) enum Role {
    #[default]
    Alone,
    Leads(Crew),
    Follows(Place),
}

/// The followers, as the leader has them.
#[derive(Debug)]
pub(crate) struct Crew(Arc<Board>);

/// The leader, as a follower has it.
#[derive(Debug)]
pub(crate) struct Place(Arc<Board>);

/// What all of them see.
#[derive(Debug)]
struct Board {
    followers: usize,
    orders: Mutex<Orders>,
    /// An order, a batch, or the end.
    news: Condvar,
    /// Who stands at the start of this order.
    arrived: AtomicUsize,
    /// Somebody has gone, so that nobody is waited for.
    is_called_off: AtomicBool,
}

#[derive(Debug, Default)]
struct Orders {
    /// How many there were.
    number: u64,
    calls: Option<Calls>,
    /// Of the followers, for this order.
    batches: Vec<Batch>,
    /// Followers whose code has ended.
    gone: usize,
}

impl Board {
    #[inline]
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for news until `done` holds; whether it did before somebody went.
    #[inline]
    fn wait(&self, done: impl Fn(&Orders) -> bool) -> Option<MutexGuard<'_, Orders>> {
        let mut orders = self.orders();
        while !done(&orders) {
            if self.is_called_off.load(Ordering::Acquire) {
                return None;
            }
            orders = self.news.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
        Some(orders)
    }

    /// Waits until all have come, so that they start their clocks together.
    #[inline]
    fn meet(&self) {
        self.arrived.fetch_add(1, Ordering::AcqRel);
        let mut turns = 0_u32;
        while self.arrived.load(Ordering::Acquire) <= self.followers
            && !self.is_called_off.load(Ordering::Acquire)
        {
            spin_loop();
            turns += 1;
            // There may be more threads than processors.
            if turns.is_multiple_of(1_000) {
                thread::yield_now();
            }
        }
    }

    #[inline]
    fn call_off(&self) {
        self.is_called_off.store(true, Ordering::Release);
        // Whoever waits has looked before it let go of the lock, or looks now.
        drop(self.orders());
        self.news.notify_all();
    }
}

impl Crew {
    /// The leader's batch, and at the same time one of each follower.
    ///
    /// # Panics
    /// If a follower is gone, in silence: its own panic is what is told of.
    #[inline]
    pub(crate) fn run(&self, calls: Calls, batch: &mut dyn FnMut(Calls) -> Batch) -> Batch {
        let Crew(board) = self;
        board.arrived.store(0, Ordering::Release);
        {
            let mut orders = board.orders();
            orders.number += 1;
            orders.calls = Some(calls);
            orders.batches.clear();
        }
        board.news.notify_all();
        board.meet();
        let mut slowest = batch(calls);
        let Some(mut orders) = board.wait(|orders| orders.batches.len() == board.followers) else {
            resume_unwind(Box::new(
                "one of its threads ended without the others: each has to call `iter`, or none",
            ));
        };
        for other in orders.batches.drain(..) {
            if other.refusal.is_some() || other.ticks > slowest.ticks && slowest.refusal.is_none() {
                slowest = other;
            }
        }
        slowest
    }

    /// Sends the followers off, and waits until the code of each has ended.
    #[inline]
    pub(crate) fn disband(&self) {
        let Crew(board) = self;
        board.call_off();
        let mut orders = board.orders();
        while orders.gone < board.followers {
            orders = board.news.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Crew {
    #[inline]
    fn drop(&mut self) {
        self.0.call_off();
    }
}

impl Drop for Place {
    #[inline]
    fn drop(&mut self) {
        self.0.orders().gone += 1;
        self.0.call_off();
    }
}

impl Place {
    /// Runs what the leader runs, until that ends.
    #[inline]
    pub(crate) fn follow(&self, batch: &mut dyn FnMut(Calls) -> Batch) {
        let Place(board) = self;
        let mut done = 0;
        while let Some(orders) = board.wait(|orders| orders.number > done) {
            done = orders.number;
            let Some(calls) = orders.calls else { break };
            drop(orders);
            board.meet();
            let batch = batch(calls);
            board.orders().batches.push(batch);
            board.news.notify_all();
        }
    }
}

/// Runs `code` on this thread, which leads, and on as many others as make up `threads`.
#[inline]
pub(crate) fn run_together<R>(threads: usize, code: &(dyn Fn(Role) -> R + Sync)) -> R {
    let board = Arc::new(Board {
        followers: threads - 1,
        orders: Mutex::default(),
        news: Condvar::new(),
        arrived: AtomicUsize::new(0),
        is_called_off: AtomicBool::new(false),
    });
    thread::scope(|scope| {
        // Before the threads, so that those that were begun are sent off where another cannot be.
        let crew = Crew(Arc::clone(&board));
        let follow = |board| move || drop(code(Role::Follows(Place(board))));
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(follow(Arc::clone(&board)))).collect();
        let lead = || code(Role::Leads(crew));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(lead));
        // A follower's panic is the reason for the leader's.
        let panics = others.into_iter().filter_map(|other| other.join().err());
        if let Some(panic) = panics.into_iter().next() {
            resume_unwind(panic);
        }
        result.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::measure::bencher::Bencher;
    use crate::measure::plan::Plan;
    use crate::measure::sampling::Measurement;
    use crate::run::own_thread::{self, Ended};

    /// What comes of a benchmark on three threads.
    fn run(code: impl Fn(&mut Bencher<'_>) + Send + Sync + 'static) -> Result<usize, Ended> {
        let plan = Plan { threads: 3, iterations: Some(5), ..Plan::for_tests() };
        own_thread::run("together", Duration::from_secs(60), move || {
            let (measurements, _) = run_together(3, &|role| {
                let mut bencher = Bencher::new(&plan, role);
                code(&mut bencher);
                bencher.into_measurements()
            });
            let [Measurement::Summary(summary)] = measurements.as_slice() else { return 0 };
            summary.samples
        })
    }

    #[test]
    fn all_run_as_many_calls() {
        static CALLS: Mutex<Vec<u64>> = Mutex::new(Vec::new());
        let samples = run(|bencher| {
            let mut calls = 0;
            bencher.iter(|| calls += 1);
            CALLS.lock().unwrap().push(calls);
        });
        assert_eq!(samples, Ok(5));
        let calls = CALLS.lock().unwrap();
        assert!(
            calls.len() == 3 && calls[0] > 10 && calls.iter().all(|other| *other == calls[0]),
            "{calls:?}"
        );
    }

    #[test]
    fn whoever_panics_ends_it_for_all() {
        let panics = |when: &'static str, whose: usize| {
            let places = AtomicUsize::new(0);
            run(move |bencher| {
                let mine = places.fetch_add(1, Ordering::Relaxed) == whose;
                assert!(!(mine && when == "before"), "before");
                bencher.iter(|| assert!(!(mine && when == "inside"), "inside"));
            })
        };
        assert_eq!(panics("never", 0), Ok(5));
        for whose in [0, 1, 2] {
            for when in ["before", "inside"] {
                assert_eq!(panics(when, whose), Err(Ended::Panicked(when.to_owned())));
            }
        }
    }

    #[test]
    fn teardown_comes_last_and_once() {
        static LOG: Mutex<Vec<&str>> = Mutex::new(Vec::new());
        let log = |what| LOG.lock().unwrap().push(what);
        assert_eq!(
            run(move |bencher| {
                bencher.teardown(move || log("over"));
                bencher.iter(|| ());
                log("ran");
            }),
            Ok(5)
        );
        let panicked = run(move |bencher| {
            bencher.teardown(move || {
                log("over");
                panic!("of its own");
            });
            panic!("first");
        });
        assert_eq!(panicked, Err(Ended::Panicked(String::from("first"))));
        assert_eq!(LOG.lock().unwrap().iter().filter(|what| **what == "over").count(), 2);
    }

    /// What a thread made may need what the teardown stops.
    #[test]
    fn teardown_comes_when_all_threads_have_let_go_of_what_they_made() {
        static LIVE: AtomicUsize = AtomicUsize::new(0);
        static LEFT: AtomicUsize = AtomicUsize::new(usize::MAX);
        struct Made;
        impl Drop for Made {
            fn drop(&mut self) {
                thread::sleep(Duration::from_millis(20));
                LIVE.fetch_sub(1, Ordering::SeqCst);
            }
        }
        for panics in [false, true] {
            let ended = run(move |bencher| {
                bencher.teardown(|| LEFT.store(LIVE.load(Ordering::SeqCst), Ordering::SeqCst));
                LIVE.fetch_add(1, Ordering::SeqCst);
                let _made = Made;
                bencher.iter(|| assert!(!panics, "all"));
            });
            assert_eq!(ended.is_err(), panics);
            assert_eq!(LEFT.swap(usize::MAX, Ordering::SeqCst), 0);
        }
    }

    #[test]
    fn a_thread_that_measures_nothing_is_told_of() {
        let places = AtomicUsize::new(0);
        let ended = run(move |bencher| {
            if places.fetch_add(1, Ordering::Relaxed) != 1 {
                bencher.iter(|| ());
            }
        });
        let told = matches!(&ended, Ok(0))
            || matches!(&ended, Err(Ended::Panicked(message)) if message.contains("each has to call `iter`"));
        assert!(told, "{ended:?}");
    }
}
