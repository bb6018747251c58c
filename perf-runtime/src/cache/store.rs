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
use super::index::Index;
use super::load::Loads;
use super::policy::{Order, Policy};
use super::stats::CacheStats;
use crate::clock;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, Ordering};

/// A key and what belongs to it.
#[derive(Debug)]
pub(super) struct Entry<K, S> {
    pub(super) key: K,
    pub(super) value: S,
}

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

struct Entries<K, S> {
    index: Index,
    slots: Vec<Slot<K, S>>,
    free: Vec<u32>,
    order: Order,
    hits: u64,
    misses: u64,
    evicted: u64,
    expired: u64,
    invalidated: u64,
}

struct Slot<K, S> {
    hash: u64,
    /// In ticks; `u64::MAX` for never.
    expires: u64,
    /// `None` in a free slot.
    entry: Option<Arc<Entry<K, S>>>,
}

/// What a look into a shard found.
enum Found<K, S> {
    /// An entry with the hash; most likely the one.
    Candidate(Arc<Entry<K, S>>),
    /// An entry whose time was up, and which was taken out. There may be others.
    Expired(Arc<Entry<K, S>>),
    Nothing,
}

/// Whether a look is a use, as far as the policy is concerned.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Yes,
    No,
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
            stats.len += (entries.slots.len() - entries.free.len()) as u64;
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
        Shard {
            entries: Mutex::new(Entries {
                index: Index::default(),
                slots: Vec::new(),
                free: Vec::new(),
                order: Order::new(policy),
                hits: 0,
                misses: 0,
                evicted: 0,
                expired: 0,
                invalidated: 0,
            }),
            flights: Mutex::new(Flights::default()),
        }
    }
}

impl<K, S> Entries<K, S> {
    /// The entry with this hash, after `skip` others. An expired one is taken out.
    #[inline]
    fn find(&mut self, hash: u64, skip: usize, now: u64, usage: Use) -> Found<K, S> {
        let slot =
            self.index.candidates(hash).filter(|slot| self.slots[*slot as usize].hash == hash).nth(skip);
        let Some(slot) = slot else { return Found::Nothing };
        let Slot { expires, entry, .. } = &self.slots[slot as usize];
        let Some(entry) = entry else { return Found::Nothing };
        let entry = Arc::clone(entry);
        if *expires <= now {
            self.empty(slot);
            self.expired += 1;
            return Found::Expired(entry);
        }
        if usage == Use::Yes {
            self.order.touch(slot);
        }
        Found::Candidate(entry)
    }

    fn slot_of(&self, hash: u64, entry: &Arc<Entry<K, S>>) -> Option<u32> {
        self.index.candidates(hash).find(|slot| {
            self.slots[*slot as usize].entry.as_ref().is_some_and(|other| Arc::ptr_eq(other, entry))
        })
    }

    fn insert(&mut self, hash: u64, entry: Arc<Entry<K, S>>, expires: u64) {
        let filled = Slot { hash, expires, entry: Some(entry) };
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = filled;
            slot
        } else {
            self.slots.push(filled);
            (self.slots.len() - 1) as u32
        };
        self.index.insert(hash, slot);
        self.order.insert(slot, hash);
    }

    /// Puts another entry where `before` is; `None` if it is no longer there.
    fn replace(
        &mut self,
        hash: u64,
        before: &Arc<Entry<K, S>>,
        entry: &Arc<Entry<K, S>>,
        expires: u64,
    ) -> Option<Arc<Entry<K, S>>> {
        let slot = self.slot_of(hash, before)?;
        self.order.touch(slot);
        let slot = &mut self.slots[slot as usize];
        slot.expires = expires;
        slot.entry.replace(Arc::clone(entry))
    }

    /// Takes an entry out; `None` if it is no longer there.
    fn remove(&mut self, hash: u64, entry: &Arc<Entry<K, S>>) -> Option<Arc<Entry<K, S>>> {
        let slot = self.slot_of(hash, entry)?;
        self.empty(slot)
    }

    fn empty(&mut self, slot: u32) -> Option<Arc<Entry<K, S>>> {
        self.order.remove(slot);
        self.release(slot)
    }

    fn evict(&mut self) -> Option<Arc<Entry<K, S>>> {
        let slots = &self.slots;
        let slot = self.order.evict(|slot| slots[slot as usize].hash)?;
        self.evicted += 1;
        self.release(slot)
    }

    /// Frees a slot that the policy no longer knows.
    fn release(&mut self, slot: u32) -> Option<Arc<Entry<K, S>>> {
        let Slot { hash, entry, .. } = &mut self.slots[slot as usize];
        self.index.remove(*hash, slot);
        self.free.push(slot);
        entry.take()
    }

    fn clear(&mut self) -> Vec<Slot<K, S>> {
        self.index.clear();
        self.order.clear();
        self.free = Vec::new();
        core::mem::take(&mut self.slots)
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
