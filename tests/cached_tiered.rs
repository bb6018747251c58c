//! Two levels: the store in this process in front of a server's, and how stale what it has may get.
#![cfg(unix)]

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use perf_runtime::cache::KeepAny;
use perf_runtime::cache::remote::{Kind, Shared};
use perfkit::cached;
use server::Server;

#[path = "../perf-runtime/tests/remote/server.rs"]
#[allow(dead_code, reason = "other tests have other faults")]
mod server;

static SHARED: Shared = Shared::new(Kind::Memcached, "tests::tiered").ttl(Duration::from_secs(600));
static RUNS: AtomicU32 = AtomicU32::new(0);

const INSTANCE: PhantomData<fn() -> ()> = PhantomData;
const STALE: Duration = Duration::from_millis(500);

#[cached(ttl = "500ms")]
fn look_up(id: u32) -> u32 {
    SHARED.get_or_run(INSTANCE, &id, || RUNS.fetch_add(1, Ordering::SeqCst), KeepAny)
}

#[test]
fn the_store_in_the_process_asks_the_server_when_it_does_not_know() {
    let mut server = Server::start(Kind::Memcached);
    // What another process sees of the same function.
    let elsewhere: &'static Shared =
        Box::leak(Box::new(Shared::new(Kind::Memcached, "tests::tiered").address(server.address())));
    perfkit::remote().memcached(server.address()).deadline(Duration::from_secs(5)).install();

    assert_eq!((look_up(1), look_up(1)), (0, 0));
    let asked = SHARED.stats();
    assert_eq!((asked.hits, asked.misses, look_up::stats().hits), (0, 1, 1));

    // It was cleared here, and the server still has it.
    look_up::clear();
    assert_eq!(look_up(1), 0);
    assert_eq!((SHARED.stats().hits, RUNS.load(Ordering::SeqCst)), (1, 1));

    // Another process does away with it: that is seen when the time of the first level is up.
    assert!(elsewhere.invalidate::<_, u32, u32, _>(INSTANCE, &1, KeepAny));
    sleep(STALE);
    assert_eq!(look_up(1), 1);

    // And without a server the first level goes on.
    server.kill();
    let before = RUNS.load(Ordering::SeqCst);
    for _ in 0..100 {
        look_up(2);
    }
    let runs = RUNS.load(Ordering::SeqCst) - before;
    assert!((1..50).contains(&runs), "{runs} runs, {:?}", SHARED.stats());
}
