//! Results on a redis server, which the tests start.
#![cfg(unix)]

mod remote;

use perf_runtime::cache::remote::Kind;
use remote::server::Server;
use remote::subject::Subject;

const KIND: Kind = Kind::Redis;

remote::both_servers!(KIND);

/// Whoever else uses the server: what stands under the name is replaced, and what is no text is refused.
#[test]
fn a_foreign_value_is_a_miss() {
    let server = Server::start(KIND);
    let subject = Subject::new(KIND, server.address());
    subject.call("k");
    let names = server.say(b"KEYS perfkit*:*k\r\n");
    let name = names.lines().find(|line| line.ends_with('k')).expect("the server has it").to_owned();
    assert!(server.say(format!("SET {name} hello\r\n").as_bytes()).contains("OK"));
    subject.call("k");
    subject.call("k");
    let stats = subject.stats();
    assert_eq!((subject.runs(), stats.foreign, stats.hits), (2, 1, 1), "{stats:?}");
    server.say(format!("DEL {name}\r\nLPUSH {name} x\r\n").as_bytes());
    subject.call("k");
    assert_eq!((subject.runs(), subject.stats().errors), (3, 1), "{:?}", subject.stats());
}

#[test]
fn what_is_stored_expires_on_the_server() {
    let server = Server::start(KIND);
    let subject = Subject::new(KIND, server.address());
    subject.call("k");
    let names = server.say(b"KEYS perfkit*:*k\r\n");
    let name = names.lines().find(|line| line.ends_with('k')).expect("the server has it").to_owned();
    let left = server.say(format!("PTTL {name}\r\n").as_bytes());
    let left: u64 = left.trim().trim_start_matches(':').parse().unwrap();
    assert!((300_000..=600_000).contains(&left), "{left}");
}

/// A password, and another database than the first.
#[test]
fn the_greeting_is_given() {
    let server = Server::start(KIND);
    assert!(server.say(b"CONFIG SET requirepass sesame\r\n").contains("OK"));
    let address = format!("redis://:sesame@127.0.0.1:{}/3", server.port).leak();
    let subject = Subject::new(KIND, address);
    subject.call("k");
    remote::subject::block_on(async { subject.call_async("k").await });
    assert_eq!((subject.runs(), subject.stats().hits), (1, 1), "{:?}", subject.stats());
    assert!(server.say(b"AUTH sesame\r\nSELECT 3\r\nDBSIZE\r\n").contains(":2"));
    let without = Subject::new(KIND, server.address());
    without.call("k");
    assert_eq!((without.runs(), without.stats().errors), (1, 1), "{:?}", without.stats());
}
