//! `#[profiled]` on futures as programs run them: by tokio on one thread and on several, by smol, by hand; raced, joined, given up, moved.
//!
//! Every test has functions of its own, so that all run at once in one process and still count exactly. How often a future is polled is asserted only
//! where it decides that itself. No assertion is about how long anything took, but that a time between polls is in one figure and not in the other.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
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

mod raced {
    use super::{profiled, yields};

    #[profiled]
    pub(super) async fn race() -> u32 {
        tokio::select! {
            biased;
            n = slow(5) => n,
            n = quick() => n,
            n = too_late() => n,
        }
    }

    #[profiled]
    async fn quick() -> u32 {
        yields(1).await;
        1
    }

    #[profiled]
    async fn slow(n: u32) -> u32 {
        yields(n).await;
        deep().await
    }

    #[profiled]
    async fn deep() -> u32 {
        2
    }

    #[profiled]
    async fn too_late() -> u32 {
        nested().await
    }

    #[profiled]
    async fn nested() -> u32 {
        std::future::pending().await
    }
}

/// The ones that lose are dropped where they stand, with all that they awaited, and are no longer in flight.
#[test]
fn select_drops_the_losers() {
    one_thread().block_on(async {
        assert_eq!(tokio::spawn(raced::race()).await.unwrap(), 1);
    });
    assert_eq!(ends("raced::race"), [1, 1, 0, 2]);
    assert_eq!(ends("raced::quick"), [1, 1, 0, 2]);
    assert_eq!(ends("raced::slow"), [1, 0, 1, 2]);
    // Its branch stands behind the one that won.
    assert_eq!(ends("raced::too_late"), [1, 0, 1, 1]);
    assert_eq!(ends("raced::nested"), [1, 0, 1, 1]);
    assert!(!is_known("raced::deep"));
    assert_eq!(callers("raced::slow"), edges(&[("race", 1)]));
    assert_eq!(callers("raced::nested"), edges(&[("too_late", 1)]));
}

#[test]
fn select_leaves_what_it_did_not_get_to() {
    mod calm {
        use super::profiled;

        #[profiled]
        pub(super) async fn first() -> u32 {
            1
        }

        #[profiled]
        pub(super) async fn second() -> u32 {
            2
        }
    }
    let winner = async {
        tokio::select! {
            biased;
            n = calm::first() => n,
            n = calm::second() => n,
        }
    };
    assert_eq!(one_thread().block_on(winner), 1);
    assert_eq!(ends("calm::first"), [1, 1, 0, 1]);
    assert!(!is_known("calm::second"));
}

mod given_up {
    use super::profiled;

    #[profiled]
    pub(super) async fn by_timeout() {
        for_ever_after_timeout().await;
    }

    #[profiled]
    async fn for_ever_after_timeout() {
        std::future::pending::<()>().await;
    }

    #[profiled]
    pub(super) async fn by_abort() {
        std::future::pending::<()>().await;
    }

    #[profiled]
    pub(super) async fn by_runtime() {
        std::future::pending::<()>().await;
    }

    #[profiled]
    pub(super) async fn by_smol() {
        std::future::pending::<()>().await;
    }

    #[profiled]
    pub(super) async fn by_race() -> u32 {
        std::future::pending().await
    }

    #[profiled]
    pub(super) async fn by_hand() {
        std::future::pending::<()>().await;
    }
}

#[test]
fn what_is_given_up_is_dropped_once() {
    one_thread().block_on(async {
        tokio::time::timeout(Duration::from_millis(1), given_up::by_timeout()).await.unwrap_err();
        let task = tokio::spawn(given_up::by_abort());
        tokio::task::yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        // Lives until the runtime ends.
        drop(tokio::spawn(given_up::by_runtime()));
        tokio::task::yield_now().await;
        assert_eq!(function("given_up::by_runtime").in_flight, 1);
    });
    for name in ["by_abort", "by_runtime"] {
        assert_eq!(ends(&format!("given_up::{name}")), [1, 0, 1, 1], "{name}");
    }
    // How often a timeout polls is for tokio to say.
    for name in ["by_timeout", "for_ever_after_timeout"] {
        assert_eq!(ends(&format!("given_up::{name}"))[..3], [1, 0, 1], "{name}");
    }
    assert_eq!(callers("for_ever_after_timeout"), edges(&[("by_timeout", 1)]));

    smol::block_on(async {
        let executor = smol::LocalExecutor::new();
        let task = executor.spawn(given_up::by_smol());
        assert!(executor.try_tick());
        assert_eq!(executor.run(task.cancel()).await, None);
        assert_eq!(smol::future::or(given_up::by_race(), async { 7 }).await, 7);
    });
    assert_eq!(ends("given_up::by_smol"), [1, 0, 1, 1]);
    assert_eq!(ends("given_up::by_race"), [1, 0, 1, 1]);

    drop(given_up::by_hand());
    assert!(!is_known("given_up::by_hand"), "it never began");
    let mut pinned = Box::pin(given_up::by_hand());
    assert!(poll(pinned.as_mut()).is_pending());
    // On another thread than where it was polled.
    thread::spawn(move || drop(pinned)).join().unwrap();
    assert_eq!(ends("given_up::by_hand"), [1, 0, 1, 1]);
}

mod joined {
    use futures::StreamExt as _;

    use super::{FuturesUnordered, profiled, yields};

    #[profiled]
    pub(super) async fn by_tokio() -> (u32, u32) {
        tokio::join!(part(1), part(3))
    }

    #[profiled]
    pub(super) async fn by_futures() -> (u32, u32) {
        futures::join!(part(1), part(3))
    }

    #[profiled]
    pub(super) async fn try_both() -> Result<(u32, u32), u32> {
        tokio::try_join!(fails(), never_ends())
    }

    #[profiled]
    async fn fails() -> Result<u32, u32> {
        yields(1).await;
        Err(1)
    }

    #[profiled]
    async fn never_ends() -> Result<u32, u32> {
        std::future::pending().await
    }

    #[profiled]
    async fn part(n: u32) -> u32 {
        yields(n).await;
        piece();
        n
    }

    #[profiled]
    fn piece() {}

    #[profiled]
    pub(super) async fn each_by_its_own_waker() -> u32 {
        let parts: FuturesUnordered<_> = (0..10).map(woken).collect();
        parts.fold(0, async |sum, n| sum + n).await
    }

    #[profiled]
    async fn woken(n: u32) -> u32 {
        yields(n).await;
        n
    }
}

#[test]
fn join_keeps_the_parent_of_each() {
    one_thread().block_on(async {
        assert_eq!(tokio::spawn(joined::by_tokio()).await.unwrap(), (1, 3));
        assert_eq!(tokio::spawn(joined::by_futures()).await.unwrap(), (1, 3));
        assert_eq!(tokio::spawn(joined::try_both()).await.unwrap(), Err(1));
        assert_eq!(tokio::spawn(joined::each_by_its_own_waker()).await.unwrap(), 45);
    });
    assert_eq!(ends("joined::by_tokio"), [1, 1, 0, 4]);
    assert_eq!(ends("joined::by_futures"), [1, 1, 0, 4]);
    // Twice one that is pending once, and one that is three times.
    assert_eq!(ends("joined::part"), [4, 4, 0, 12]);
    assert_eq!(callers("joined::part"), edges(&[("by_futures", 2), ("by_tokio", 2)]));
    assert_eq!(callers("joined::piece"), edges(&[("part", 4)]));

    assert_eq!(ends("joined::try_both"), [1, 1, 0, 2]);
    assert_eq!(ends("joined::fails"), [1, 1, 0, 2]);
    assert_eq!(ends("joined::never_ends"), [1, 0, 1, 2]);
    let errors = ["try_both", "fails", "never_ends"].map(|name| function(&format!("joined::{name}")).errors);
    assert_eq!(errors, [1, 1, 0]);

    assert_eq!(ends("joined::woken"), [10, 10, 0, 10 + 45]);
    assert_eq!(callers("joined::woken"), edges(&[("each_by_its_own_waker", 10)]));
}

mod streamed {
    use std::pin::pin;

    use futures::{Stream, StreamExt as _};

    use super::{profiled, stream, yields};

    #[profiled]
    pub(super) async fn sum(numbers: impl Stream<Item = u32>) -> u32 {
        let mut numbers = pin!(numbers);
        let mut sum = 0;
        while let Some(n) = numbers.next().await {
            sum = add(sum, n);
        }
        sum
    }

    #[profiled]
    fn add(a: u32, b: u32) -> u32 {
        a + b
    }

    /// A stream whose items are made by a profiled function, while another awaits them.
    pub(super) fn numbers(count: u32) -> impl Stream<Item = u32> {
        stream::unfold(0, move |n| async move { if n < count { Some((item(n).await, n + 1)) } else { None } })
    }

    #[profiled]
    async fn item(n: u32) -> u32 {
        yields(1).await;
        n
    }

    #[profiled]
    pub(super) async fn four_at_once(count: u32) -> u32 {
        stream::iter(0..count)
            .map(buffered)
            .buffer_unordered(4)
            .map(|n| n * 2)
            .fold(0, async |a, b| a + b)
            .await
    }

    #[profiled]
    async fn buffered(n: u32) -> u32 {
        yields(n % 3).await;
        n
    }

    #[profiled]
    pub(super) async fn takes_two() -> Vec<u32> {
        stream::iter(0..10).map(abandoned).buffered(4).take(2).collect().await
    }

    #[profiled]
    async fn abandoned(n: u32) -> u32 {
        yields(n).await;
        n
    }
}

#[test]
fn items_of_a_stream_are_called_by_who_awaits_them() {
    assert_eq!(one_thread().block_on(streamed::sum(streamed::numbers(8))), 28);
    assert_eq!(ends("streamed::sum"), [1, 1, 0, 9]);
    assert_eq!(ends("streamed::item"), [8, 8, 0, 16]);
    assert_eq!(function("streamed::add").calls, 8);
    assert_eq!(callers("streamed::item"), edges(&[("sum", 8)]));
    assert_eq!(callers("streamed::add"), edges(&[("sum", 8)]));

    assert_eq!(smol::block_on(streamed::four_at_once(30)), 870);
    assert_eq!(ends("streamed::buffered"), [30, 30, 0, 60]);
    assert_eq!(callers("streamed::buffered"), edges(&[("four_at_once", 30)]));

    assert_eq!(smol::block_on(streamed::takes_two()), [0, 1]);
    let [started, completed, dropped, _] = ends("streamed::abandoned");
    assert!(
        completed >= 2 && dropped >= 1 && started == completed + dropped,
        "{started} {completed} {dropped}"
    );
    assert_eq!(callers("streamed::abandoned"), edges(&[("takes_two", started)]));
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

mod panicking {
    use super::{profiled, yields};

    #[profiled]
    pub(super) async fn outside() {
        inside().await;
    }

    #[profiled]
    async fn inside() {
        yields(1).await;
        panic!("as it should");
    }

    #[profiled]
    pub(super) async fn survives() -> bool {
        tokio::spawn(task()).await.is_err()
    }

    #[profiled]
    async fn task() {
        yields(1).await;
        panic!("as it should");
    }
}

#[test]
fn a_panic_in_a_poll_ends_all_that_are_polled() {
    let mut future = Box::pin(panicking::outside());
    assert!(poll(future.as_mut()).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| poll(future.as_mut()))).is_err());
    drop(future);
    for name in ["outside", "inside"] {
        assert_eq!(ends(&format!("panicking::{name}")), [1, 0, 0, 2], "{name}");
        assert_eq!(function(&format!("panicking::{name}")).panics, 1, "{name}");
    }
    assert!(one_thread().block_on(panicking::survives()));
    assert_eq!(function("panicking::survives").panics, 0);
    assert_eq!((function("panicking::task").panics, ends("panicking::task")), (1, [1, 0, 0, 2]));
}

mod interleaved {
    use super::{profiled, yields};

    #[profiled]
    pub(super) async fn left(rounds: u32) {
        for _ in 0..rounds {
            shared().await;
            yields(1).await;
        }
    }

    #[profiled]
    pub(super) async fn right(rounds: u32) {
        for _ in 0..rounds {
            yields(1).await;
            shared().await;
        }
    }

    #[profiled]
    async fn shared() {
        yields(1).await;
        below();
    }

    #[profiled]
    fn below() {}

    /// Runs tasks that have callers of their own, which it is not.
    #[profiled]
    pub(super) fn runs_them(run: impl FnOnce()) {
        run();
    }
}

/// Tasks in turns on one thread: a call is of the task's own function, and not of whoever was polled before.
#[test]
fn tasks_in_turns_do_not_become_each_others_callers() {
    interleaved::runs_them(|| {
        one_thread().block_on(async {
            let left: Vec<_> = (0..3).map(|_| tokio::spawn(interleaved::left(4))).collect();
            let right: Vec<_> = (0..3).map(|_| tokio::spawn(interleaved::right(5))).collect();
            for task in left.into_iter().chain(right) {
                task.await.unwrap();
            }
        });
    });
    assert_eq!(callers("interleaved::shared"), edges(&[("left", 12), ("right", 15)]));
    assert_eq!(callers("interleaved::below"), edges(&[("shared", 27)]));
    // They are polled by the function that runs the executor.
    assert_eq!(callers("interleaved::left"), edges(&[("runs_them", 3)]));
    assert_eq!(function("interleaved::runs_them").in_flight, 0);
}

mod shared_future {
    use super::{profiled, yields};

    #[profiled]
    pub(super) async fn first(work: impl Future<Output = u32>) -> u32 {
        work.await
    }

    #[profiled]
    pub(super) async fn second(work: impl Future<Output = u32>) -> u32 {
        work.await
    }

    #[profiled]
    pub(super) async fn work() -> u32 {
        yields(2).await;
        1
    }
}

/// A future that two others await is one call, of the one that polled it first.
#[test]
fn a_shared_future_is_called_once() {
    let work = shared_future::work().shared();
    let both =
        async { futures::join!(shared_future::first(work.clone()), shared_future::second(work.clone())) };
    assert_eq!(smol::block_on(both), (1, 1));
    drop(work);
    let [started, completed, dropped, _] = ends("shared_future::work");
    assert_eq!([started, completed, dropped], [1, 1, 0]);
    assert_eq!(callers("shared_future::work").iter().map(|(_, calls)| calls).sum::<u64>(), 1);
}
