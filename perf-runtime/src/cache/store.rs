//! The entries of one cache, spread over shards, and the computations under way.
//!
//! A hit takes no lock: it reads the table of its shard while its thread's record says so, and compares and clones while the
//! record names the entry. Everything else happens under the shard's lock, where entries are told apart by half of a hash, so that comparing keys and
//! cloning and dropping results, which are somebody's code, happen after the lock is released. Where what was found must still be so when something is changed, it
//! is looked at again under the lock; if it is not, all begins anew.
//!
//! The number of entries is bounded for the cache as a whole, so that an uneven spread costs nothing: a full cache makes room in the shard that the new
//! entry belongs to, and its shared counter is touched only while it fills.

mod adapt;
mod derived;
mod glance;
mod lead;
mod look;
mod resize;
mod settle;
mod sweep;

use core::time::Duration;
use std::sync::Arc;

use self::adapt::{Adaptation, IDLE, SYSTEM_CLOCK, USES};
use self::look::{Inconclusive, NOTED, first};
use super::flight::Flight;
use super::policy::Policy;
use super::readers::Register;
use super::refresh::Windows;
use super::shard::held::Held;
use super::shard::{Cause, Shard};
use super::stats::CacheStats;
use crate::clock;
use crate::sync::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};

pub use self::adapt::set_adaptive;
pub(super) use self::glance::{TOLD, UNTOLD};
pub(super) use self::lead::Lead;

/// What a cache is told when it is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Entries.
    pub(super) max_size: usize,
    /// Bytes, by estimate.
    pub(super) max_memory: u64,
    pub(super) policy: Policy,
    /// How long a result is good for since it was computed, and since it was asked for last.
    pub(super) ttl: Option<Duration>,
    pub(super) tti: Option<Duration>,
    /// How long after that it is handed out while it is computed anew, and where computing it fails.
    pub(super) stale: Duration,
    pub(super) stale_if_error: Duration,
    /// Whether it is computed anew a little before its end, at random.
    pub(super) refresh_ahead: bool,
    /// Whether it grows by itself where that helps.
    pub(super) is_adaptive: bool,
}

/// Entries of a cache that sets no `max_size`.
pub const DEFAULT_MAX_SIZE: usize = 10_000;

/// Bytes of a cache that sets no `max_memory`.
pub const DEFAULT_MAX_MEMORY: u64 = 500 << 20;

impl Limits {
    pub(super) const DEFAULT: Limits = Limits {
        max_size: DEFAULT_MAX_SIZE,
        max_memory: DEFAULT_MAX_MEMORY,
        policy: Policy::S3Fifo,
        ttl: None,
        tti: None,
        stale: Duration::ZERO,
        stale_if_error: Duration::ZERO,
        refresh_ahead: false,
        is_adaptive: false,
    };

    const fn is_timed(&self) -> bool {
        self.ttl.is_some() || self.tti.is_some()
    }

    /// Whether a result is only for those who wait for it.
    const fn keeps_nothing(&self) -> bool {
        self.max_size == 0
    }

    /// Slots are numbered by 32 bits.
    pub(super) const LARGEST: usize = 1 << 31;
}

/// One cache: the keys `K` and the values `S` that it keeps, and the results `R` that it does not keep but shares.
pub(super) struct Store<K, S, R> {
    /// As it was made; `max_size` may be another one now.
    limits: Limits,
    /// What the index of dependencies knows it by.
    pub(super) number: u32,
    /// One less than the number of shards, which is a power of two.
    mask: u64,
    shards: Box<[Shard<K, S, R>]>,
    readers: Register,
    /// Whether entries end.
    is_timed: bool,
    /// How long entries are good for, in ticks: since they were computed, and since they were asked for.
    life: u64,
    idle: u64,
    windows: Windows,
    /// Whether somebody removes what is over.
    is_watched: AtomicBool,
    /// Whether all entries are of one weight, and which.
    is_flat: bool,
    flat: u64,
    /// Bytes, by estimate, where they are not.
    bytes: AtomicU64,
    /// Who wants to know of hits: nobody, as a rule.
    on_hit: AtomicU8,
    max_size: AtomicUsize,
    len: AtomicUsize,
    adaptation: Adaptation,
}

/// What to do about a key that is not in the cache.
pub(super) enum Turn<K: 'static, S: 'static, R: 'static> {
    /// It is in the cache after all: what is held.
    Found(Held<'static, K, S, R>),
    /// Compute it: others will wait for it.
    Lead(Lead<K, S, R>),
    /// Wait for this, which is computed in the slot that is held.
    Follow(Arc<Flight<R>>, Held<'static, K, S, R>),
}

/// The upper half of a hash: what the table and the policy use. The lower bits choose the shard.
#[inline]
const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Making.
impl<K, S, R> Store<K, S, R> {
    /// Bytes of an entry beside its key and its result: what is kept with them, its place in the table, and what the policy knows.
    const PLACE: u64 = 40;

    /// `flat` is the weight of every entry, if they are all of one; the index of dependencies knows it by `number`.
    pub(super) fn new(mut limits: Limits, flat: Option<u64>, number: u32) -> Self {
        /// A shard with fewer entries would keep its policy from choosing.
        const SMALLEST: usize = if cfg!(shuttle) { 2 } else { 128 };
        /// From here on so many entries leave at once that it pays to ask all threads for a fence.
        const LARGE: usize = 1_000;
        if let Some(weight) = flat {
            let entries = limits.max_memory / (weight + Self::PLACE);
            let most = usize::try_from(entries).unwrap_or(usize::MAX).max(1);
            limits.max_size = limits.max_size.min(most);
        }
        let shards = (limits.max_size / SMALLEST).clamp(1, most_shards());
        let shards = 1 << shards.ilog2();
        // A little less: the rate of the clock is not yet known to the last part of a million, and nothing is to be good for too long.
        let ticks = |time: Option<Duration>| {
            time.map_or(u64::MAX, |time| {
                let ticks = clock::rate().ticks(time);
                (ticks - (ticks >> 14)).max(1)
            })
        };
        let window = |time: Duration| if time.is_zero() { 0 } else { clock::rate().ticks(time) };
        let windows = Windows {
            beta: if limits.refresh_ahead { 1.0 } else { 0.0 },
            stale: window(limits.stale),
            stale_if_error: window(limits.stale_if_error),
        };
        Store {
            life: ticks(limits.ttl),
            idle: ticks(limits.tti),
            windows,
            is_watched: AtomicBool::new(false),
            is_flat: flat.is_some(),
            flat: flat.map_or(0, |weight| weight + Self::PLACE),
            bytes: AtomicU64::new(0),
            limits,
            number,
            mask: shards as u64 - 1,
            shards: (0..shards)
                .map(|_| Shard::new(limits.policy, limits.is_timed(), flat.is_some()))
                .collect(),
            readers: Register::new(limits.max_size >= LARGE, shards > 1),
            is_timed: limits.is_timed(),
            on_hit: AtomicU8::new(
                if limits.policy.wants_uses() { USES } else { 0 }
                    | if limits.tti.is_some() { IDLE } else { 0 }
                    // The lives of entries have been asked for in ticks by now, so the clock is known.
                    | if limits.is_timed() && !clock::is_counter() { SYSTEM_CLOCK } else { 0 },
            ),
            max_size: AtomicUsize::new(limits.max_size),
            len: AtomicUsize::new(0),
            adaptation: Adaptation::new(),
        }
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Shard<K, S, R> {
        // SAFETY: there is one more than the mask says.
        unsafe { self.shards.get_unchecked((hash & self.mask) as usize) }
    }
}

/// Counting.
impl<K, S, R> Store<K, S, R> {
    /// Counts a run of the body that no flight stands for.
    pub(super) fn count_load(&self, hash: u64, ticks: u64, is_kept: bool) {
        self.shard(hash).lock().writer.count_load(ticks, is_kept);
    }

    /// A miss was answered by another caller's run.
    pub(super) fn count_wait(&self, hash: u64) {
        self.shard(hash).lock().writer.counts.waits += 1;
    }

    pub(super) fn stats(&self) -> CacheStats {
        let counted = self.readers.counted();
        let mut stats = CacheStats {
            hits: counted.hits,
            misses: counted.misses,
            max_size: self.max_size() as u64,
            ..CacheStats::default()
        };
        if let Some(ticks) = counted.ticks.checked_div(counted.timed) {
            stats.hit_cost = clock::rate().duration(ticks);
        }
        let mut ticks = 0;
        for shard in &self.shards {
            let locked = shard.lock();
            let (counts, bytes) = (locked.writer.counts, locked.writer.bytes);
            stats.len += locked.writer.len as u64;
            drop(locked);
            stats.hits += counts.hits;
            stats.misses += counts.misses;
            stats.waits += counts.waits;
            stats.loads += counts.loads;
            stats.load_errors += counts.load_errors;
            stats.evicted += counts.left(Cause::Evicted);
            stats.evicted_for_memory += counts.left(Cause::Memory);
            stats.memory += bytes;
            stats.expired += counts.left(Cause::Expired);
            stats.invalidated += counts.left(Cause::Invalidated);
            ticks += counts.load_ticks;
        }
        if ticks > 0 {
            stats.load_time = clock::rate().duration(ticks);
        }
        stats
    }
}

/// Four for each processor, so that two threads seldom meet at one.
fn most_shards() -> usize {
    static MOST: AtomicUsize = AtomicUsize::new(0);
    match MOST.load(Ordering::Relaxed) {
        0 => {
            let processors = std::thread::available_parallelism().map_or(4, usize::from);
            MOST.store(processors * 4, Ordering::Relaxed);
            processors * 4
        }
        most => most,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, VecDeque};

    use super::super::dependency::next_cache;
    use super::super::flight::Landing;
    use super::*;

    type Numbers = Store<u64, u64, ()>;

    fn store(max_size: usize, policy: Policy) -> Numbers {
        Store::new(Limits { max_size, policy, ..Limits::DEFAULT }, Some(16), next_cache())
    }

    /// A hash in which, from a thousand on, every eighth key meets another one. A look at the wrong one of the two is a use of it, so
    /// the order of uses is exact only without.
    fn hash(key: u64) -> u64 {
        let key = if key > 1_000 && key.is_multiple_of(8) { key / 8 } else { key };
        (key + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn put(store: &Numbers, key: u64, value: u64) {
        store.insert(hash(key), key, value, 0, &|other| *other == key);
    }

    fn get(store: &Numbers, key: u64) -> Option<u64> {
        store.find(hash(key), |other| *other == key, |value| *value)
    }

    /// Numbers that are anything but regular.
    fn random(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    /// Least recently used, as plain as can be.
    #[derive(Default)]
    struct Model {
        /// From the oldest to the newest.
        entries: VecDeque<(u64, u64)>,
    }

    impl Model {
        fn take(&mut self, key: u64) -> Option<u64> {
            let at = self.entries.iter().position(|(other, _)| *other == key)?;
            self.entries.remove(at).map(|(_, value)| value)
        }

        fn get(&mut self, key: u64) -> Option<u64> {
            let value = self.take(key)?;
            self.entries.push_back((key, value));
            Some(value)
        }

        fn put(&mut self, key: u64, value: u64, max_size: usize) {
            if self.take(key).is_none() && self.entries.len() == max_size {
                self.entries.pop_front();
            }
            self.entries.push_back((key, value));
        }
    }

    #[test]
    fn lru_is_what_a_plain_list_does() {
        for max_size in [1, 2, 7, 64, 200] {
            let (store, mut model) = (store(max_size, Policy::Lru), Model::default());
            let mut state = 0x1234_5678_9ABC_DEF1 + max_size as u64;
            for step in 0..30_000 {
                let key = random(&mut state) % (max_size as u64 * 2);
                match random(&mut state) % 100 {
                    0 => assert_eq!(
                        store.invalidate(hash(key), &|other| *other == key),
                        model.take(key).is_some(),
                        "{key} after {step} steps"
                    ),
                    1..50 => assert_eq!(get(&store, key), model.get(key), "{key} after {step} steps"),
                    50 => {
                        let peeked = store.peek(hash(key), |other| *other == key, |value| *value);
                        let kept = model.entries.iter().find(|(other, _)| *other == key);
                        assert_eq!(peeked, kept.map(|(_, value)| *value));
                    }
                    51 if step % 20 == 0 => {
                        assert_eq!(store.clear(), model.entries.len() as u64);
                        model.entries.clear();
                    }
                    _ => {
                        put(&store, key, step);
                        model.put(key, step, max_size);
                    }
                }
                assert_eq!(store.stats().len, model.entries.len() as u64);
            }
        }
    }

    #[test]
    fn s3fifo_gives_what_was_put_and_keeps_its_bound() {
        for max_size in [1, 2, 10, 100, 1_000] {
            let store = store(max_size, Policy::S3Fifo);
            let mut last = HashMap::new();
            let mut state = 0xFEDC_BA98_7654_3211;
            for step in 0..30_000_u64 {
                let key = random(&mut state) % (max_size as u64 * 3);
                if step % 2 == 0 {
                    put(&store, key, step);
                    last.insert(key, step);
                    assert_eq!(get(&store, key), Some(step), "what was put just now");
                } else if let Some(value) = get(&store, key) {
                    assert_eq!(Some(&value), last.get(&key));
                }
                assert!(store.stats().len <= max_size as u64);
            }
            assert_eq!(store.stats().len, max_size as u64);
            let counted = store.stats();
            assert_eq!(counted.hits + counted.misses, 30_000);
        }
    }

    #[test]
    fn a_store_that_keeps_nothing_hands_results_to_those_who_wait() {
        let store: &'static Store<u64, Arc<u64>, ()> = Box::leak(Box::new(Store::new(
            Limits { max_size: 0, ..Limits::DEFAULT },
            Some(16),
            next_cache(),
        )));
        let result = Arc::new(7);
        for round in 0..100 {
            let Ok(mut lead) = store.lead_alone(hash(1), 1) else { panic!("nothing is there, {round}") };
            let turn = store.join(hash(1), &mut Some(1), |one, other| one == other);
            let Some(Turn::Follow(flight, held)) = turn else { panic!("it is under way") };
            lead.land(Arc::clone(&result), 0, None, |one, other| one == other);
            assert!(matches!(flight.wait(), Landing::Kept));
            assert_eq!(held.value(0), Some(&result));
            drop(held);
            store.insert(hash(2), 2, Arc::clone(&result), 0, &|other| *other == 2);
            assert_eq!(store.find(hash(1), |other| *other == 1, Clone::clone), None);
            assert_eq!(store.find(hash(2), |other| *other == 2, Clone::clone), None);
        }
        assert_eq!((store.stats().len, store.stats().evicted), (0, 0));
        assert!(Arc::strong_count(&result) < 10, "{} are held", Arc::strong_count(&result));
    }

    /// Hits of a trace on an empty cache, in percent.
    fn hit_percent(policy: Policy, max_size: usize, trace: impl Iterator<Item = u64>) -> f64 {
        let store = store(max_size, policy);
        for key in trace {
            if get(&store, key).is_none() {
                put(&store, key, key);
            }
        }
        store.stats().hit_ratio().unwrap_or(0.0) * 100.0
    }

    /// `count` keys, the n-th most popular of which is asked for in proportion to 1 / n^0.9.
    fn zipf(count: usize, length: usize) -> Vec<u64> {
        let mut sums = Vec::with_capacity(count);
        let mut sum = 0.0;
        for n in 1..=count {
            sum += (n as f64).powf(-0.9);
            sums.push(sum);
        }
        let mut state = 88_172_645_463_325_252;
        (0..length)
            .map(|_| {
                let point = (random(&mut state) >> 11) as f64 / (1_u64 << 53) as f64 * sum;
                // Popularity says nothing about the number.
                (sums.partition_point(|sum| *sum < point) as u64).wrapping_mul(0x9E37_79B9) % 1_000_003
            })
            .collect()
    }

    /// A policy that stands in the middle of something when everything leaves must find its way back.
    #[test]
    fn what_was_emptied_is_as_good_as_new() {
        let popular = zipf(20_000, 60_000);
        let fresh = hit_percent(Policy::S3Fifo, 500, popular.iter().copied());
        let store = store(500, Policy::S3Fifo);
        let again = |store: &Numbers| {
            let before = store.stats();
            for key in &popular {
                if get(store, *key).is_none() {
                    put(store, *key, *key);
                }
            }
            let after = store.stats();
            let (hits, misses) = (after.hits - before.hits, after.misses - before.misses);
            hits as f64 / (hits + misses) as f64 * 100.0
        };
        again(&store);
        store.clear();
        let cleared = again(&store);
        assert!((cleared - fresh).abs() < 2.0, "{cleared} after it was cleared, {fresh} before");
        for key in 0..1_000_004 {
            store.invalidate(hash(key), &|other| *other == key);
        }
        assert_eq!(store.stats().len, 0);
        let emptied = again(&store);
        assert!(emptied > fresh - 2.0, "{emptied} after all were invalidated, {fresh} before");
    }

    /// A tenth of an exact figure is not the point; the order is what `policy` is chosen for.
    #[test]
    fn s3fifo_withstands_what_lru_does_not() {
        let popular = zipf(100_000, 200_000);
        let scans = popular.iter().enumerate().flat_map(|(n, key)| {
            let scanned = (n % 2 == 0).then_some(2_000_000 + n as u64);
            [Some(*key), scanned].into_iter().flatten()
        });
        let lru = hit_percent(Policy::Lru, 1_000, popular.iter().copied());
        let s3fifo = hit_percent(Policy::S3Fifo, 1_000, popular.iter().copied());
        assert!(s3fifo > lru + 5.0, "popular keys: {s3fifo} and {lru}");
        let lru = hit_percent(Policy::Lru, 1_000, scans.clone());
        let s3fifo = hit_percent(Policy::S3Fifo, 1_000, scans);
        assert!(s3fifo > lru + 5.0, "with keys that come once: {s3fifo} and {lru}");
    }
}
