//! `backend = …` of `#[cached]`, with real servers and files.
//!
//! Each scenario runs in processes of its own, which are this binary again, told to run `child`: settings are for a whole process, and
//! processes are what the results are shared between.
#![cfg(unix)]
#![deny(warnings, missing_docs, unused, clippy::all, clippy::pedantic)]
#![allow(unreachable_pub, clippy::cast_possible_truncation, reason = "the shapes are part of the point")]

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use perf_runtime::cache::remote::Kind;
use perfkit::cached;
use serde::{Deserialize, Serialize};
use server::Server;

#[path = "../perf-runtime/tests/remote/server.rs"]
#[allow(dead_code, reason = "other tests have other faults")]
mod server;

const SCENARIO: &str = "PERFKIT_TESTS_SCENARIO";
const EPOCH: &str = "PERFKIT_TESTS_EPOCH";
const TIERED: Duration = Duration::from_secs(2);

/// A point.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Point {
    x: i32,
    y: i32,
}

/// What a body sees of the world, which is another one in another process.
fn epoch() -> String {
    env::var(EPOCH).unwrap_or_default()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Can be spawned.
fn sent<F: Future + Send>(future: F) -> F {
    future
}

macro_rules! functions {
    ($module:ident, $backend:literal) => {
        /// With this backend.
        pub mod $module {
            #[allow(clippy::wildcard_imports, reason = "it is a part of this file")]
            use super::*;

            static RUNS: AtomicU32 = AtomicU32::new(0);

            fn run() {
                RUNS.fetch_add(1, Ordering::SeqCst);
            }

            /// How often bodies ran since the last time.
            fn runs() -> u32 {
                RUNS.swap(0, Ordering::SeqCst)
            }

            #[cached(backend = $backend, ttl = 600)]
            fn square(n: u64) -> u64 {
                run();
                n * n
            }

            #[cached(backend = $backend, ttl = 600, tiered = "2s", max_size = 50, policy = "lru")]
            fn tiered(text: &str, places: &[Point]) -> String {
                run();
                format!("{text}{}{}", places.len(), epoch())
            }

            #[cached(backend = $backend, ttl = "10m", codec = "json", version = 3)]
            fn fallible(n: i32) -> Result<Point, String> {
                run();
                if n < 0 { Err(format!("{n} is negative")) } else { Ok(Point { x: n, y: -n }) }
            }

            #[cached(backend = $backend)]
            fn optional(of: Option<&str>) -> Option<Vec<u8>> {
                run();
                of.map(|text| text.as_bytes().to_vec())
            }

            #[cached(backend = $backend, ttl = 600, cache_none)]
            fn none_kept(n: u8) -> Option<u8> {
                run();
                n.checked_sub(100)
            }

            #[cached(backend = $backend, ttl = 600)]
            fn generic<
                T: Clone + std::hash::Hash + Eq + Serialize + Send + Sync + 'static,
                const N: usize,
            >(
                value: T,
            ) -> String {
                run();
                format!("{}{N}{}", std::any::type_name::<T>(), serde_json::to_string(&value).unwrap())
            }

            #[cached(backend = $backend, ttl = 600, companions = false)]
            fn alone(n: u64) -> u64 {
                run();
                n + 1
            }

            #[cached(backend = $backend, ttl = 600)]
            fn slow(n: u64) -> u64 {
                run();
                sleep(Duration::from_millis(200));
                n
            }

            #[cached(backend = $backend, ttl = 600)]
            fn fibonacci(n: u8) -> u64 {
                run();
                if n < 2 { n.into() } else { fibonacci(n - 1) + fibonacci(n - 2) }
            }

            /// The two may come in either order.
            #[cached(backend = $backend, ttl = 600, key = (a.min(b), a.max(b)), skip(_connection), companions = false)]
            async fn distance(_connection: &mut (), a: i32, b: i32) -> u32 {
                run();
                tokio::task::yield_now().await;
                a.abs_diff(b)
            }

            trait Taxed {
                fn tax(&self) -> u32;
            }

            impl Taxed for Shop {
                #[cached(backend = $backend, ttl = 600, key(self.id), companions = false)]
                fn tax(&self) -> u32 {
                    run();
                    self.id * 2
                }
            }

            /// A shop.
            pub struct Shop {
                id: u32,
            }

            impl Shop {
                /// What it takes.
                #[cached(backend = $backend, ttl = 600, key(self.id))]
                pub fn price(&self, article: &str) -> u32 {
                    run();
                    article.len() as u32 * self.id
                }

                /// What it has.
                #[cached(backend = $backend, ttl = 600, tiered = "2s", key(self.id))]
                pub async fn stock(&self, article: String) -> u32 {
                    run();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    article.len() as u32 + self.id
                }
            }

            /// Its error is neither `Clone` nor `Send`.
            ///
            /// # Errors
            /// If it is a large number.
            #[cached(backend = $backend, ttl = 600)]
            pub async fn fetch(id: u32) -> Result<Point, Box<dyn Error>> {
                run();
                tokio::time::sleep(Duration::from_millis(20)).await;
                let x = i32::try_from(id)?;
                Ok(Point { x, y: 0 })
            }

            /// Two functions that the compiler calls by one name.
            fn namesakes() {
                let one = {
                    #[cached(backend = $backend, ttl = 600)]
                    fn namesake(n: u8) -> u8 {
                        n + 1
                    }
                    namesake(1)
                };
                let other = {
                    #[cached(backend = $backend, ttl = 600)]
                    fn namesake(n: u8) -> u8 {
                        n + 2
                    }
                    namesake(1)
                };
                assert_eq!((one, other), (2, 3));
            }

            fn all() {
                namesakes();
                assert_eq!((square(7), square(8)), (49, 64));
                assert_eq!(tiered("a", &[Point { x: 1, y: 2 }]), "a1");
                assert_eq!(fallible(3), Ok(Point { x: 3, y: -3 }));
                assert_eq!(optional(Some("é")), Some("é".into()));
                assert_eq!(none_kept(5), None);
                assert_eq!(generic::<_, 1>(5_u8), "u815");
                assert_eq!(generic::<_, 2>(5_u8), "u825");
                assert_eq!(generic::<_, 1>(String::from("5")), "alloc::string::String1\"5\"");
                assert_eq!(alone(1), 2);
                assert_eq!((Shop { id: 2 }.tax(), Shop { id: 2 }.tax()), (4, 4));
                assert_eq!(Shop { id: 2 }.price("pen"), 6);
                assert_eq!(Shop { id: 3 }.price("pen"), 9);
                block_on(async {
                    assert_eq!(Shop { id: 2 }.stock("pen".into()).await, 5);
                    assert_eq!(sent(distance(&mut (), 5, 9)).await, 4);
                    assert_eq!(fetch(9).await.unwrap(), Point { x: 9, y: 0 });
                });
            }

            const ALL: u32 = 16;

            fn nothing_is_there() {
                all();
                assert_eq!(runs(), ALL);
                assert_eq!((block_on(distance(&mut (), 9, 5)), runs()), (4, 0));
                let stats = square::remote_stats();
                assert_eq!((stats.hits, stats.misses, stats.stores), (0, 2, 2), "{stats:?}");
                assert_eq!(fallible(-1), Err("-1 is negative".into()));
                assert_eq!(optional(None), None);
            }

            fn all_of_it_is_there() {
                all();
                assert_eq!(runs(), 0);
                let stats = square::remote_stats();
                assert_eq!((stats.hits, stats.misses, stats.stores), (2, 0, 0), "{stats:?}");
                // These were not kept.
                assert_eq!(fallible(-1), Err("-1 is negative".into()));
                assert_eq!(optional(None), None);
                assert_eq!(runs(), 2);
                // Only with `tiered` does the process keep any.
                square(7);
                assert_eq!(
                    (square::remote_stats().hits, square::stats().hits, square::stats().len),
                    (3, 0, 0)
                );
                assert_eq!(square::peek(&7), None);
                let before = tiered::remote_stats().hits;
                tiered("a", &[Point { x: 1, y: 2 }]);
                assert_eq!((tiered::remote_stats().hits, tiered::stats().hits), (before, 1));
                assert_eq!(tiered::peek("a", &[Point { x: 1, y: 2 }]), Some("a1".into()));
            }

            fn companions() {
                assert_eq!((fibonacci(20), runs()), (6_765, 21));
                assert_eq!((fibonacci(20), runs()), (6_765, 0));

                assert_eq!(square::uncached(3), 9);
                assert!(!square::invalidate(&3), "there is none");
                square(3);
                assert!(square::invalidate(&3));
                assert!(!square::invalidate(&3));
                square(3);
                assert_eq!(runs(), 3);
                assert_eq!(square::prime(3), 9);
                square(3);
                assert_eq!(runs(), 1);
                assert!(square::clear());
                square(3);
                assert_eq!(runs(), 1);

                // Both levels: what is removed comes from neither.
                let there: &[Point] = &[];
                tiered("b", there);
                assert!(tiered::invalidate("b", there));
                tiered("b", there);
                assert!(tiered::clear());
                tiered("b", there);
                assert_eq!(runs(), 3);
                assert_eq!(tiered::prime("b", there), "b0");
                assert_eq!((tiered("b", there), runs()), ("b0".into(), 1));

                let shop = Shop { id: 5 };
                let cache = Shop::price_cache();
                shop.price("ink");
                assert!(cache.invalidate((&shop, "ink")));
                shop.price("ink");
                assert_eq!(runs(), 2);
                assert!(cache.clear());
                shop.price("ink");
                assert_eq!((runs(), cache.remote_stats().stores), (1, 3));
                assert_eq!((shop.price_uncached("ink"), runs()), (15, 1));

                // A primed `Err` only removes.
                fallible(4).unwrap();
                assert_eq!(fallible::prime(4), Ok(Point { x: 4, y: -4 }));
                assert_eq!(runs(), 2);

                // One instance is invalidated, all are cleared.
                let _ = (generic::<_, 1>(1_u8), generic::<_, 1>(1_u16));
                assert!(generic::invalidate::<u8, 1>(&1));
                let _ = (generic::<_, 1>(1_u8), generic::<_, 1>(1_u16));
                assert_eq!(runs(), 3);
                assert!(generic::clear());
                let _ = (generic::<_, 1>(1_u8), generic::<_, 1>(1_u16));
                assert_eq!(runs(), 2);

                // What was removed while it was computed is not kept.
                scope(|scope| {
                    scope.spawn(|| slow(1));
                    while RUNS.load(Ordering::SeqCst) == 0 {
                        sleep(Duration::from_millis(1));
                    }
                    slow::invalidate(&1);
                });
                slow(1);
                assert_eq!(runs(), 2);
                slow(1);
                assert_eq!(runs(), 0, "{:?}", slow::remote_stats());
            }

            fn tasks() {
                block_on(async {
                    let calls = (0..50).map(|_| sent(fetch_unit(1)));
                    assert!(futures::future::join_all(calls).await.into_iter().all(|x| x == 1));
                    assert_eq!(runs(), 1);
                    let stats = fetch::remote_stats();
                    assert_eq!((stats.hits, stats.misses), (0, 1), "one question for all: {stats:?}");
                    assert!(sent(fetch::invalidate(&1)).await);
                    assert!(!tokio::spawn(fetch::invalidate(&1)).await.unwrap());
                    fetch(1).await.unwrap();
                    sent(async { fetch::prime(1).await.unwrap() }).await;
                    fetch(1).await.unwrap();
                    assert_eq!(runs(), 2);
                    assert!(tokio::spawn(fetch::clear()).await.unwrap());
                    fetch(1).await.unwrap();
                    fetch(u32::MAX).await.unwrap_err();
                    fetch(u32::MAX).await.unwrap_err();
                    assert_eq!(runs(), 3);

                    let (shop, pen, cache) = (Shop { id: 1 }, String::from("pen"), Shop::stock_cache());
                    shop.stock("pen".into()).await;
                    shop.stock("pen".into()).await;
                    assert_eq!((runs(), cache.stats().hits), (1, 1));
                    assert!(cache.invalidate_async((&shop, &pen)).await);
                    shop.stock("pen".into()).await;
                    assert!(sent(cache.clear_async()).await);
                    shop.stock("pen".into()).await;
                    assert_eq!(runs(), 2);
                });
            }

            async fn fetch_unit(id: u32) -> i32 {
                fetch(id).await.map_or(-1, |point| point.x)
            }

            fn many_threads() {
                let barrier = Barrier::new(64);
                scope(|scope| {
                    for _ in 0..64 {
                        scope.spawn(|| {
                            barrier.wait();
                            assert_eq!(slow(7), 7);
                        });
                    }
                });
                let stats = slow::remote_stats();
                assert_eq!((runs(), stats.misses, stats.lease_waits), (1, 1, 0), "{stats:?}");
                // Whoever came late found it at the backend.
                assert_eq!(slow::stats().waits + stats.hits, 63, "{stats:?} {:?}", slow::stats());
                // And other keys are not held up.
                assert!(slow::clear());
                scope(|scope| {
                    let start = Instant::now();
                    let all: Vec<_> = (100..120).map(|n| scope.spawn(move || slow(n))).collect();
                    assert!(all.into_iter().all(|one| one.join().is_ok()));
                    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
                });
            }

            fn replace() {
                assert_eq!(tiered::prime("s", &[]), format!("s0{}", epoch()));
            }

            /// Another process puts another result in the place of ours.
            fn staleness() {
                assert_eq!(tiered("s", &[]), "s0");
                child($backend, "replace", &[(EPOCH, "new")]);
                sleep(TIERED);
                let start = Instant::now();
                assert_eq!(tiered("s", &[]), "s0new");
                assert_eq!(runs(), 1);
                // And removes it: that is not seen before the time is up.
                child($backend, "remove", &[]);
                let peeked = tiered::peek("s", &[]);
                assert!(peeked == Some("s0new".into()) || start.elapsed() >= TIERED, "{peeked:?}");
            }

            fn remove() {
                assert!(tiered::invalidate("s", &[]));
            }

            fn report() {
                square(1);
                square(1);
                let report = perfkit::report();
                let row = report.caches.iter().find(|row| row.name.ends_with("square")).unwrap();
                let remote = row.remote.unwrap();
                assert_eq!((remote.backend, remote.hits, remote.misses), ($backend, 1, 1));
                assert!(report.to_table().contains("shared between processes"));
                let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
                assert_eq!(json["caches"][0]["remote"]["hits"], 1);
                perfkit::reset();
                square(1);
                assert_eq!(perfkit::report().caches[0].remote.unwrap().hits, 1);
            }

            pub(super) fn scenario(name: &str) {
                match name {
                    "nothing_is_there" => nothing_is_there(),
                    "all_of_it_is_there" => all_of_it_is_there(),
                    "companions" => companions(),
                    "tasks" => tasks(),
                    "many_threads" => many_threads(),
                    "staleness" => staleness(),
                    "replace" => replace(),
                    "remove" => remove(),
                    "report" => report(),
                    "without_a_backend" => {
                        // Nothing that a backend lacks is an error to the caller.
                        all();
                        assert_eq!(runs(), ALL + 1, "`tax` is asked for twice");
                        all();
                        assert!(runs() > 5);
                        assert!(!square::invalidate(&7) && !square::clear());
                        assert_eq!((square::prime(7), square::remote_stats().hits), (49, 0));
                    }
                    other => panic!("no scenario {other}"),
                }
            }
        }
    };
}

functions!(memcached, "memcached");
functions!(redis, "redis");
functions!(disk, "disk");

/// Runs a scenario in a process of its own.
fn child(backend: &str, scenario: &str, more: &[(&str, &str)]) {
    let child = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", "child_process"])
        .env(SCENARIO, format!("{backend} {scenario}"))
        .envs(more.iter().copied())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout) + String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{backend} {scenario}:\n{output}");
}

#[test]
#[ignore = "run by the other tests"]
fn child_process() {
    let Ok(scenario) = env::var(SCENARIO) else { return };
    // A busy machine is none that fails.
    perfkit::remote()
        .deadline(Duration::from_secs(5))
        .lease(Duration::from_secs(20))
        .refresh(Duration::from_millis(100))
        .install();
    match scenario.split_once(' ').unwrap() {
        ("memcached", scenario) => memcached::scenario(scenario),
        ("redis", scenario) => redis::scenario(scenario),
        ("disk", scenario) => disk::scenario(scenario),
        other => panic!("no backend {other:?}"),
    }
}

/// A server or a file, and the variable that says where it is.
struct Backend {
    name: &'static str,
    variable: &'static str,
    address: String,
    server: Option<Server>,
}

impl Backend {
    fn start(name: &'static str) -> Self {
        let (variable, server) = match name {
            "memcached" => ("PERFKIT_MEMCACHED", Some(Server::start(Kind::Memcached))),
            "redis" => ("PERFKIT_REDIS", Some(Server::start(Kind::Redis))),
            _ => ("PERFKIT_DISK", None),
        };
        let address =
            server.as_ref().map_or_else(|| file().display().to_string(), |server| server.address().into());
        Backend { name, variable, address, server }
    }

    fn run(&self, scenario: &str) {
        child(self.name, scenario, &[(self.variable, &self.address)]);
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        if self.server.is_none() {
            let _ = std::fs::remove_file(&self.address);
        }
    }
}

/// Nobody else's.
fn file() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    env::temp_dir().join(format!("perfkit-cached-backend-{}-{number}.redb", std::process::id()))
}

fn another_process_finds_it(name: &'static str) {
    let backend = Backend::start(name);
    backend.run("nothing_is_there");
    backend.run("all_of_it_is_there");
}

/// Each of these with each of those.
macro_rules! tests {
    ($($scenario:ident: $($backend:ident)*;)*) => {
        $(
            mod $scenario {
                $(
                    #[test]
                    fn $backend() {
                        super::Backend::start(stringify!($backend)).run(stringify!($scenario));
                    }
                )*
            }
        )*
    };
}

tests! {
    companions: memcached redis disk;
    tasks: memcached redis disk;
    many_threads: memcached redis disk;
    report: memcached redis disk;
    staleness: memcached redis disk;
}

#[test]
fn another_process_finds_it_on_memcached() {
    another_process_finds_it("memcached");
}

#[test]
fn another_process_finds_it_on_redis() {
    another_process_finds_it("redis");
}

#[test]
fn another_process_finds_it_on_disk() {
    another_process_finds_it("disk");
}

#[test]
fn no_backend_no_harm() {
    child("redis", "without_a_backend", &[("PERFKIT_REDIS", "redis://127.0.0.1:1")]);
    child("memcached", "without_a_backend", &[("PERFKIT_MEMCACHED", "127.0.0.1:1")]);
    child("disk", "without_a_backend", &[("PERFKIT_DISK", "/dev/null/none")]);
}

#[cached(backend = "redis", ttl = 600)]
fn through_a_crash(n: u64) -> u64 {
    n * 3
}

/// Here the addresses are said by the program, and the server dies and comes back in the middle.
#[test]
fn a_server_that_dies() {
    let mut server = Server::start(Kind::Redis);
    perfkit::remote()
        .redis(server.address())
        .back_off(3, Duration::from_millis(20), Duration::from_millis(50))
        .install();
    let call = || (0..50).for_each(|n| assert_eq!(through_a_crash(n), n * 3));
    call();
    call();
    assert!(through_a_crash::remote_stats().hits > 0, "{:?}", through_a_crash::remote_stats());
    let is_over = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                call();
            }
        });
        sleep(Duration::from_millis(50));
        server.kill();
        sleep(Duration::from_millis(200));
        is_over.store(true, Ordering::SeqCst);
    });
    let stats = through_a_crash::remote_stats();
    assert!(stats.errors + stats.timeouts > 0 && stats.skipped > 0, "{stats:?}");
    server.restart();
    sleep(Duration::from_millis(200));
    call();
    call();
    assert!(through_a_crash::remote_stats().hits > stats.hits, "{:?}", through_a_crash::remote_stats());
}
