//! The entries of one cache, spread over shards.
//!
//! Under a shard's lock entries are found by hash alone and handed out by reference count, so that comparing keys and cloning and
//! dropping values, which are somebody's code, happen after the lock is released. Two keys with one hash are both kept; who looks
//! for the second is told to skip the first.
//!
//! The number of entries is bounded for the cache as a whole, so that an uneven spread costs nothing: a full cache makes room in the shard that the new
//! entry belongs to, and its shared counter is touched only while it fills.

use core::time::Duration;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::sync::Arc;

use super::flight::{Flight, Landing};
use super::load::Loads;
use super::policy::Policy;
use super::shard::{Entries, Entry, Found, Use};
use super::stats::CacheStats;
use crate::clock;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, Ordering};

/// What a cache is told when it is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) max_size: usize,
    pub(super) policy: Policy,
    pub(super) ttl: Option<Duration>,
}

/// One cache: the keys `K` and the values `S` that it keeps, and the results `R` that it does not keep but shares.
pub(super) struct Store<K, S, R> {
    limits: Limits,
    /// One less than the number of shards, which is a power of two.
    mask: u64,
    shards: Box<[Shard<K, S, R>]>,
    len: AtomicUsize,
    pub(super) loads: Loads,
    timed_hits: AtomicU64,
    timed_ticks: AtomicU64,
}

/// On cache lines of its own. 128 bytes, because Intel's prefetcher fetches lines in pairs.
#[repr(align(128))]
struct Shard<K, S, R> {
    entries: Mutex<Entries<K, S>>,
    /// Computations under way, by hash. Locked before `entries` where both are.
    flights: Mutex<Flights<K, S, R>>,
}

type Flights<K, S, R> = HashMap<u64, Arc<Flight<K, S, R>>, foldhash::fast::FixedState>;

/// One hit in as many is timed.
const TIMED: u64 = 1024;

/// What to do about a key that is not in the cache.
pub(super) enum Turn<K, S, R> {
    /// Compute it: this is the flight that others will wait for.
    Lead(Arc<Flight<K, S, R>>),
    /// Wait for this.
    Follow(Arc<Flight<K, S, R>>),
}

impl<K, S, R> Store<K, S, R> {
    pub(super) fn new(mut limits: Limits) -> Self {
        /// Slots are numbered by 32 bits.
        const LARGEST: usize = 1 << 31;
        /// A shard with fewer entries would keep its policy from choosing.
        const SMALLEST: usize = 128;
        limits.max_size = limits.max_size.min(LARGEST);
        let shards = (limits.max_size / SMALLEST).clamp(1, most_shards());
        let shards = 1 << shards.ilog2();
        Store {
            limits,
            mask: shards as u64 - 1,
            shards: (0..shards).map(|_| Shard::new(limits.policy)).collect(),
            len: AtomicUsize::new(0),
            loads: Loads::new(),
            timed_hits: AtomicU64::new(0),
            timed_ticks: AtomicU64::new(0),
        }
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Shard<K, S, R> {
        // The lower bits; the index and the policy use the upper ones.
        &self.shards[(hash & self.mask) as usize]
    }

    /// The entry for which `is` holds. Counts a hit or a miss.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(&K) -> bool) -> Option<Arc<Entry<K, S>>> {
        let now = self.now();
        let (found, timed) = {
            let mut entries = self.shard(hash).entries.lock();
            let found = entries.find(hash, 0, now, Use::Yes);
            match found {
                Found::Candidate(_) => entries.hits += 1,
                Found::Expired(_) | Found::Nothing => entries.misses += 1,
            }
            (found, entries.hits % TIMED == 1)
        };
        match found {
            Found::Candidate(entry) if is(&entry.key) => {
                if timed {
                    self.time_a_hit(hash, &is);
                }
                Some(entry)
            }
            Found::Candidate(_) => {
                let found = self.search(hash, &is, 1, Use::Yes);
                if found.is_none() {
                    self.recount(hash, |entries| (&mut entries.hits, &mut entries.misses));
                }
                found
            }
            Found::Expired(entry) => {
                self.drop_expired(entry);
                let found = self.search(hash, &is, 0, Use::Yes);
                if found.is_some() {
                    self.recount(hash, |entries| (&mut entries.misses, &mut entries.hits));
                }
                found
            }
            Found::Nothing => None,
        }
    }

    /// What was counted turned out to be the other, because two keys have one hash.
    #[cold]
    fn recount(&self, hash: u64, counters: fn(&mut Entries<K, S>) -> (&mut u64, &mut u64)) {
        let mut entries = self.shard(hash).entries.lock();
        let (from, to) = counters(&mut entries);
        *from -= 1;
        *to += 1;
    }

    /// The entry for which `is` holds; neither counted nor used.
    pub(super) fn peek(&self, hash: u64, is: &impl Fn(&K) -> bool) -> Option<Arc<Entry<K, S>>> {
        self.search(hash, is, 0, Use::No)
    }

    fn search(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        mut skip: usize,
        usage: Use,
    ) -> Option<Arc<Entry<K, S>>> {
        let now = self.now();
        loop {
            let found = self.shard(hash).entries.lock().find(hash, skip, now, usage);
            match found {
                Found::Candidate(entry) if is(&entry.key) => return Some(entry),
                Found::Candidate(_) => skip += 1,
                Found::Expired(entry) => self.drop_expired(entry),
                Found::Nothing => return None,
            }
        }
    }

    /// Looks again, with a clock.
    #[cold]
    fn time_a_hit(&self, hash: u64, is: &impl Fn(&K) -> bool) {
        let start = clock::now();
        let found = self.peek(hash, is);
        let ticks = clock::now().saturating_sub(start);
        if found.is_some() {
            self.timed_ticks.fetch_add(ticks, Ordering::Relaxed);
            self.timed_hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Joins the computation of a key that is not in the cache, or begins it.
    pub(super) fn join(&self, hash: u64) -> Turn<K, S, R> {
        match self.shard(hash).flights.lock().entry(hash) {
            Place::Occupied(flight) => Turn::Follow(Arc::clone(flight.get())),
            Place::Vacant(place) => Turn::Lead(Arc::clone(place.insert(Arc::new(Flight::new())))),
        }
    }

    /// Ends a flight with an entry, which is kept unless the key was invalidated meanwhile.
    pub(super) fn land(&self, hash: u64, flight: &Arc<Flight<K, S, R>>, entry: Arc<Entry<K, S>>) {
        let mut flights = self.shard(hash).flights.lock();
        let registered = take(&mut flights, hash, flight);
        // Still under the lock of the flights, so that an invalidation comes before this or finds the entry. The key has no entry yet: its
        // leader looked, and whoever stores another takes the flight out.
        let evicted = registered.as_ref().map(|_| self.put(hash, Arc::clone(&entry), None));
        drop(flights);
        drop(evicted);
        flight.land(Landing::Kept(entry));
    }

    /// Ends a flight without an entry.
    pub(super) fn give_up(&self, hash: u64, flight: &Arc<Flight<K, S, R>>, landing: Landing<K, S, R>) {
        let registered = take(&mut self.shard(hash).flights.lock(), hash, flight);
        flight.land(landing);
        drop(registered);
    }

    /// Keeps an entry in place of what was there, and lets no computation under way overwrite it.
    pub(super) fn insert(&self, hash: u64, entry: Arc<Entry<K, S>>, is: &impl Fn(&K) -> bool) {
        let before = self.peek(hash, is);
        let mut flights = self.shard(hash).flights.lock();
        let detached = flights.remove(&hash);
        let removed = self.put(hash, entry, before.as_ref());
        drop(flights);
        drop((detached, removed));
    }

    /// Removes a key's entry; whether there was one. A computation under way is not kept.
    pub(super) fn invalidate(&self, hash: u64, is: &impl Fn(&K) -> bool) -> bool {
        let detached = self.shard(hash).flights.lock().remove(&hash);
        drop(detached);
        // Another thread may put the key back at any moment, but not for ever.
        let mut found = false;
        while let Some(entry) = self.peek(hash, is) {
            let mut entries = self.shard(hash).entries.lock();
            let removed = entries.remove(hash, &entry);
            entries.invalidated += u64::from(removed.is_some());
            drop(entries);
            if removed.is_some() {
                self.len.fetch_sub(1, Ordering::Relaxed);
                found = true;
                break;
            }
        }
        found
    }

    /// Removes everything; how much there was.
    pub(super) fn clear(&self) -> u64 {
        let mut count = 0;
        for shard in &self.shards {
            let detached = core::mem::take(&mut *shard.flights.lock());
            let mut entries = shard.entries.lock();
            let slots = entries.clear();
            let removed = slots.iter().filter(|slot| slot.entry.is_some()).count();
            entries.invalidated += removed as u64;
            drop(entries);
            self.len.fetch_sub(removed, Ordering::Relaxed);
            count += removed as u64;
            drop((detached, slots));
        }
        count
    }

    /// Puts an entry into its shard, in place of `before` if that is still there. Returns what gave way to it, to be dropped with
    /// no lock held.
    fn put(
        &self,
        hash: u64,
        entry: Arc<Entry<K, S>>,
        before: Option<&Arc<Entry<K, S>>>,
    ) -> Vec<Arc<Entry<K, S>>> {
        let expires = self.expires();
        let mut removed = Vec::new();
        loop {
            let mut entries = self.shard(hash).entries.lock();
            if let Some(before) = before
                && let Some(replaced) = entries.replace(hash, before, &entry, expires)
            {
                entries.invalidated += 1;
                removed.push(replaced);
                return removed;
            }
            if self.reserve() {
                entries.insert(hash, entry, expires);
                return removed;
            }
            if let Some(evicted) = entries.evict() {
                removed.push(evicted);
                entries.insert(hash, entry, expires);
                return removed;
            }
            drop(entries);
            // Full, and nothing in this shard: another one gives up an entry.
            for shard in &self.shards {
                let evicted = shard.entries.lock().evict();
                if let Some(evicted) = evicted {
                    removed.push(evicted);
                    self.len.fetch_sub(1, Ordering::Relaxed);
                    break;
                }
            }
        }
    }

    /// Takes a place if there is one left.
    fn reserve(&self) -> bool {
        let max = self.limits.max_size;
        let mut len = self.len.load(Ordering::Relaxed);
        while len < max {
            match self.len.compare_exchange_weak(len, len + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => len = now,
            }
        }
        false
    }

    /// Lets go of what had expired, with no lock held.
    #[cold]
    fn drop_expired(&self, entry: Arc<Entry<K, S>>) {
        self.len.fetch_sub(1, Ordering::Relaxed);
        drop(entry);
    }

    /// Only caches whose entries expire read the clock.
    #[inline]
    fn now(&self) -> u64 {
        if self.limits.ttl.is_some() { clock::now() } else { 0 }
    }

    fn expires(&self) -> u64 {
        self.limits.ttl.map_or(u64::MAX, |ttl| clock::now().saturating_add(clock::rate().ticks(ttl)))
    }

    pub(super) fn stats(&self) -> CacheStats {
        let mut stats = CacheStats { max_size: self.limits.max_size as u64, ..CacheStats::default() };
        self.loads.add_to(&mut stats);
        let timed = self.timed_hits.load(Ordering::Relaxed);
        if let Some(ticks) = self.timed_ticks.load(Ordering::Relaxed).checked_div(timed) {
            stats.hit_cost = clock::rate().duration(ticks);
        }
        for shard in &self.shards {
            let entries = shard.entries.lock();
            stats.hits += entries.hits;
            stats.misses += entries.misses;
            stats.evicted += entries.evicted;
            stats.expired += entries.expired;
            stats.invalidated += entries.invalidated;
            stats.len += entries.len() as u64;
        }
        stats
    }
}

/// Takes a flight out if it is still the one for its hash.
fn take<K, S, R>(
    flights: &mut Flights<K, S, R>,
    hash: u64,
    flight: &Arc<Flight<K, S, R>>,
) -> Option<Arc<Flight<K, S, R>>> {
    match flights.entry(hash) {
        Place::Occupied(place) if Arc::ptr_eq(place.get(), flight) => Some(place.remove()),
        _ => None,
    }
}

impl<K, S, R> Shard<K, S, R> {
    fn new(policy: Policy) -> Self {
        Shard { entries: Mutex::new(Entries::new(policy)), flights: Mutex::new(Flights::default()) }
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
    use std::collections::VecDeque;

    use super::*;

    type Numbers = Store<u64, u64, ()>;

    fn store(max_size: usize, policy: Policy) -> Numbers {
        Store::new(Limits { max_size, policy, ttl: None })
    }

    /// A hash in which, from a thousand on, every eighth key meets another one. A look at the wrong one of the two is a use of it, so
    /// the order of uses is exact only without.
    fn hash(key: u64) -> u64 {
        let key = if key > 1_000 && key.is_multiple_of(8) { key / 8 } else { key };
        (key + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn put(store: &Numbers, key: u64, value: u64) {
        store.insert(hash(key), Arc::new(Entry { key, value }), &|other| *other == key);
    }

    fn get(store: &Numbers, key: u64) -> Option<u64> {
        store.find(hash(key), |other| *other == key).map(|entry| entry.value)
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
                        let peeked = store.peek(hash(key), &|other| *other == key).map(|entry| entry.value);
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
