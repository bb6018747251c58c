//! Results on a memcached server, which the tests start.
#![cfg(unix)]

mod remote;

use perf_runtime::cache::remote::{Kind, Shared};
use remote::server::Server;
use remote::subject::{instance, leak};

const KIND: Kind = Kind::Memcached;

remote::both_servers!(KIND);

/// A mebibyte is the server's limit, with what it needs itself.
#[test]
fn what_is_too_large_is_not_sent() {
    let server = Server::start(KIND);
    let shared = leak(Shared::new(KIND, "tests::large").address(server.address()));
    let run = |key: u32, size: usize| {
        let result = shared.get_or_run(instance(), &key, || vec![7_u8; size], perf_runtime::cache::KeepAny);
        assert_eq!(result.len(), size);
    };
    for _ in 0..2 {
        run(1, 1_000_000);
        run(2, 1 << 20);
        run(3, 5 << 20);
    }
    let stats = shared.stats();
    assert_eq!((stats.hits, stats.stores, stats.too_large, stats.errors), (1, 1, 4, 0), "{stats:?}");
    assert_eq!(stats.lease_waits, 0, "the lease is given back");
    // The largest that is sent is taken.
    let largest = (1 << 20) - 256 - 200;
    run(4, largest);
    run(4, largest);
    assert_eq!(shared.stats().hits, 2, "{:?}", shared.stats());
}

/// Whoever else uses the server: what stands under the name is replaced.
#[test]
fn a_foreign_value_is_a_miss() {
    let server = Server::start(KIND);
    let subject = remote::subject::Subject::new(KIND, server.address());
    subject.call("k");
    let names = server.say(b"lru_crawler metadump all\r\n");
    let name = names
        .split_whitespace()
        .find_map(|word| word.strip_prefix("key=").filter(|name| !name.contains("generation")));
    let name = name.expect("the server has it").replace("%3A", ":").replace("%25", "%");
    assert!(server.say(format!("set {name} 0 0 5\r\nhello\r\n").as_bytes()).contains("STORED"));
    subject.call("k");
    subject.call("k");
    let stats = subject.stats();
    assert_eq!((subject.runs(), stats.foreign, stats.hits, stats.lease_waits), (2, 1, 1, 0), "{stats:?}");
}
