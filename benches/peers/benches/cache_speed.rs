//! What a hit and a miss of `#[cached]` cost, beside other caches.
//!
//! Hits: 10,000 entries, asked for by Zipf's law (exponent 0.99), with room for 20,000, so that all of them are hits. Misses: each key is new to a
//! full cache of 10,000, so each call looks, runs an empty body, inserts and evicts. On one thread and on two at once. Times are of
//! the thread's processor. Each round runs every case once, in random order, for a slice that is short enough to be
//! seldom interrupted, after a shorter one that warms it up; it is given as a ratio to `quick_cache::sync::Cache::get` (or `get` and `insert`) of the same round: the
//! median over all rounds, and the range that holds nine tenths of them.
//!
//! `cargo bench -p perfkit-peers --bench cache_speed`; with `-- --quick` just long enough to see that it works, with `-- --only perfkit` only
//! what is called so.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, LazyLock};
use std::time::Duration;

/// Entries that are asked for.
const ENTRIES: u64 = 10_000;
/// Calls of a slice.
const HITS: usize = 50_000;
const MISSES: usize = 20_000;

/// What is kept under a number and under a text.
fn value(key: u64) -> u64 {
    key.wrapping_mul(3)
}

fn text_value(key: &str) -> Arc<str> {
    Arc::from(key)
}

mod with_perfkit {
    use super::{Arc, text_value, value};

    #[perfkit::cached(max_size = 20_000)]
    pub(super) fn hit(key: u64) -> u64 {
        value(key)
    }

    #[perfkit::cached(max_size = 20_000, ttl = 3600)]
    pub(super) fn hit_ttl(key: u64) -> u64 {
        value(key)
    }

    #[perfkit::cached(max_size = 20_000, policy = "lru")]
    pub(super) fn hit_lru(key: u64) -> u64 {
        value(key)
    }

    #[perfkit::cached(max_size = 20_000)]
    pub(super) fn text(key: &str) -> Arc<str> {
        text_value(key)
    }

    #[perfkit::cached(max_size = 20_000, ttl = 3600)]
    pub(super) fn text_ttl(key: &str) -> Arc<str> {
        text_value(key)
    }

    #[perfkit::cached(max_size = 10_000)]
    pub(super) fn miss(key: u64) -> u64 {
        value(key)
    }

    #[perfkit::cached(max_size = 10_000, ttl = 3600)]
    pub(super) fn miss_ttl(key: u64) -> u64 {
        value(key)
    }
}

mod with_cached {
    use super::{Arc, text_value, value};
    use cached::macros::cached;

    #[cached(max_size = 20_000)]
    pub(super) fn hit(key: u64) -> u64 {
        value(key)
    }

    #[cached(max_size = 20_000, ttl_secs = 3600)]
    pub(super) fn hit_ttl(key: u64) -> u64 {
        value(key)
    }

    #[cached(max_size = 20_000)]
    pub(super) fn text(key: &str) -> Arc<str> {
        text_value(key)
    }

    #[cached(max_size = 20_000, ttl_secs = 3600)]
    pub(super) fn text_ttl(key: &str) -> Arc<str> {
        text_value(key)
    }

    #[cached(max_size = 10_000)]
    pub(super) fn miss(key: u64) -> u64 {
        value(key)
    }
}

mod with_memoize {
    use super::value;
    use memoize::memoize;

    #[memoize(SharedCache, Capacity: 20_000)]
    pub(super) fn hit(key: u64) -> u64 {
        value(key)
    }

    #[memoize(SharedCache, Capacity: 10_000)]
    pub(super) fn miss(key: u64) -> u64 {
        value(key)
    }
}

type Quick<K, V> = quick_cache::sync::Cache<K, V>;
type Moka<K, V> = moka::sync::Cache<K, V>;
type Foyer<K, V> = foyer_memory::Cache<K, V>;

static QUICK: LazyLock<Quick<u64, u64>> = LazyLock::new(|| Quick::new(20_000));
static QUICK_TEXT: LazyLock<Quick<String, Arc<str>>> = LazyLock::new(|| Quick::new(20_000));
static QUICK_FULL: LazyLock<Quick<u64, u64>> = LazyLock::new(|| Quick::new(10_000));
static MOKA: LazyLock<Moka<u64, u64>> = LazyLock::new(|| Moka::new(20_000));
static MOKA_TTL: LazyLock<Moka<u64, u64>> =
    LazyLock::new(|| Moka::builder().max_capacity(20_000).time_to_live(Duration::from_secs(3600)).build());
static MOKA_TEXT: LazyLock<Moka<String, Arc<str>>> = LazyLock::new(|| Moka::new(20_000));
static MOKA_FULL: LazyLock<Moka<u64, u64>> = LazyLock::new(|| Moka::new(10_000));

fn foyer<K, V>(capacity: usize) -> Foyer<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    foyer_memory::CacheBuilder::new(capacity)
        .with_eviction_config(foyer_memory::S3FifoConfig::default())
        .build()
}

static FOYER: LazyLock<Foyer<u64, u64>> = LazyLock::new(|| foyer(20_000));
static FOYER_TEXT: LazyLock<Foyer<String, Arc<str>>> = LazyLock::new(|| foyer(20_000));
static FOYER_FULL: LazyLock<Foyer<u64, u64>> = LazyLock::new(|| foyer(10_000));

thread_local! {
    static FLOOR: std::cell::RefCell<HashMap<u64, u64, foldhash::fast::RandomState>> = std::cell::RefCell::default();
}

/// A case: how it is asked for a number or a text. The first of each table is what the others are compared with.
struct Case<K: ?Sized + 'static> {
    name: &'static str,
    ask: fn(&K) -> u64,
}

const HIT: &[Case<u64>] = &[
    Case {
        name: "quick_cache get",
        ask: |key| {
            QUICK.get(key).unwrap_or_else(|| {
                QUICK.insert(*key, value(*key));
                value(*key)
            })
        },
    },
    Case { name: "perfkit", ask: |key| with_perfkit::hit(*key) },
    Case { name: "perfkit, ttl", ask: |key| with_perfkit::hit_ttl(*key) },
    Case { name: "perfkit, lru", ask: |key| with_perfkit::hit_lru(*key) },
    Case {
        name: "quick_cache get_or_insert_with",
        ask: |key| QUICK.get_or_insert_with(key, || Ok::<_, ()>(value(*key))).unwrap_or_default(),
    },
    Case { name: "cached", ask: |key| with_cached::hit(*key) },
    Case { name: "cached, ttl", ask: |key| with_cached::hit_ttl(*key) },
    Case { name: "memoize, shared", ask: |key| with_memoize::hit(*key) },
    Case {
        name: "moka get",
        ask: |key| {
            MOKA.get(key).unwrap_or_else(|| {
                MOKA.insert(*key, value(*key));
                value(*key)
            })
        },
    },
    Case {
        name: "moka get, ttl",
        ask: |key| {
            MOKA_TTL.get(key).unwrap_or_else(|| {
                MOKA_TTL.insert(*key, value(*key));
                value(*key)
            })
        },
    },
    Case {
        name: "foyer get, S3-FIFO",
        ask: |key| {
            FOYER.get(key).map_or_else(
                || {
                    FOYER.insert(*key, value(*key));
                    value(*key)
                },
                |entry| *entry.value(),
            )
        },
    },
    Case {
        name: "a thread's own map",
        ask: |key| FLOOR.with_borrow_mut(|map| *map.entry(*key).or_insert_with(|| value(*key))),
    },
];

const TEXT: &[Case<str>] = &[
    Case {
        name: "quick_cache get",
        ask: |key| {
            QUICK_TEXT.get(key).map_or_else(
                || {
                    QUICK_TEXT.insert(key.to_owned(), text_value(key));
                    0
                },
                |value| value.len() as u64,
            )
        },
    },
    Case { name: "perfkit", ask: |key| with_perfkit::text(key).len() as u64 },
    Case { name: "perfkit, ttl", ask: |key| with_perfkit::text_ttl(key).len() as u64 },
    Case { name: "cached", ask: |key| with_cached::text(key).len() as u64 },
    Case { name: "cached, ttl", ask: |key| with_cached::text_ttl(key).len() as u64 },
    Case {
        name: "moka get",
        ask: |key| {
            MOKA_TEXT.get(key).map_or_else(
                || {
                    MOKA_TEXT.insert(key.to_owned(), text_value(key));
                    0
                },
                |value| value.len() as u64,
            )
        },
    },
    Case {
        name: "foyer get, S3-FIFO",
        ask: |key| {
            FOYER_TEXT.get(key).map_or_else(
                || {
                    FOYER_TEXT.insert(key.to_owned(), text_value(key));
                    0
                },
                |entry| entry.value().len() as u64,
            )
        },
    },
];

const MISS: &[Case<u64>] = &[
    Case {
        name: "quick_cache get, insert",
        ask: |key| {
            QUICK_FULL.get(key).unwrap_or_else(|| {
                QUICK_FULL.insert(*key, value(*key));
                value(*key)
            })
        },
    },
    Case {
        name: "quick_cache get_or_insert_with",
        ask: |key| QUICK_FULL.get_or_insert_with(key, || Ok::<_, ()>(value(*key))).unwrap_or_default(),
    },
    Case { name: "perfkit", ask: |key| with_perfkit::miss(*key) },
    Case { name: "perfkit, ttl", ask: |key| with_perfkit::miss_ttl(*key) },
    Case {
        name: "perfkit peek, insert",
        ask: |key| {
            with_perfkit::miss::peek(key).unwrap_or_else(|| {
                let value = value(*key);
                with_perfkit::miss::cache().insert(key, &value);
                value
            })
        },
    },
    Case { name: "cached", ask: |key| with_cached::miss(*key) },
    Case { name: "memoize, shared", ask: |key| with_memoize::miss(*key) },
    Case {
        name: "moka get, insert",
        ask: |key| {
            MOKA_FULL.get(key).unwrap_or_else(|| {
                MOKA_FULL.insert(*key, value(*key));
                value(*key)
            })
        },
    },
    Case { name: "moka get_with", ask: |key| MOKA_FULL.get_with(*key, || value(*key)) },
    Case {
        name: "foyer get, insert, S3-FIFO",
        ask: |key| {
            FOYER_FULL.get(key).map_or_else(
                || {
                    FOYER_FULL.insert(*key, value(*key));
                    value(*key)
                },
                |entry| *entry.value(),
            )
        },
    },
];

/// Time of this thread's processor, in nanoseconds.
fn thread_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes one `timespec`.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "this machine has no clock for a thread's processor time");
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Numbers that are anything but regular.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Keys from 0 to [`ENTRIES`], the n-th most popular of which comes in proportion to 1 / n^0.99.
fn zipf(length: usize, seed: u64) -> Vec<u64> {
    let mut sums = Vec::new();
    let mut sum = 0.0;
    for n in 1..=ENTRIES {
        sum += (n as f64).powf(-0.99);
        sums.push(sum);
    }
    let mut random = Random(seed);
    (0..length)
        .map(|_| {
            let point = (random.next() >> 11) as f64 / (1_u64 << 53) as f64 * sum;
            // Popularity says nothing about the number.
            (sums.partition_point(|sum| *sum < point) as u64).wrapping_mul(7_919) % ENTRIES
        })
        .collect()
}

/// Nanoseconds per call of `work` over the items, on each of as many threads at once; the mean of the threads.
fn slice<T: Sync>(threads: &[Vec<T>], work: &(impl Fn(&T) -> u64 + Sync)) -> f64 {
    let barrier = Barrier::new(threads.len());
    let times: Vec<f64> = std::thread::scope(|scope| {
        let running: Vec<_> = threads
            .iter()
            .map(|items| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let mut sum = 0_u64;
                    items.iter().take(items.len() / 4).for_each(|item| sum = sum.wrapping_add(work(item)));
                    barrier.wait();
                    let start = thread_time();
                    items.iter().skip(items.len() / 4).for_each(|item| sum = sum.wrapping_add(work(item)));
                    let time = thread_time() - start;
                    black_box(sum);
                    time as f64 / (items.len() - items.len() / 4) as f64
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("no case panics")).collect()
    });
    times.iter().sum::<f64>() / times.len() as f64
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Runs all cases in rounds and prints a table.
fn table<K: ?Sized, T: Sync>(
    title: &str,
    cases: &[Case<K>],
    rounds: usize,
    threads: usize,
    mut items: impl FnMut(usize) -> Vec<T>,
    key: fn(&T) -> &K,
) {
    let only = std::env::args().skip_while(|argument| argument != "--only").nth(1);
    let cases: Vec<&Case<K>> = cases
        .iter()
        .enumerate()
        .filter(|(place, case)| {
            *place == 0 || only.as_ref().is_none_or(|only| case.name.contains(only.as_str()))
        })
        .map(|(_, case)| case)
        .collect();
    let mut times = vec![Vec::new(); cases.len()];
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for round in 0..=rounds {
        let mut order: Vec<usize> = (0..cases.len()).collect();
        for place in (1..order.len()).rev() {
            order.swap(place, (random.next() % (place as u64 + 1)) as usize);
        }
        for case in order {
            let slices: Vec<Vec<T>> = (0..threads).map(&mut items).collect();
            let ask = cases[case].ask;
            let time = slice(&slices, &|item: &T| ask(key(item)));
            // The first round fills the caches.
            if round > 0 {
                times[case].push(time);
            }
        }
    }
    println!("\n{title}, {threads} thread{}, {rounds} rounds", if threads == 1 { "" } else { "s" });
    println!("{:32} {:>9} {:>9} {:>8}   5 % to 95 %", "", "ns", "least", "ratio");
    for (case, own) in cases.iter().zip(&times) {
        let mut ratios: Vec<f64> = own.iter().zip(&times[0]).map(|(own, base)| own / base).collect();
        ratios.sort_by(f64::total_cmp);
        let mut own = own.clone();
        own.sort_by(f64::total_cmp);
        println!(
            "{:32} {:9.1} {:9.1} {:8.2}   {:.2} to {:.2}",
            case.name,
            quantile(&own, 0.5),
            own[0],
            quantile(&ratios, 0.5),
            quantile(&ratios, 0.05),
            quantile(&ratios, 0.95)
        );
    }
}

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if is_quick { 3 } else { 60 };
    let all_texts: Vec<String> = (0..ENTRIES).map(|n| format!("key-{n:017}")).collect();
    let mut seed = 88_172_645_463_325_252;
    for threads in [1, 2] {
        let mut keys = |_| {
            seed += 2;
            zipf(HITS, seed)
        };
        let everything = |_| -> Vec<u64> { (0..ENTRIES).collect() };
        for case in HIT {
            slice(&[everything(0)], &|key: &u64| (case.ask)(key));
        }
        for case in TEXT {
            slice(std::slice::from_ref(&all_texts), &|key: &String| (case.ask)(key));
        }
        table("hit, u64 to u64", HIT, rounds, threads, &mut keys, |key| key);
        table(
            "hit, &str of 21 bytes to Arc<str>",
            TEXT,
            rounds,
            threads,
            |thread| keys(thread).into_iter().map(|key| all_texts[key as usize].as_str()).collect(),
            |text: &&str| text,
        );
        let next = AtomicU64::new(1 << 32);
        let new_keys = |_| {
            let first = next.fetch_add(MISSES as u64, Ordering::Relaxed);
            (first..first + MISSES as u64).collect()
        };
        table("miss, insert and evict, u64 to u64", MISS, rounds, threads, new_keys, |key| key);
    }
}
