//! What may go wrong with a server: results stay right, calls end, and the counters tell.

use std::thread::sleep;
use std::time::{Duration, Instant};

use perf_runtime::cache::remote::Kind;

use super::server::{FAKES, Fake, Server, address, fake, free_port};
use super::subject::{Subject, block_on};

/// Much more than all deadlines together, on a machine that does other things, too.
const LONG: Duration = Duration::from_secs(60);

/// Enough calls that a server that fails is left alone.
fn call_many(subject: &Subject) {
    let start = Instant::now();
    for key in 0..200 {
        subject.call(&key);
    }
    block_on(async {
        for key in 200..400 {
            subject.call_async(&key).await;
        }
    });
    assert!(start.elapsed() < LONG, "{:?} for {:?}", start.elapsed(), subject.stats());
}

pub(crate) fn absent_at_start(kind: Kind) {
    let port = free_port();
    let subject = Subject::new(kind, address(kind, port));
    call_many(&subject);
    assert_eq!(subject.runs(), 400);
    let stats = subject.stats();
    assert!(stats.errors + stats.timeouts >= 3 && stats.skipped > 100, "{stats:?}");
    assert_eq!((stats.hits, stats.stores), (0, 0));
}

pub(crate) fn killed_and_restarted(kind: Kind) {
    let mut server = Server::start(kind);
    let subject = Subject::new(kind, server.address());
    call_many(&subject);
    let before = subject.stats();
    assert_eq!((before.stores, before.errors), (400, 0), "{before:?}");
    server.kill();
    call_many(&subject);
    assert!(subject.stats().errors > 0 && subject.stats().skipped > 100, "{:?}", subject.stats());
    server.restart();
    // Longer than it is left alone at most.
    sleep(Duration::from_millis(400));
    call_many(&subject);
    call_many(&subject);
    let after = subject.stats();
    assert!(after.hits >= 400 && after.stores >= 700, "{after:?}");
}

/// The connections that are kept are dead, and the server is there: nobody notices.
pub(crate) fn restarted_between_calls(kind: Kind) {
    let mut server = Server::start(kind);
    let subject = Subject::new(kind, server.address());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    subject.call("a");
    runtime.block_on(async { subject.call_async("b").await });
    server.kill();
    server.restart();
    subject.call("a");
    runtime.block_on(async { subject.call_async("b").await });
    subject.call("b");
    let stats = subject.stats();
    assert_eq!((stats.errors, stats.timeouts, stats.hits, stats.stores), (0, 0, 1, 4), "{stats:?}");
}

pub(crate) fn stopped_for_seconds(kind: Kind) {
    let server = Server::start(kind);
    let subject = Subject::new(kind, server.address());
    subject.call("k");
    server.stop();
    call_many(&subject);
    let stats = subject.stats();
    assert!(stats.timeouts > 0 && stats.skipped > 100, "{stats:?}");
    server.go_on();
    sleep(Duration::from_millis(400));
    let before = subject.runs();
    subject.call("k");
    subject.call("k");
    assert!(subject.runs() <= before + 1 && subject.stats().hits > 0, "{:?}", subject.stats());
}

pub(crate) fn no_server_at_all(kind: Kind) {
    for fake in FAKES {
        let subject = Subject::new(kind, self::fake(kind, fake));
        call_many(&subject);
        let stats = subject.stats();
        assert_eq!((subject.runs(), stats.hits), (400, 0), "{fake:?}: {stats:?}");
        let told = stats.errors + stats.timeouts + stats.foreign + stats.corrupt;
        assert!(told > 0, "{fake:?}: {stats:?}");
        if !matches!(fake, Fake::Eager) {
            assert!(stats.skipped > 100, "{fake:?}: {stats:?}");
        }
    }
}
