//! Futures that do not come to their end: losers of a race, given up, ended by a panic.

use super::{
    AssertUnwindSafe, Duration, callers, catch_unwind, edges, ends, function, is_known, one_thread, poll,
    profiled, thread, yields,
};

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
