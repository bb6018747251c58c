//! How often a cache has what it is asked for, beside its peers and beside what is possible.
//!
//! Each policy is asked for the keys of the [traces](perfkit_peers::traces), one after the other on one thread, and given what it did not have.
//! "Belady" knows the future and keeps what is asked for the soonest; no policy can do better. "LRU" is the textbook's. What is
//! perfkit's is measured through `#[cached]` functions, by their statistics.
//!
//! The last lines tell whether the default policy does at least as well as `quick_cache` and as `moka`, on average, and whether there is a trace on which it
//! is more than three points behind the better of the two.
//!
//! `cargo bench -p perfkit-peers --bench cache_hit_ratio`; with `-- --quick` traces so short that they tell nothing, to see that it works; with
//! `-- --seed 2` other keys.

use std::collections::{BTreeMap, HashMap};

use perfkit_peers::traces::{self, Trace};

/// How a policy does: hits among the keys.
type Measure = fn(usize, &[u64]) -> u64;

/// In the order of the rows.
const POLICIES: [(&str, Measure); 13] = [
    ("Belady", belady),
    ("LRU", lru),
    (DEFAULT, perfkit_default::hits),
    ("perfkit lru", perfkit_lru::hits),
    ("perfkit lfu", perfkit_lfu::hits),
    ("perfkit fifo", perfkit_fifo::hits),
    (QUICK_CACHE, quick_cache),
    (MOKA, moka),
    ("mini-moka", mini_moka),
    ("foyer s3-fifo", |size, keys| foyer(size, keys, foyer_memory::S3FifoConfig::default().into())),
    ("foyer lfu", |size, keys| foyer(size, keys, foyer_memory::LfuConfig::default().into())),
    ("foyer lru", |size, keys| foyer(size, keys, foyer_memory::LruConfig::default().into())),
    ("cached", cached),
];
const DEFAULT: &str = "perfkit";
const QUICK_CACHE: &str = "quick_cache";
const MOKA: &str = "moka";

/// The functions of one of perfkit's policies: one for each size, since the size is a part of the attribute.
macro_rules! perfkit_policy {
    ($module:ident $(, $policy:literal)?) => {
        mod $module {
            use perfkit::cached;

            #[cached(max_size = 1_000 $(, policy = $policy)?)]
            fn one(key: u64) -> u64 { key }
            #[cached(max_size = 5_000 $(, policy = $policy)?)]
            fn five(key: u64) -> u64 { key }
            #[cached(max_size = 10_000 $(, policy = $policy)?)]
            fn ten(key: u64) -> u64 { key }

            pub(super) fn hits(size: usize, keys: &[u64]) -> u64 {
                macro_rules! ask {
                    ($function:ident) => {{
                        $function::cache().clear();
                        let before = $function::cache().stats().hits;
                        for key in keys {
                            $function(*key);
                        }
                        $function::cache().stats().hits - before
                    }};
                }
                match size {
                    1_000 => ask!(one),
                    5_000 => ask!(five),
                    10_000 => ask!(ten),
                    _ => unreachable!("no function has this size"),
                }
            }
        }
    };
}

perfkit_policy!(perfkit_default);
perfkit_policy!(perfkit_lru, "lru");
perfkit_policy!(perfkit_lfu, "lfu");
perfkit_policy!(perfkit_fifo, "fifo");

/// Of 100,000 keys.
const SIZES: [usize; 3] = [1_000, 5_000, 10_000];

/// What a cache is asked, and what it is given when it does not have it.
fn ask(keys: &[u64], mut get: impl FnMut(u64) -> bool) -> u64 {
    keys.iter().filter(|key| get(**key)).count() as u64
}

fn quick_cache(size: usize, keys: &[u64]) -> u64 {
    let cache = quick_cache::sync::Cache::new(size);
    ask(keys, |key| {
        cache.get(&key).is_some() || {
            cache.insert(key, key);
            false
        }
    })
}

fn moka(size: usize, keys: &[u64]) -> u64 {
    let cache = moka::sync::Cache::new(size as u64);
    ask(keys, |key| {
        cache.get(&key).is_some() || {
            cache.insert(key, key);
            false
        }
    })
}

fn mini_moka(size: usize, keys: &[u64]) -> u64 {
    let cache = mini_moka::sync::Cache::new(size as u64);
    ask(keys, |key| {
        cache.get(&key).is_some() || {
            cache.insert(key, key);
            false
        }
    })
}

fn foyer(size: usize, keys: &[u64], policy: foyer_memory::EvictionConfig) -> u64 {
    let cache: foyer_memory::Cache<u64, u64> =
        foyer_memory::CacheBuilder::new(size).with_shards(8).with_eviction_config(policy).build();
    ask(keys, |key| {
        cache.get(&key).is_some() || {
            cache.insert(key, key);
            false
        }
    })
}

fn cached(size: usize, keys: &[u64]) -> u64 {
    use cached::Cached;
    let mut cache = cached::LruCache::new(size);
    ask(keys, |key| {
        cache.cache_get(&key).is_some() || {
            cache.cache_set(key, key);
            false
        }
    })
}

fn lru(size: usize, keys: &[u64]) -> u64 {
    let (mut times, mut by_time) = (HashMap::new(), BTreeMap::new());
    let mut hits = 0;
    for (now, key) in keys.iter().enumerate() {
        match times.insert(*key, now) {
            Some(before) => {
                hits += 1;
                by_time.remove(&before);
            }
            None if by_time.len() == size => {
                let oldest = by_time.pop_first();
                oldest.and_then(|(_, oldest)| times.remove(&oldest));
            }
            None => {}
        }
        by_time.insert(now, *key);
    }
    hits
}

/// L. Belady, "A study of replacement algorithms for a virtual-storage computer", 1966; what comes again the latest is not even let in.
fn belady(size: usize, keys: &[u64]) -> u64 {
    let mut next = vec![usize::MAX; keys.len()];
    let mut seen = HashMap::new();
    for (now, key) in keys.iter().enumerate().rev() {
        if let Some(later) = seen.insert(*key, now) {
            next[now] = later;
        }
    }
    // What is in the cache, by when it is asked for next.
    let mut kept = std::collections::BTreeSet::new();
    let mut hits = 0;
    for (now, later) in next.into_iter().enumerate() {
        hits += u64::from(kept.remove(&now));
        if later < usize::MAX {
            kept.insert(later);
            if kept.len() > size {
                kept.pop_last();
            }
        }
    }
    hits
}

/// Hits in a hundred, for each trace, and the mean.
struct Row(Vec<f64>);

impl Row {
    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    fn print(&self, name: &str) {
        print!("{name:<14}");
        for percent in &self.0 {
            print!("{percent:>9.2}");
        }
        println!("{:>9.2}", self.mean());
    }
}

/// The rows of a size, which are printed as they come.
fn table(size: usize, traces: &[Trace]) -> HashMap<&'static str, Row> {
    println!("{size} entries: hits in a hundred");
    print!("{:<14}", "");
    for trace in traces {
        print!("{:>9}", trace.name);
    }
    println!("{:>9}", "mean");
    let rows = POLICIES.into_iter().map(|(name, hits)| {
        let percent = |trace: &Trace| hits(size, &trace.keys) as f64 * 100.0 / trace.keys.len() as f64;
        let row = Row(traces.iter().map(percent).collect());
        row.print(name);
        (name, row)
    });
    let rows = rows.collect();
    println!();
    rows
}

/// How far the default policy is ahead of `quick_cache` and of `moka` on average, and of the better of the two where it is the least.
fn judge(rows: &HashMap<&str, Row>) -> [f64; 3] {
    let (ours, quick_cache, moka) = (&rows[DEFAULT], &rows[QUICK_CACHE], &rows[MOKA]);
    let peers = quick_cache.0.iter().zip(&moka.0).map(|(one, other)| one.max(*other));
    let least = ours.0.iter().zip(peers).map(|(ours, peer)| ours - peer).fold(f64::INFINITY, f64::min);
    [ours.mean() - quick_cache.mean(), ours.mean() - moka.mean(), least]
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let quick = arguments.iter().any(|argument| argument == "--quick" || argument == "--test");
    let seed = arguments.iter().skip_while(|argument| *argument != "--seed").nth(1);
    let seed = seed.map_or(1, |seed| seed.parse().expect("`--seed` is followed by a number"));
    let traces = traces::all(seed, if quick { traces::LENGTH / 50 } else { traces::LENGTH });

    let judged = SIZES.map(|size| judge(&table(size, &traces)));
    let mut met = true;
    for (size, [to_quick_cache, to_moka, least]) in SIZES.iter().zip(judged) {
        println!(
            "{size:>6} entries: mean {to_quick_cache:+.2} to quick_cache, {to_moka:+.2} to moka; at least {least:+.2} to the better on each trace"
        );
        met &= to_quick_cache >= 0.0 && to_moka >= 0.0 && least >= -3.0;
    }
    let verdict = match (quick, met) {
        (true, _) => "not judged, the traces are too short",
        (false, true) => "met",
        (false, false) => "missed",
    };
    println!("Means at least theirs, no trace more than 3 points behind: {verdict}");
}
