//! What sharing results means while nothing goes wrong.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use perf_runtime::cache::remote::{Codec, Kind, Shared};
use perf_runtime::cache::{KeepOkShareErr, KeepSome};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::server::Server;
use super::subject::{Subject, block_on, instance, leak};

pub(crate) fn a_result_is_computed_once(kind: Kind) {
    let server = Server::start(kind);
    let (one, other) = (Subject::new(kind, server.address()), Subject::new(kind, server.address()));
    for subject in [&one, &one, &other] {
        subject.call(&("a", 1));
        subject.call(&("a", 2));
    }
    block_on(async {
        other.call_async(&("a", 2)).await;
        other.call_async(&("a", 3)).await;
        other.call_async(&("a", 3)).await;
    });
    assert_eq!((one.runs(), other.runs()), (2, 1));
    let (one, other) = (one.stats(), other.stats());
    assert_eq!((one.hits, one.misses, one.stores), (2, 2, 2));
    assert_eq!((other.hits, other.misses, other.stores), (4, 1, 1));
    assert_eq!((other.errors, other.timeouts, other.foreign, other.corrupt), (0, 0, 0, 0));
}

pub(crate) fn keys_may_be_long_or_binary(kind: Kind) {
    let server = Server::start(kind);
    let subject = Subject::new(kind, server.address());
    let keys = [
        String::new(),
        "x".repeat(100_000),
        format!("{}y", "x".repeat(100_000)),
        "a b\r\nset c 0 0 1\r\nx\r\n".into(),
        "\0\u{1}\u{7f}é\u{10ffff}%00#".into(),
        "%00".into(),
    ];
    for _ in 0..2 {
        for key in &keys {
            subject.call(key);
        }
    }
    assert_eq!(subject.runs() as usize, keys.len());
    assert_eq!(subject.stats().errors, 0);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Old {
    name: String,
    size: u32,
}

/// Two programs that know a function of the same name, with other types.
pub(crate) fn other_types_do_not_meet(kind: Kind) {
    fn call<T>(shared: Shared, value: &T) -> bool
    where
        T: Clone + PartialEq + Send + Sync + Serialize + DeserializeOwned + std::fmt::Debug + 'static,
    {
        let shared = leak(shared);
        let result = shared.get_or_run(instance(), &1, || value.clone(), perf_runtime::cache::KeepAny);
        assert_eq!(result, *value);
        shared.stats().hits == 1
    }
    let server = Server::start(kind);
    let shared = || Shared::new(kind, "app::load").address(server.address());
    let old = Old { name: "n".into(), size: 7 };
    assert!(!call(shared(), &old));
    assert!(!call(shared(), &5_u64));
    assert!(!call(shared(), &5_i64));
    assert!(!call(shared(), &String::from("five")));
    assert!(!call(shared().codec(Codec::Json), &old));
    assert!(!call(shared().version(1), &old));
    // None of them took the place of another.
    assert!(call(shared(), &old));
    assert!(call(shared(), &5_u64));
    assert!(call(shared().codec(Codec::Json), &old));
    assert!(call(shared().version(1), &old));
}

pub(crate) fn errors_are_not_kept(kind: Kind) {
    let server = Server::start(kind);
    let shared = leak(Shared::new(kind, "tests::errors").address(server.address()));
    let runs = AtomicU32::new(0);
    let run = |result: Result<u32, String>| {
        shared.get_or_run(
            instance(),
            &1,
            || {
                runs.fetch_add(1, Ordering::Relaxed);
                result
            },
            KeepOkShareErr,
        )
    };
    // The lease is given back at once: nobody waits for it.
    for _ in 0..3 {
        assert_eq!(run(Err("no".into())), Err("no".into()));
    }
    assert_eq!(run(Ok(1)), Ok(1));
    assert_eq!(run(Ok(2)), Ok(1));
    assert_eq!((runs.load(Ordering::Relaxed), shared.stats().lease_waits), (4, 0));
    block_on(async {
        let run =
            |option: Option<u32>| shared.get_or_run_async(instance(), &2, async move { option }, KeepSome);
        assert_eq!(run(None).await, None);
        assert_eq!(run(Some(4)).await, Some(4));
        assert_eq!(run(None).await, Some(4));
    });
}

pub(crate) fn results_expire_in_time(kind: Kind) {
    let server = Server::start(kind);
    let ttl = Duration::from_millis(300);
    let subject = Subject::of(Shared::new(kind, "tests::short").address(server.address()).ttl(ttl));
    subject.call("k");
    sleep(ttl);
    subject.call("k");
    assert_eq!(subject.runs(), 2);
    assert_eq!(subject.stats().lease_waits, 0);
}

pub(crate) fn results_may_be_kept_for_months(kind: Kind) {
    let server = Server::start(kind);
    for (days, name) in [(30, "tests::month"), (31, "tests::longer"), (365 * 200, "tests::ages")] {
        let ttl = Duration::from_secs(60 * 60 * 24 * days);
        let subject = Subject::of(Shared::new(kind, name).address(server.address()).ttl(ttl));
        subject.call("k");
        subject.call("k");
        assert_eq!(subject.runs(), 1, "{days} days");
    }
}

pub(crate) fn results_are_invalidated_and_cleared(kind: Kind) {
    let server = Server::start(kind);
    let (one, other) = (Subject::new(kind, server.address()), Subject::new(kind, server.address()));
    one.call("a");
    one.call("b");
    assert!(other.invalidate("a"));
    assert!(!other.invalidate("a"));
    one.call("a");
    one.call("b");
    assert_eq!(one.runs(), 3);
    assert!(other.shared.clear());
    other.call("a");
    assert_eq!(other.runs(), 1);
    // Others notice when they look again.
    sleep(Duration::from_millis(250));
    one.call("b");
    one.call("a");
    assert_eq!(one.runs(), 4);
}

/// What is invalidated while it is being computed is not stored.
pub(crate) fn invalidation_reaches_what_is_being_computed(kind: Kind) {
    let server = Server::start(kind);
    let subject = Subject::new(kind, server.address());
    let result = subject.shared.get_or_run(
        instance(),
        "k",
        || {
            subject.invalidate("k");
            String::from("old")
        },
        perf_runtime::cache::KeepAny,
    );
    assert_eq!((result.as_str(), subject.stats().stores), ("old", 0));
    subject.call("k");
    assert_eq!(subject.runs(), 1);
}

/// What cannot be serialized, or is too large for the server, is the body's result all the same.
pub(crate) fn a_function_that_cannot_be_shared_runs(kind: Kind) {
    struct Unfit;
    impl Serialize for Unfit {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("never"))
        }
    }
    let server = Server::start(kind);
    let shared = leak(Shared::new(kind, "tests::unfit").address(server.address()));
    for _ in 0..2 {
        let result = shared.get_or_run(instance(), &Unfit, || 5, perf_runtime::cache::KeepAny);
        assert_eq!(result, 5);
    }
    assert_eq!((shared.stats().unencodable, shared.stats().hits), (2, 0));
}

/// Many threads, many runtimes, more futures than connections.
pub(crate) fn any_thread_and_runtime_may_ask(kind: Kind) {
    let server = Server::start(kind);
    let subject = Subject::new(kind, server.address());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let subject = &subject;
            scope.spawn(move || {
                for key in 0..50 {
                    subject.call(&(key % 10));
                    if key % 10 == thread {
                        block_on(async { subject.call_async(&key).await });
                    }
                }
            });
        }
    });
    block_on(async {
        let mut futures: Vec<_> =
            (0..300).map(|key| Box::pin(subject.call_async(&*Box::leak(Box::new(key % 20))))).collect();
        let mut left = futures.len();
        std::future::poll_fn(|context| {
            futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
            left = futures.len();
            if left == 0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    });
    assert_eq!(subject.stats().foreign + subject.stats().corrupt, 0);
}

/// A future that is polled outside of a runtime gives the body's result.
pub(crate) fn without_a_runtime_the_body_runs(kind: Kind) {
    let server = Server::start(kind);
    let subject = Subject::new(kind, server.address());
    let future = std::pin::pin!(subject.call_async("k"));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.poll(&mut context).is_ready());
    assert_eq!((subject.runs(), subject.stats().errors), (1, 1));
    // One without time, and without network.
    let bare = tokio::runtime::Builder::new_current_thread().build().unwrap();
    bare.block_on(async { subject.call_async("k").await });
    assert_eq!((subject.runs(), subject.stats().errors), (2, 2));
}
