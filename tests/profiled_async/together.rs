//! Futures that are polled in turns with others: joined, in streams, as tasks of one thread, shared.

use futures::FutureExt as _;

use super::{FuturesUnordered, callers, edges, ends, function, one_thread, profiled, stream, yields};

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
