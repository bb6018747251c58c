//! Several threads that run one benchmark at once: one *leads*, which measures as if it were alone, and the others *follow*, which run as many calls as it does
//! at the same time.
//!
//! All of them run the benchmark's own code from its beginning, so that each makes its inputs itself. What a batch took is what the slowest took.
//! Nobody waits for a thread that is gone: who follows is sent off when the leader ends, and a leader that finds a follower gone stops.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::bencher::{Batch, Calls};

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
pub(crate) struct Crew {
    followers: Vec<Follower>,
    start: Arc<Start>,
}

#[derive(Debug)]
struct Follower {
    orders: Sender<Calls>,
    batches: Receiver<Batch>,
}

/// The leader, as a follower has it.
#[derive(Debug)]
pub(crate) struct Place {
    orders: Receiver<Calls>,
    batches: Sender<Batch>,
    start: Arc<Start>,
}

/// Where all meet before they start the clock.
#[derive(Debug, Default)]
struct Start {
    arrived: AtomicUsize,
    is_called_off: AtomicBool,
}

impl Start {
    /// Waits until so many have come in all.
    fn meet(&self, all: usize) {
        self.arrived.fetch_add(1, Ordering::AcqRel);
        let mut turns = 0_u32;
        while self.arrived.load(Ordering::Acquire) < all && !self.is_called_off.load(Ordering::Acquire) {
            spin_loop();
            turns += 1;
            // There may be more threads than processors.
            if turns.is_multiple_of(1_000) {
                thread::yield_now();
            }
        }
    }
}

impl Crew {
    /// The leader's batch, and at the same time one of each follower.
    ///
    /// # Panics
    /// If a follower is gone: its own panic is what is told of.
    pub(crate) fn run(&self, calls: Calls, batch: &mut dyn FnMut(Calls) -> Batch) -> Batch {
        let gone = "a thread of the benchmark has ended";
        self.start.arrived.store(0, Ordering::Release);
        for follower in &self.followers {
            follower.orders.send(calls).expect(gone);
        }
        self.start.meet(self.followers.len() + 1);
        let mut slowest = batch(calls);
        for follower in &self.followers {
            let other = follower.batches.recv().expect(gone);
            if other.refusal.is_some() || other.ticks > slowest.ticks && slowest.refusal.is_none() {
                slowest = other;
            }
        }
        slowest
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.start.is_called_off.store(true, Ordering::Release);
    }
}

/// Orders may have come that nobody will read any more.
impl Drop for Place {
    fn drop(&mut self) {
        self.start.is_called_off.store(true, Ordering::Release);
    }
}

impl Place {
    /// Runs what the leader runs, until that ends.
    pub(crate) fn follow(&self, threads: usize, batch: &mut dyn FnMut(Calls) -> Batch) {
        while let Ok(calls) = self.orders.recv() {
            self.start.meet(threads);
            let batch = batch(calls);
            if self.batches.send(batch).is_err() {
                break;
            }
        }
    }
}

/// Runs `code` on this thread, which leads, and on as many others as make up `threads`.
pub(crate) fn run_together<R>(threads: usize, code: &(dyn Fn(Role) -> R + Sync)) -> R {
    let start = Arc::new(Start::default());
    let (mut followers, mut places) = (Vec::new(), Vec::new());
    for _ in 1..threads {
        let (orders, ordered) = channel();
        let (sent, batches) = channel();
        followers.push(Follower { orders, batches });
        places.push(Place { orders: ordered, batches: sent, start: Arc::clone(&start) });
    }
    let crew = Crew { followers, start };
    thread::scope(|scope| {
        let others: Vec<_> =
            places.into_iter().map(|place| scope.spawn(move || drop(code(Role::Follows(place))))).collect();
        let led = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| code(Role::Leads(crew))));
        // A follower's panic is the reason for the leader's.
        let panics = others.into_iter().filter_map(|other| other.join().err());
        if let Some(panic) = panics.into_iter().next() {
            resume_unwind(panic);
        }
        led.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::bencher::Bencher;
    use crate::measure::{Measurement, Plan};
    use crate::own_thread::{self, Ended};

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
}
