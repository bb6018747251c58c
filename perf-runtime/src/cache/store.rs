//! The entries of one cache, spread over shards, and the computations under way.
//!
//! Under a shard's lock entries are found by hash alone and handed out by reference count, so that comparing keys and cloning and
//! dropping values, which are somebody's code, happen after the lock is released. Two keys with one hash are both kept. Where what was
//! found must still be so when something is changed, it is looked at again under the lock, by address; if it is not, all begins anew.
//!
//! The number of entries is bounded for the cache as a whole, so that an uneven spread costs nothing: a full cache makes room in the shard that the new
//! entry belongs to, and its shared counter is touched only while it fills.

use core::time::Duration;
use std::sync::Arc;

use super::aloft::{Aloft, Flights};
use super::flight::{Flight, Landing};
use super::load::Loads;
use super::policy::Policy;
use super::shard::{Bucket, Entries, Entry, Found};
use super::stats::CacheStats;
use super::waits::{FlightId, next_id};
use crate::clock;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, Ordering};

/// What a cache is told when it is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) max_size: usize,
    pub(super) policy: Policy,
    pub(super) ttl: Option<Duration>,
}

impl Limits {
    /// Slots are numbered by 32 bits.
    pub(super) const LARGEST: usize = 1 << 31;
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
    /// Computations under way. Locked before `entries` where both are.
    aloft: Mutex<Aloft<K, S, R>>,
    entries: Mutex<Entries<K, S>>,
}

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
    pub(super) fn new(limits: Limits) -> Self {
        /// A shard with fewer entries would keep its policy from choosing.
        const SMALLEST: usize = 128;
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
            let found = entries.find(hash, now);
            match found {
                Found::Candidate(_) => entries.hits += 1,
                Found::Expired | Found::Nothing => entries.misses += 1,
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
            Found::Candidate(_) => self.find_among(hash, &is, true),
            Found::Expired => self.find_among(hash, &is, false),
            Found::Nothing => None,
        }
    }

    /// The rest of [`find`](Self::find) where the first entry with the hash was not the one, which has been counted as a hit or as a miss.
    #[cold]
    fn find_among(&self, hash: u64, is: &impl Fn(&K) -> bool, was_hit: bool) -> Option<Arc<Entry<K, S>>> {
        let found = self.peek(hash, is);
        let mut entries = self.shard(hash).entries.lock();
        if let Some(entry) = &found {
            entries.touch(hash, entry);
        }
        match (was_hit, found.is_some()) {
            (true, false) => {
                entries.hits -= 1;
                entries.misses += 1;
            }
            (false, true) => {
                entries.misses -= 1;
                entries.hits += 1;
            }
            _ => {}
        }
        drop(entries);
        found
    }

    /// The entry for which `is` holds; neither counted nor used.
    pub(super) fn peek(&self, hash: u64, is: &impl Fn(&K) -> bool) -> Option<Arc<Entry<K, S>>> {
        let now = self.now();
        let first = self.shard(hash).entries.lock().first(hash, now);
        match first {
            Found::Candidate(entry) if is(&entry.key) => return Some(entry),
            Found::Nothing => return None,
            Found::Candidate(_) | Found::Expired => {}
        }
        let mut expired = Bucket::new();
        let bucket = self.shard(hash).entries.lock().bucket(hash, now, &mut expired);
        self.len.fetch_sub(expired.len(), Ordering::Relaxed);
        drop(expired);
        bucket.into_iter().find(|entry| is(&entry.key))
    }

    /// Looks again, with a clock.
    #[cold]
    fn time_a_hit(&self, hash: u64, is: &impl Fn(&K) -> bool) {
        let start = clock::now();
        let found = self.shard(hash).entries.lock().first(hash, start);
        let is_one = matches!(&found, Found::Candidate(entry) if is(&entry.key));
        let ticks = clock::now().saturating_sub(start);
        if is_one {
            self.timed_ticks.fetch_add(ticks, Ordering::Relaxed);
            self.timed_hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Joins the computation of a key that is not in the cache, or begins it.
    pub(super) fn join(
        &self,
        hash: u64,
        entry: &Arc<Entry<K, S>>,
        is: &impl Fn(&K) -> bool,
    ) -> Turn<K, S, R> {
        let flight = Arc::new(Flight::new(Arc::clone(entry), true));
        let mut flights = Flights::new();
        loop {
            let mut aloft = self.shard(hash).aloft.lock();
            if aloft.are(hash, &flights) {
                aloft.add(hash, &flight);
                return Turn::Lead(flight);
            }
            let others = aloft.of(hash);
            drop(aloft);
            flights = others;
            let mut same = flights.iter().filter(|other| other.is_shared && is(&other.entry.key));
            if let Some(other) = same.next() {
                return Turn::Follow(Arc::clone(other));
            }
        }
    }

    /// Begins a computation that nobody waits for, whatever else is under way.
    pub(super) fn begin(&self, hash: u64, entry: &Arc<Entry<K, S>>) -> Arc<Flight<K, S, R>> {
        let flight = Arc::new(Flight::new(Arc::clone(entry), false));
        self.shard(hash).aloft.lock().add(hash, &flight);
        flight
    }

    /// Ends a flight whose entry has a value, which is kept unless the key was invalidated meanwhile.
    pub(super) fn land(&self, hash: u64, flight: &Arc<Flight<K, S, R>>, is: &impl Fn(&K) -> bool) {
        let settled = self.settle(hash, flight.id, Some(flight), Some(&flight.entry), is);
        // Before anything of what gave way is dropped, which may take long.
        flight.land(Landing::Kept);
        drop(settled);
    }

    /// Ends a flight without a value for its entry.
    pub(super) fn give_up(&self, hash: u64, flight: &Arc<Flight<K, S, R>>, landing: Landing<R>) {
        self.shard(hash).aloft.lock().remove(hash, flight);
        flight.land(landing);
    }

    /// Ends a flight whose result is not kept: what was there is not what the function returns now.
    pub(super) fn forget(&self, hash: u64, flight: &Arc<Flight<K, S, R>>, is: &impl Fn(&K) -> bool) {
        let settled = self.settle(hash, flight.id, Some(flight), None, is);
        flight.land(Landing::Nothing);
        drop(settled);
    }

    /// Keeps an entry in place of what is there; no computation under way overwrites it.
    pub(super) fn insert(&self, hash: u64, entry: &Arc<Entry<K, S>>, is: &impl Fn(&K) -> bool) {
        drop(self.settle(hash, next_id(), None, Some(entry), is));
    }

    /// Removes a key's entry; whether there was one. A computation under way is not kept.
    pub(super) fn invalidate(&self, hash: u64, is: &impl Fn(&K) -> bool) -> bool {
        self.settle(hash, next_id(), None, None, is).was_there
    }

    /// Makes `entry`, or nothing, what is kept of a key, and gives up what began before `order` and could undo that. What `flight`
    /// brings counts only as long as it is aloft, which it no longer is when something that began later has settled the key.
    fn settle(
        &self,
        hash: u64,
        order: FlightId,
        flight: Option<&Arc<Flight<K, S, R>>>,
        entry: Option<&Arc<Entry<K, S>>>,
        is: &impl Fn(&K) -> bool,
    ) -> Settled<K, S> {
        let (now, expires) = (self.now(), self.expires());
        let shard = self.shard(hash);
        // What there is as a rule.
        let mut flights: Flights<K, S, R> = flight.into_iter().cloned().collect();
        let mut bucket: Bucket<K, S> = Bucket::new();
        let mut swept: Bucket<K, S> = Bucket::new();
        loop {
            let before = bucket.iter().find(|entry| is(&entry.key));
            let overtaken: Vec<_> =
                flights.iter().filter(|other| other.id < order && is(&other.entry.key)).collect();
            let mut aloft = shard.aloft.lock();
            if flight.is_some_and(|flight| !aloft.contains(hash, flight)) {
                return Settled { was_there: false, gone: None, swept };
            }
            // Under both locks, so that whoever settles the key next sees either the flight or what became of it.
            let mut entries = shard.entries.lock();
            if !aloft.are(hash, &flights) || !entries.is_bucket(hash, &bucket) {
                let mut over = Bucket::new();
                let seen = (aloft.of(hash), entries.bucket(hash, now, &mut over));
                drop((entries, aloft));
                self.len.fetch_sub(over.len(), Ordering::Relaxed);
                (flights, bucket) = seen;
                continue;
            }
            let mut gone = None;
            match (before, entry) {
                (Some(before), Some(entry)) => gone = entries.replace(hash, before, entry, expires),
                (Some(before), None) => {
                    gone = entries.remove(hash, before);
                    self.len.fetch_sub(1, Ordering::Relaxed);
                }
                (None, Some(entry)) => {
                    let before = swept.len();
                    entries.sweep(now, &mut swept);
                    self.len.fetch_sub(swept.len() - before, Ordering::Relaxed);
                    if !self.reserve() {
                        gone = entries.evict();
                        if gone.is_none() {
                            drop((entries, aloft));
                            self.evict_anywhere();
                            continue;
                        }
                    }
                    entries.insert(hash, Arc::clone(entry), expires);
                }
                (None, None) => {}
            }
            entries.invalidated += u64::from(before.is_some());
            for flight in overtaken.into_iter().chain(flight) {
                aloft.remove(hash, flight);
            }
            drop((entries, aloft));
            return Settled { was_there: before.is_some(), gone, swept };
        }
    }

    /// Lets an entry of any shard give way.
    #[cold]
    fn evict_anywhere(&self) {
        for shard in &self.shards {
            let evicted = shard.entries.lock().evict();
            if evicted.is_some() {
                self.len.fetch_sub(1, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Removes everything; how much there was. No computation under way is kept.
    pub(super) fn clear(&self) -> u64 {
        let (mut detached, mut removed) = (Vec::new(), Vec::new());
        for shard in &self.shards {
            let mut aloft = shard.aloft.lock();
            let mut entries = shard.entries.lock();
            detached.push(core::mem::take(&mut *aloft));
            let all = entries.clear();
            entries.invalidated += all.len() as u64;
            drop((entries, aloft));
            self.len.fetch_sub(all.len(), Ordering::Relaxed);
            removed.push(all);
        }
        removed.iter().map(|all| all.len() as u64).sum()
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

/// What became of a key.
#[must_use = "what gave way is dropped with it"]
struct Settled<K, S> {
    was_there: bool,
    /// What gave way: dropped, which is somebody's code, after the locks are released.
    #[allow(dead_code, reason = "it is held to be dropped")]
    gone: Option<Arc<Entry<K, S>>>,
    /// What was there for too long; the same.
    #[allow(dead_code, reason = "it is held to be dropped")]
    swept: Bucket<K, S>,
}

impl<K, S, R> Shard<K, S, R> {
    fn new(policy: Policy) -> Self {
        Shard { aloft: Mutex::new(Aloft::default()), entries: Mutex::new(Entries::new(policy)) }
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
    use std::sync::OnceLock;

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
        let entry = Arc::new(Entry { key, value: OnceLock::from(value) });
        store.insert(hash(key), &entry, &|other| *other == key);
    }

    fn value(entry: &Entry<u64, u64>) -> u64 {
        *entry.value.get().expect("what is in a cache has a value")
    }

    fn get(store: &Numbers, key: u64) -> Option<u64> {
        store.find(hash(key), |other| *other == key).map(|entry| value(&entry))
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
                        let peeked = store.peek(hash(key), &|other| *other == key).map(|entry| value(&entry));
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
