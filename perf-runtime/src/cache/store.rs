//! The entries of one cache, spread over shards, and the computations under way.
//!
//! A hit takes no lock: it reads the table of its shard while its thread's record says so, and compares and clones while the
//! record names the entry. Everything else happens under the shard's lock, where entries are told apart by half of a hash, so that comparing keys and
//! cloning and dropping results, which are somebody's code, happen after the lock is released. Where what was found must still be so when something is changed, it
//! is looked at again under the lock; if it is not, all begins anew.
//!
//! The number of entries is bounded for the cache as a whole, so that an uneven spread costs nothing: a full cache makes room in the shard that the new
//! entry belongs to, and its shared counter is touched only while it fills.

use core::time::Duration;
use std::sync::Arc;

use super::flight::{Flight, Landing};
use super::node::{ALOFT, CROWDED, KEPT, Node, SHARED, times};
use super::policy::Policy;
use super::readers::{Record, Register};
use super::shard::{Cause, Gones, Held, Locked, Shard};
use super::stats::CacheStats;
use super::waits::FlightId;
use crate::clock;
use crate::sync::{AtomicUsize, Ordering};

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
    limits: Limits,
    /// One less than the number of shards, which is a power of two.
    mask: u64,
    shards: Box<[Shard<K, S, R>]>,
    readers: Register,
    /// Whether entries end.
    is_timed: bool,
    /// Whether a hit is told to the policy.
    wants_uses: bool,
    len: AtomicUsize,
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

/// A look without a lock is not enough.
struct Inconclusive;

/// What is to become of a key.
#[derive(Clone, Copy)]
enum Settlement {
    /// The result in this slot, which the caller holds, is kept.
    Insert(u32),
    /// The same of a flight, as long as it is aloft.
    Land(u32),
    /// What is there is removed, for this flight brought nothing, as long as it is aloft.
    Forget(u32),
    /// What is there is removed.
    Invalidate,
}

impl Settlement {
    const fn slot(self) -> Option<u32> {
        match self {
            Settlement::Insert(slot) | Settlement::Land(slot) | Settlement::Forget(slot) => Some(slot),
            Settlement::Invalidate => None,
        }
    }

    const fn is_flight(self) -> bool {
        matches!(self, Settlement::Land(_) | Settlement::Forget(_))
    }

    const fn has_value(self) -> bool {
        matches!(self, Settlement::Insert(_) | Settlement::Land(_))
    }
}

/// What became of a key.
#[must_use = "what gave way is dropped with it"]
struct Settled<K, S, R> {
    was_there: bool,
    /// Those who wait for the flight that landed.
    flight: Option<Arc<Flight<R>>>,
    gones: Gones<K, S>,
}

/// The upper half of a hash: what the table and the policy use. The lower bits choose the shard.
#[inline]
const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Looking.
impl<K, S, R> Store<K, S, R> {
    pub(super) fn new(limits: Limits) -> Self {
        /// A shard with fewer entries would keep its policy from choosing.
        const SMALLEST: usize = 128;
        /// From here on so many entries leave at once that it pays to ask all threads for a fence.
        const LARGE: usize = 1_000;
        let shards = (limits.max_size / SMALLEST).clamp(1, most_shards());
        let shards = 1 << shards.ilog2();
        Store {
            limits,
            mask: shards as u64 - 1,
            shards: (0..shards).map(|_| Shard::new(limits.policy, limits.is_timed())).collect(),
            readers: Register::new(limits.max_size >= LARGE),
            is_timed: limits.is_timed(),
            wants_uses: limits.policy.wants_uses(),
            len: AtomicUsize::new(0),
        }
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Shard<K, S, R> {
        // SAFETY: there is one more than the mask says.
        unsafe { self.shards.get_unchecked((hash & self.mask) as usize) }
    }

    /// What `take` makes of the result of the key for which `is` holds. Counts a hit or a miss.
    #[inline]
    pub(super) fn find<T>(&self, hash: u64, is: impl Fn(&K) -> bool, take: impl Fn(&S) -> T) -> Option<T> {
        let Some(record) = self.readers.mine() else { return self.find_without_a_record(hash, &is, &take) };
        let found = self.read(record, hash, &is, &take, true);
        let found = found.unwrap_or_else(|Inconclusive| self.find_held(hash, &is, &take, true));
        if found.is_none() {
            record.count_miss();
        } else if record.count_hit() {
            self.time_a_hit(record, hash, &is);
        }
        found
    }

    /// The same; neither counted nor used.
    pub(super) fn peek<T>(&self, hash: u64, is: impl Fn(&K) -> bool, take: impl Fn(&S) -> T) -> Option<T> {
        let found = self.readers.mine().map(|record| self.read(record, hash, &is, &take, false));
        found
            .unwrap_or(Err(Inconclusive))
            .unwrap_or_else(|Inconclusive| self.find_held(hash, &is, &take, false))
    }

    /// Looks without a lock.
    #[inline]
    fn read<T>(
        &self,
        record: &Record,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
        is_use: bool,
    ) -> Result<Option<T>, Inconclusive> {
        let now = self.now();
        let shard = self.shard(hash);
        let Some(reading) = record.read() else { return Err(Inconclusive) };
        // A table that is replaced is freed when nobody reads it any more.
        for address in shard.table().candidates::<Node<K, S>>(tag(hash)) {
            // SAFETY: nodes live as long as the shard.
            let node = unsafe { &*address };
            if node.tag() != tag(hash) || !node.is(KEPT) {
                continue;
            }
            // SAFETY: entries end, so it has times.
            if self.is_timed && unsafe { times(address) }.is_over(now) {
                continue;
            }
            reading.only(address);
            // SAFETY: it was an entry after this thread had begun to read.
            if !is(unsafe { node.key() }) {
                // Another key has the same tag.
                return Err(Inconclusive);
            }
            if is_use {
                node.touch();
                if self.wants_uses {
                    shard.lock().writer.touch(node.slot());
                }
            }
            // SAFETY: as of the key.
            return Ok(Some(take(unsafe { node.value() })));
        }
        Ok(None)
    }

    /// Looks at what it holds: for a thread whose record says something else, and where several keys have one tag.
    #[cold]
    #[inline(never)]
    fn find_held<T>(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
        is_use: bool,
    ) -> Option<T> {
        let now = self.now();
        let shard = self.shard(hash);
        let locked = shard.lock();
        let slots = locked.writer.slots(tag(hash)).filter(|slot| locked.writer.is_live(*slot, now)).collect();
        let held = locked.hold(slots, &self.readers);
        let place = held.position(is)?;
        if is_use {
            held.node(place).touch();
            if self.wants_uses {
                shard.lock().writer.touch(held.slots()[place]);
            }
        }
        held.value(place).map(take)
    }

    /// On a thread that has ended as far as thread-local storage goes.
    #[cold]
    #[inline(never)]
    fn find_without_a_record<T>(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
    ) -> Option<T> {
        let found = self.find_held(hash, is, take, true);
        let counts = &mut self.shard(hash).lock().writer.counts;
        counts.hits += u64::from(found.is_some());
        counts.misses += u64::from(found.is_none());
        found
    }

    /// Looks again, with a clock.
    #[cold]
    #[inline(never)]
    fn time_a_hit(&self, record: &Record, hash: u64, is: &impl Fn(&K) -> bool) {
        let start = clock::now();
        let found = self.read(record, hash, is, &|_| (), false);
        let ticks = clock::now().saturating_sub(start);
        if let Ok(Some(())) = found {
            record.count_time(ticks);
        }
    }
}

/// Changing.
impl<K, S, R> Store<K, S, R> {
    /// Begins the computation of a key that is not in the cache, if nothing else has its tag; gives the key back otherwise.
    #[inline]
    pub(super) fn lead_alone(&'static self, hash: u64, key: K, is_task: bool) -> Result<Lead<K, S, R>, K> {
        let mut locked = self.shard(hash).lock();
        let slot = locked.begin_alone(tag(hash), key)?;
        Ok(self.lead(hash, slot, locked, is_task, true))
    }

    /// Joins the computation of a key that is not in the cache, or begins it; then the key is taken. `None` asks the caller to run the
    /// body for itself. `is_task` asks for a flight even if nobody waits.
    #[cold]
    #[inline(never)]
    pub(super) fn join(
        &'static self,
        hash: u64,
        key: &mut Option<K>,
        are_same: impl Fn(&K, &K) -> bool,
        is_task: bool,
    ) -> Option<Turn<K, S, R>> {
        let now = self.now();
        let shard = self.shard(hash);
        let mut seen = Held::none(shard, &self.readers);
        loop {
            let mut locked = shard.lock();
            let writer = &locked.writer;
            let live = |slot: &u32| writer.node(*slot).is(ALOFT | SHARED) || writer.is_live(*slot, now);
            let slots: Vec<u32> = writer.slots(tag(hash)).filter(live).collect();
            // Others with this tag were looked at just now: they are other keys.
            if slots == seen.slots() {
                let slot = locked.fill(tag(hash), key.take()?);
                locked.show(slot, ALOFT | SHARED);
                seen.release(&mut locked.writer);
                return Some(Turn::Lead(self.lead(hash, slot, locked, is_task, true)));
            }
            if slots.iter().any(|slot| locked.writer.node(*slot).is_crowd_waiting()) {
                return None;
            }
            let held = locked.hold(slots, &self.readers);
            drop(core::mem::replace(&mut seen, held));
            let own = key.as_ref()?;
            let Some(place) = seen.position(&|other| are_same(other, own)) else { continue };
            let held = core::mem::replace(&mut seen, Held::none(shard, &self.readers)).only(place);
            if held.value(0).is_some() {
                return Some(Turn::Found(held));
            }
            let mut locked = shard.lock();
            let slot = held.slots()[0];
            if locked.writer.node(slot).is(ALOFT) {
                let flight = locked.writer.flight(slot);
                return Some(Turn::Follow(flight, held));
            }
            // It ended meanwhile. `held` is let go of after the lock.
        }
    }

    /// Begins a computation that nobody waits for, whatever else is under way.
    pub(super) fn begin(&'static self, hash: u64, key: K) -> Lead<K, S, R> {
        let mut locked = self.shard(hash).lock();
        let slot = locked.fill(tag(hash), key);
        locked.show(slot, ALOFT);
        self.lead(hash, slot, locked, false, false)
    }

    /// The computation in a slot.
    fn lead(
        &'static self,
        hash: u64,
        slot: u32,
        mut locked: Locked<'_, K, S, R>,
        is_task: bool,
        is_shared: bool,
    ) -> Lead<K, S, R> {
        let flight = is_task.then(|| locked.writer.flight(slot));
        let node = core::ptr::from_ref(locked.writer.node(slot));
        let stands_for = locked.writer.timed_loads();
        drop(locked);
        Lead { store: self, hash, slot, node, flight, is_shared, stands_for, start: 0, is_over: false }
    }

    /// Keeps an entry in place of what is there; no computation under way overwrites it.
    pub(super) fn insert(&self, hash: u64, key: K, value: S, is: &impl Fn(&K) -> bool) {
        let mut locked = self.shard(hash).lock();
        let slot = locked.fill(tag(hash), key);
        // SAFETY: it is in no table, and held by this call.
        unsafe { locked.writer.node(slot).write_value(value) };
        drop(self.unlock(locked, false));
        drop(self.settle(hash, Settlement::Insert(slot), None, is));
    }

    /// Removes a key's entry; whether there was one. A computation under way is not kept.
    pub(super) fn invalidate(&self, hash: u64, is: &impl Fn(&K) -> bool) -> bool {
        self.settle(hash, Settlement::Invalidate, None, is).was_there
    }

    /// Settles a key, and gives up what began earlier and could undo that. `load` is what the run of the body took, and whether its result
    /// is one to keep. Lets go of the slot.
    fn settle(
        &self,
        hash: u64,
        settlement: Settlement,
        load: Option<(u64, bool)>,
        is: &impl Fn(&K) -> bool,
    ) -> Settled<K, S, R> {
        let (now, expires) = (self.now(), self.expires());
        let shard = self.shard(hash);
        if let Settlement::Land(slot) = settlement {
            let mut locked = shard.lock();
            let writer = &mut *locked.writer;
            // Nothing else has the tag, and nothing else is to be done than to keep it: as a rule.
            if writer.node(slot).is_only(ALOFT, CROWDED)
                && !writer.is_clogged()
                && !self.limits.keeps_nothing()
            {
                self.sweep(writer, now, 2);
                if self.reserve() || writer.evict() {
                    return self.land(locked, slot, expires, load);
                }
            }
        }
        self.settle_among(hash, settlement, load, is, (now, expires))
    }

    /// Keeps what is in a slot that has a place.
    #[inline]
    fn land(
        &self,
        mut locked: Locked<'_, K, S, R>,
        slot: u32,
        expires: u64,
        load: Option<(u64, bool)>,
    ) -> Settled<K, S, R> {
        locked.keep(slot, expires);
        load.into_iter().for_each(|(ticks, is_kept)| locked.writer.count_load(ticks, is_kept));
        let flight = locked.writer.finish(slot, true);
        Settled { was_there: false, flight, gones: self.unlock(locked, false) }
    }

    /// The rest of [`settle`](Self::settle).
    fn settle_among(
        &self,
        hash: u64,
        settlement: Settlement,
        load: Option<(u64, bool)>,
        is: &impl Fn(&K) -> bool,
        (now, expires): (u64, u64),
    ) -> Settled<K, S, R> {
        let shard = self.shard(hash);
        let mut was_there = false;
        let mut same: Vec<bool> = Vec::new();
        let mut seen = Held::none(shard, &self.readers);
        loop {
            let mut locked = shard.lock();
            let writer = &mut *locked.writer;
            let slot = settlement.slot();
            let is_overtaken =
                settlement.is_flight() && slot.is_some_and(|slot| !writer.node(slot).is(ALOFT));
            if !is_overtaken {
                let others: Vec<u32> = writer.slots(tag(hash)).filter(|other| Some(*other) != slot).collect();
                if others != seen.slots() {
                    let held = locked.hold(others, &self.readers);
                    drop(core::mem::replace(&mut seen, held));
                    same = seen.keys().map(is).collect();
                    continue;
                }
                let serial = match slot {
                    Some(slot) => writer.node(slot).serial(),
                    None => writer.next_serial(),
                };
                for (other, _) in others.iter().zip(&same).filter(|(_, is_same)| **is_same) {
                    if writer.node(*other).is(KEPT) {
                        let is_over = writer.is_over(*other, now);
                        writer.remove(*other, if is_over { Cause::Expired } else { Cause::Invalidated });
                        self.len.fetch_sub(1, Ordering::Relaxed);
                        was_there |= !is_over;
                    } else if writer.node(*other).is_before(serial) {
                        writer.detach(*other);
                    }
                }
                self.sweep(writer, now, 2);
                if let Some(slot) = slot.filter(|_| settlement.has_value()) {
                    if writer.is_clogged() || self.limits.keeps_nothing() {
                        writer.node(slot).is(ALOFT).then(|| writer.detach(slot));
                    } else if self.reserve() || writer.evict() {
                        locked.keep(slot, expires);
                    } else {
                        drop(self.unlock(locked, false));
                        self.evict_anywhere();
                        continue;
                    }
                } else if let Some(slot) = slot {
                    writer.detach(slot);
                }
            }
            let writer = &mut *locked.writer;
            seen.release(writer);
            load.into_iter().for_each(|(ticks, is_kept)| writer.count_load(ticks, is_kept));
            let flight = slot.and_then(|slot| writer.finish(slot, settlement.has_value()));
            let at_once = matches!(settlement, Settlement::Invalidate);
            return Settled { was_there, flight, gones: self.unlock(locked, at_once) };
        }
    }

    /// Ends a flight that brought nothing for its entry; what is there stays.
    fn give_up(&self, hash: u64, slot: u32, ticks: u64, landing: Landing<R>) {
        let mut locked = self.shard(hash).lock();
        let writer = &mut *locked.writer;
        if writer.node(slot).is(ALOFT) {
            writer.detach(slot);
        }
        writer.count_load(ticks, false);
        let flight = writer.finish(slot, false);
        let gones = self.unlock(locked, false);
        flight.into_iter().for_each(|flight| flight.land(landing.clone()));
        drop(gones);
    }

    /// Sends those who wait for what is held, and is aloft no longer or should not be, back to the beginning.
    pub(super) fn abandon(&self, hash: u64, held: &Held<'_, K, S, R>, flight: &Flight<R>) {
        let locked = self.shard(hash).lock();
        let slot = held.slots()[0];
        if locked.writer.node(slot).is(ALOFT) {
            locked.writer.detach(slot);
        }
        drop(locked);
        flight.land(Landing::Nothing);
    }

    /// Lets an entry of any shard give way.
    #[cold]
    #[inline(never)]
    fn evict_anywhere(&self) {
        for shard in &self.shards {
            let mut locked = shard.lock();
            let is_evicted = locked.writer.evict();
            drop(self.unlock(locked, false));
            if is_evicted {
                self.len.fetch_sub(1, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Removes everything; how much there was. No computation under way is kept.
    pub(super) fn clear(&self) -> u64 {
        let (mut removed, mut gones) = (0, Vec::new());
        for shard in &self.shards {
            let mut locked = shard.lock();
            let removed_here = locked.writer.clear();
            self.len.fetch_sub(removed_here, Ordering::Relaxed);
            removed += removed_here as u64;
            gones.push(self.unlock(locked, true));
        }
        removed
    }

    /// Lets go of a shard's lock; what is returned is to be dropped. `at_once` asks for all of it that nobody uses.
    fn unlock(&self, locked: Locked<'_, K, S, R>, at_once: bool) -> Gones<K, S> {
        locked.unlock(&self.readers, at_once)
    }

    /// Removes some of a shard's entries whose time is up.
    fn sweep(&self, writer: &mut super::shard::Writer<K, S, R>, now: u64, most: usize) {
        let swept = writer.sweep(now, most);
        if swept > 0 {
            self.len.fetch_sub(swept, Ordering::Relaxed);
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

    /// Only caches whose entries expire read the clock.
    #[inline]
    fn now(&self) -> u64 {
        if self.is_timed { clock::now() } else { 0 }
    }

    fn expires(&self) -> u64 {
        self.limits.ttl.map_or(u64::MAX, |ttl| clock::now().saturating_add(clock::rate().ticks(ttl)))
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
            max_size: self.limits.max_size as u64,
            ..CacheStats::default()
        };
        if let Some(ticks) = counted.ticks.checked_div(counted.timed) {
            stats.hit_cost = clock::rate().duration(ticks);
        }
        let mut ticks = 0;
        for shard in &self.shards {
            let locked = shard.lock();
            let counts = locked.writer.counts;
            stats.len += locked.writer.len as u64;
            drop(locked);
            stats.hits += counts.hits;
            stats.misses += counts.misses;
            stats.waits += counts.waits;
            stats.loads += counts.loads;
            stats.load_errors += counts.load_errors;
            stats.evicted += counts.evicted;
            stats.expired += counts.expired;
            stats.invalidated += counts.invalidated;
            ticks += counts.load_ticks;
        }
        if ticks > 0 {
            stats.load_time = clock::rate().duration(ticks);
        }
        stats
    }
}

/// A computation, which ends when this does: also by a panic, or because its future is dropped.
pub(super) struct Lead<K: 'static, S: 'static, R: 'static> {
    store: &'static Store<K, S, R>,
    hash: u64,
    slot: u32,
    node: *const Node<K, S>,
    /// Those who wait, if it is a task's.
    flight: Option<Arc<Flight<R>>>,
    /// Whether others may wait for it.
    pub(super) is_shared: bool,
    /// How many runs of the body this one is timed for.
    stands_for: u64,
    /// When the body began, in ticks.
    start: u64,
    is_over: bool,
}

// SAFETY: it is a slot, which it holds, and a shared reference to its node.
unsafe impl<K: Send + Sync, S: Send + Sync, R: Send + Sync> Send for Lead<K, S, R> {}
// SAFETY: as above.
unsafe impl<K: Send + Sync, S: Send + Sync, R: Send + Sync> Sync for Lead<K, S, R> {}

impl<K, S, R> Lead<K, S, R> {
    /// What it is called among all that are under way.
    pub(super) fn id(&self) -> FlightId {
        self.node.addr()
    }

    /// Those who wait for it.
    pub(super) fn flight(&self) -> Arc<Flight<R>> {
        match &self.flight {
            Some(flight) => Arc::clone(flight),
            None => self.store.shard(self.hash).lock().writer.flight(self.slot),
        }
    }

    pub(super) fn key(&self) -> &K {
        // SAFETY: the slot has a key, and is held.
        unsafe { (*self.node).key() }
    }

    /// The body begins now.
    #[inline]
    pub(super) fn begin(&mut self) {
        if self.stands_for > 0 {
            self.start = clock::now();
        }
    }

    /// What the body took, or is counted for.
    #[inline]
    fn ticks(&self) -> u64 {
        if self.stands_for == 0 {
            return 0;
        }
        clock::now().saturating_sub(self.start).saturating_mul(self.stands_for)
    }

    /// Keeps the result, unless the key was settled meanwhile; those who wait have it in any case.
    pub(super) fn land(mut self, value: S, are_same: impl Fn(&K, &K) -> bool) {
        let ticks = self.ticks();
        // SAFETY: this computes it, and does so once.
        unsafe { (*self.node).write_value(value) };
        self.settle(Settlement::Land(self.slot), ticks, Landing::Kept, are_same);
    }

    /// Ends with a result that is not kept: what was there is not what the function returns now.
    pub(super) fn forget(mut self, are_same: impl Fn(&K, &K) -> bool) {
        let ticks = self.ticks();
        self.settle(Settlement::Forget(self.slot), ticks, Landing::Nothing, are_same);
    }

    fn settle(
        &mut self,
        settlement: Settlement,
        ticks: u64,
        landing: Landing<R>,
        are_same: impl Fn(&K, &K) -> bool,
    ) {
        let load = Some((ticks, settlement.has_value()));
        let own = self.key();
        let settled = self.store.settle(self.hash, settlement, load, &|key| are_same(key, own));
        self.is_over = true;
        // Before anything of what gave way is dropped, which may take long.
        settled.flight.into_iter().for_each(|flight| flight.land(landing.clone()));
        drop(settled.gones);
    }

    /// Ends without a result for the entry.
    pub(super) fn give_up(mut self, landing: Landing<R>) {
        self.is_over = true;
        self.store.give_up(self.hash, self.slot, self.ticks(), landing);
    }
}

impl<K, S, R> Drop for Lead<K, S, R> {
    fn drop(&mut self) {
        if !self.is_over {
            self.store.give_up(self.hash, self.slot, self.ticks(), Landing::Nothing);
        }
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

    use super::*;

    type Numbers = Store<u64, u64, ()>;

    fn store(max_size: usize, policy: Policy) -> Numbers {
        Store::new(Limits { max_size, policy, ..Limits::DEFAULT })
    }

    /// A hash in which, from a thousand on, every eighth key meets another one. A look at the wrong one of the two is a use of it, so
    /// the order of uses is exact only without.
    fn hash(key: u64) -> u64 {
        let key = if key > 1_000 && key.is_multiple_of(8) { key / 8 } else { key };
        (key + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn put(store: &Numbers, key: u64, value: u64) {
        store.insert(hash(key), key, value, &|other| *other == key);
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
        let store: &'static Store<u64, Arc<u64>, ()> =
            Box::leak(Box::new(Store::new(Limits { max_size: 0, ..Limits::DEFAULT })));
        let result = Arc::new(7);
        for round in 0..100 {
            let Ok(lead) = store.lead_alone(hash(1), 1, false) else { panic!("nothing is there, {round}") };
            let turn = store.join(hash(1), &mut Some(1), |one, other| one == other, false);
            let Some(Turn::Follow(flight, held)) = turn else { panic!("it is under way") };
            lead.land(Arc::clone(&result), |one, other| one == other);
            assert!(matches!(flight.wait(), Landing::Kept));
            assert_eq!(held.value(0), Some(&result));
            drop(held);
            store.insert(hash(2), 2, Arc::clone(&result), &|other| *other == 2);
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
