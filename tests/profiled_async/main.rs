//! `#[profiled]` on futures as programs run them: by tokio on one thread and on several, by smol, by hand; raced, joined, given up, moved.
//!
//! Every test has functions of its own, so that all run at once in one process and still count exactly. How often a future is polled is asserted only
//! where it decides that itself. No assertion is about how long anything took, but that a time between polls is in one figure and not in the other.

mod together;
mod unfinished;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::stream::{self, FuturesUnordered};
use perfkit::{FunctionRow, FutureRow, profiled};
use tokio::runtime::{Builder, Runtime};

#[track_caller]
fn function(name: &str) -> FunctionRow {
    let rows = perfkit::report().functions;
    rows.into_iter().find(|row| row.name.ends_with(name)).unwrap_or_else(|| panic!("no {name}"))
}

#[track_caller]
fn future(name: &str) -> FutureRow {
    let rows = perfkit::report().futures;
    rows.into_iter().find(|row| row.name.ends_with(name)).unwrap_or_else(|| panic!("no future {name}"))
}

/// Started, completed, dropped, polls; what ended is a call, and what started and did not is in flight.
#[track_caller]
fn ends(name: &str) -> [u64; 4] {
    let (function, future) = (function(name), future(name));
    assert_eq!(function.calls + function.in_flight, future.started, "{function:?} {future:?}");
    assert_eq!(function.in_flight, future.started - future.completed - future.dropped - function.panics);
    [future.started, future.completed, future.dropped, future.polls]
}

/// Whether a function was ever entered.
fn is_known(name: &str) -> bool {
    perfkit::report().functions.iter().any(|row| row.name.ends_with(name))
}

/// By whom it was called and how often, by name.
fn callers(name: &str) -> Vec<(String, u64)> {
    let mut edges: Vec<_> = perfkit::report()
        .callers(name)
        .into_iter()
        .filter(|edge| edge.callee.name.ends_with(name))
        .map(|edge| (edge.caller.name.rsplit("::").next().unwrap_or_default().to_owned(), edge.calls))
        .collect();
    edges.sort();
    edges
}

fn edges(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|&(name, calls)| (name.to_owned(), calls)).collect()
}

/// Pending `times` times, and awake again at once.
async fn yields(times: u32) {
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn threads(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_time().build().unwrap()
}

/// A function that awaits one that awaits one that calls one, for whatever runs them.
macro_rules! three_deep {
    ($module:ident) => {
        mod $module {
            use super::{profiled, yields};

            #[profiled]
            pub(super) async fn outer(inners: u32) -> u32 {
                let mut sum = 0;
                for n in 0..inners {
                    sum += inner(n).await;
                    yields(1).await;
                }
                sum
            }

            #[profiled]
            pub(super) async fn inner(n: u32) -> u32 {
                let before = leaf();
                yields(2).await;
                before + leaf() + n
            }

            #[profiled]
            pub(super) fn leaf() -> u32 {
                std::hint::black_box(0)
            }

            /// After `outers` calls, each with three inner ones.
            #[track_caller]
            pub(super) fn check(outers: u64) {
                let name = |name: &str| format!("{}::{name}", module_path!());
                assert_eq!(super::ends(&name("outer")), [outers, outers, 0, outers * 10]);
                assert_eq!(super::ends(&name("inner")), [outers * 3, outers * 3, 0, outers * 9]);
                assert_eq!(super::function(&name("leaf")).calls, outers * 6);
                assert_eq!(super::callers(&name("outer")), []);
                assert_eq!(super::callers(&name("inner")), super::edges(&[("outer", outers * 3)]));
                assert_eq!(super::callers(&name("leaf")), super::edges(&[("inner", outers * 6)]));
            }
        }
    };
}

three_deep!(on_one_thread);
three_deep!(on_threads);
three_deep!(as_local_tasks);
three_deep!(on_smol);
three_deep!(on_smol_threads);
three_deep!(by_hand);

#[test]
fn tokio_on_one_thread() {
    one_thread().block_on(async {
        let tasks: Vec<_> = (0..5).map(|_| tokio::spawn(on_one_thread::outer(3))).collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 3);
        }
    });
    on_one_thread::check(5);
}

#[test]
fn tokio_on_threads() {
    threads(4).block_on(async {
        let tasks: Vec<_> = (0..100).map(|_| tokio::spawn(on_threads::outer(3))).collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 3);
        }
    });
    on_threads::check(100);
}

#[test]
fn tokio_s_local_tasks() {
    let tasks = tokio::task::LocalSet::new();
    one_thread().block_on(tasks.run_until(async {
        let first = tokio::task::spawn_local(as_local_tasks::outer(3));
        let second = tokio::task::spawn_local(as_local_tasks::outer(3));
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (3, 3));
    }));
    as_local_tasks::check(2);
}

#[test]
fn smol_on_one_thread() {
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let tasks: Vec<_> = (0..5).map(|_| executor.spawn(on_smol::outer(3))).collect();
        for task in tasks {
            assert_eq!(task.await, 3);
        }
    }));
    on_smol::check(5);
}

#[test]
fn smol_on_threads() {
    let executor = smol::Executor::new();
    let (stop, stopped) = smol::channel::bounded::<()>(1);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| smol::block_on(executor.run(stopped.recv())));
        }
        smol::block_on(async {
            let tasks: Vec<_> = (0..100).map(|_| executor.spawn(on_smol_threads::outer(3))).collect();
            for task in tasks {
                assert_eq!(task.await, 3);
            }
        });
        drop(stop);
    });
    on_smol_threads::check(100);
}

#[test]
fn polled_by_hand_in_turns() {
    let mut futures: Vec<_> = (0..3).map(|_| Box::pin(by_hand::outer(3))).collect();
    for _ in 0..9 {
        assert!(futures.iter_mut().all(|future| poll(future.as_mut()).is_pending()));
    }
    assert!(futures.iter_mut().all(|future| poll(future.as_mut()) == Poll::Ready(3)));
    by_hand::check(3);
}

mod moved {
    use super::{profiled, thread, yields};

    #[profiled]
    pub(super) async fn traveller() -> bool {
        let begun = thread::current().id();
        companion().await;
        begun != thread::current().id()
    }

    #[profiled]
    async fn companion() {
        luggage();
        yields(1).await;
        luggage();
        yields(1).await;
        luggage();
    }

    #[profiled]
    fn luggage() {}

    #[profiled]
    pub(super) async fn passenger() -> bool {
        seat(1).await;
        let begun = thread::current().id();
        // The one worker is taken over by another thread, which this waits for; so who goes on after the next `.await` is that one.
        tokio::task::block_in_place(|| {
            let (here, arrived) = super::mpsc::channel();
            tokio::spawn(async move { here.send(()).unwrap() });
            arrived.recv().unwrap();
        });
        seat(2).await;
        begun != thread::current().id()
    }

    #[profiled]
    async fn seat(n: u32) {
        yields(n).await;
        legroom();
    }

    #[profiled]
    fn legroom() {}

    #[profiled]
    pub(super) async fn emigrant() -> bool {
        let begun = thread::current().id();
        tokio::task::yield_now().await;
        smol::future::yield_now().await;
        begun != thread::current().id()
    }
}

/// Each poll is on a thread of its own: it is one call, and so is that of the future inside, below it.
#[test]
fn a_future_moves_between_threads() {
    let mut future = Box::pin(moved::traveller());
    for _ in 0..2 {
        future = thread::spawn(move || {
            assert!(poll(future.as_mut()).is_pending());
            future
        })
        .join()
        .unwrap();
    }
    assert_eq!(function("moved::companion").in_flight, 1);
    assert_eq!(poll(future.as_mut()), Poll::Ready(true));
    drop(future);
    assert_eq!(ends("moved::traveller"), [1, 1, 0, 3]);
    assert_eq!(ends("moved::companion"), [1, 1, 0, 3]);
    assert_eq!(callers("moved::companion"), edges(&[("traveller", 1)]));
    assert_eq!(callers("moved::luggage"), edges(&[("companion", 3)]));
}

#[test]
fn a_task_moves_between_tokio_s_threads() {
    let moves = threads(1).block_on(async { tokio::spawn(moved::passenger()).await.unwrap() });
    assert!(moves);
    assert_eq!(ends("moved::passenger"), [1, 1, 0, 4]);
    assert_eq!(ends("moved::seat"), [2, 2, 0, 5]);
    assert_eq!(callers("moved::seat"), edges(&[("passenger", 2)]));
    assert_eq!(callers("moved::legroom"), edges(&[("seat", 2)]));
}

#[test]
fn a_future_moves_from_tokio_to_smol() {
    let mut future = Box::pin(moved::emigrant());
    one_thread().block_on(async {
        assert!(poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await);
    });
    assert!(thread::spawn(|| smol::block_on(future)).join().unwrap());
    assert_eq!(ends("moved::emigrant"), [1, 1, 0, 3]);
}

mod timed {
    use super::{Duration, Instant, profiled, yields};

    #[profiled]
    pub(super) async fn waits() {
        yields(2).await;
    }

    #[profiled]
    pub(super) async fn works(each: Duration) {
        for _ in 0..3 {
            let start = Instant::now();
            while start.elapsed() < each {
                std::hint::spin_loop();
            }
            yields(1).await;
        }
    }
}

/// Half of what is slept or worked is left for clocks that differ.
#[test]
fn waiting_is_wall_and_working_is_busy() {
    let pause = Duration::from_millis(20);
    let mut future_that_waits = pin!(timed::waits());
    for _ in 0..2 {
        assert!(poll(future_that_waits.as_mut()).is_pending());
        thread::sleep(pause);
    }
    assert!(poll(future_that_waits.as_mut()).is_ready());
    let row = future("timed::waits");
    assert!(row.wall.max >= row.busy + pause, "{row:?}");
    assert_eq!(ends("timed::waits"), [1, 1, 0, 3]);

    let mut future_that_works = pin!(timed::works(pause));
    for _ in 0..3 {
        assert!(poll(future_that_works.as_mut()).is_pending());
    }
    // Busy and not over: it has no wall yet.
    let row = future("timed::works");
    assert!(row.busy >= pause * 3 / 2, "{row:?}");
    assert_eq!((row.completed, row.wall.max), (0, Duration::ZERO));
    assert!(poll(future_that_works.as_mut()).is_ready());
    let (function, row) = (function("timed::works"), future("timed::works"));
    assert!(row.wall.max >= pause * 3 / 2 && function.latency.max >= pause * 3 / 2, "{function:?} {row:?}");
    assert_eq!(ends("timed::works"), [1, 1, 0, 4]);
}
