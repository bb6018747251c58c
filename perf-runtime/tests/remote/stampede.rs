//! Many who miss one key: one of them computes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use perf_runtime::cache::KeepAny;
use perf_runtime::cache::remote::{Kind, Shared, remote};

use super::server::Server;
use super::subject::{Subject, block_on, instance};

const ADDRESS: &str = "PERFKIT_TESTS_ADDRESS";
const START: &str = "PERFKIT_TESTS_START";

/// Eight processes: this test binary, told to run `child`.
pub(crate) fn eight_processes_run_the_body_once(kind: Kind, child: &str) {
    let server = Server::start(kind);
    let start = SystemTime::now() + Duration::from_secs(2);
    let start = start.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().to_string();
    let spawn = |_| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", child])
            .envs([(ADDRESS, server.address()), (START, &start)])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..8).map(spawn).collect();
    let mut output = String::new();
    for child in children {
        let ended = child.wait_with_output().unwrap();
        output += &String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success(), "{output}");
    }
    assert_eq!(output.matches("the result is 42").count(), 8, "{output}");
    assert_eq!(output.matches("the body runs").count(), 1, "{output}");
}

/// What each of them does.
pub(crate) fn child(kind: Kind) {
    let Ok(address) = std::env::var(ADDRESS) else { return };
    let start = Duration::from_millis(std::env::var(START).unwrap().parse().unwrap());
    remote()
        .deadline(Duration::from_secs(10))
        .lease(Duration::from_secs(60))
        .wait(Duration::from_secs(60))
        .install();
    let shared: &Shared = Box::leak(Box::new(Shared::new(kind, "tests::stampede").address(address.leak())));
    sleep(start.saturating_sub(SystemTime::UNIX_EPOCH.elapsed().unwrap()));
    let body = || {
        println!("the body runs");
        sleep(Duration::from_millis(300));
        42
    };
    let result = if std::process::id().is_multiple_of(2) {
        shared.get_or_run(instance(), &1, body, KeepAny)
    } else {
        block_on(shared.get_or_run_async(instance(), &1, async { body() }, KeepAny))
    };
    println!("the result is {result}");
}

/// A body that panics, and a future that is dropped: the next one need not wait for the lease to run out.
pub(crate) fn a_lease_is_given_back(kind: Kind) {
    let server = Server::start(kind);
    let subject = Subject::new(kind, server.address());
    let start = Instant::now();
    let panics = AssertUnwindSafe(|| {
        subject.shared.get_or_run(instance(), "a", || -> String { panic!("as it should") }, KeepAny)
    });
    assert!(catch_unwind(panics).is_err());
    subject.call("a");
    block_on(async {
        let never = std::future::pending::<String>();
        let call = subject.shared.get_or_run_async(instance(), "b", never, KeepAny);
        assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
        // What gives it back runs when it can.
        tokio::time::sleep(Duration::from_millis(50)).await;
        subject.call_async("b").await;
    });
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", subject.stats());
    assert_eq!((subject.runs(), subject.stats().lease_waits), (2, 0), "{:?}", subject.stats());
}

/// Somebody died while it computed: others compute when they have waited enough.
pub(crate) fn nobody_waits_for_ever(kind: Kind) {
    let server = Server::start(kind);
    let subject = Subject::new(kind, server.address());
    let runs = AtomicU32::new(0);
    block_on(async {
        let never = std::future::pending::<String>();
        let dead = subject.shared.get_or_run_async(instance(), "k", never, KeepAny);
        let mut dead = std::pin::pin!(dead);
        assert!(tokio::time::timeout(Duration::from_millis(200), dead.as_mut()).await.is_err());
        // It has the lease as long as it is there.
        let start = Instant::now();
        let body = || {
            runs.fetch_add(1, Ordering::Relaxed);
            String::from("\"k\"")
        };
        assert_eq!(subject.shared.get_or_run(instance(), "k", body, KeepAny), "\"k\"");
        assert!(start.elapsed() > Duration::from_secs(3), "{:?}", start.elapsed());
    });
    subject.call("k");
    let stats = subject.stats();
    assert_eq!((runs.load(Ordering::Relaxed), subject.runs(), stats.lease_waits), (1, 0, 1), "{stats:?}");
}

/// Threads of one process, too.
pub(crate) fn threads_wait_for_each_other(kind: Kind) {
    let server = Server::start(kind);
    let subject = Subject::new(kind, server.address());
    let runs = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let body = || {
                    runs.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(300));
                    String::from("x")
                };
                assert_eq!(subject.shared.get_or_run(instance(), "k", body, KeepAny), "x");
            });
        }
    });
    let stats = subject.stats();
    assert_eq!(runs.load(Ordering::Relaxed), 1, "{stats:?}");
    assert_eq!((stats.lease_waits, stats.lease_hits), (3, 3), "{stats:?}");
}
