//! A store for each thread: no locks, and nothing in it need be `Send` or `Sync`.
//!
//! What all threads share of an instance is its place in every thread's list of stores, and the counters: each thread has its own,
//! which only it writes, and a report adds them up.
//!
//! No store is borrowed while the user's code runs (`Hash`, `Eq`, `Clone`, `Drop`, the body): an entry is handed out by reference
//! count, looked at, and looked for again where something is to be changed.

use core::any::Any;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::hash::{BuildHasherDefault, Hasher};
use core::marker::PhantomData;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::dependency;
use super::handle::Found;
use super::keep::{KeepAny, KeepOk, KeepSome};
use super::key::Key;
use super::policy::{Details, Entries, MOST_USES, Order};
use super::registry::{AnyCache, Instance, Wanted};
use super::stats::CacheStats;
use super::store::Limits;
use crate::clock;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, Ordering, thread_local};

/// How results of type `R` are kept on their thread.
pub trait LocalKeep<R>: Copy + 'static {
    /// What is kept.
    type Kept: Clone + 'static;

    /// What is to be kept of a result, if anything.
    fn sort(result: &R) -> Option<Self::Kept>;

    /// The result again.
    fn kept(value: Self::Kept) -> R;
}

impl<R: Clone + 'static> LocalKeep<R> for KeepAny {
    type Kept = R;

    fn sort(result: &R) -> Option<R> {
        Some(result.clone())
    }

    #[inline]
    fn kept(value: R) -> R {
        value
    }
}

impl<T: Clone + 'static, E> LocalKeep<Result<T, E>> for KeepOk {
    type Kept = T;

    fn sort(result: &Result<T, E>) -> Option<T> {
        result.as_ref().ok().cloned()
    }

    #[inline]
    fn kept(value: T) -> Result<T, E> {
        Ok(value)
    }
}

impl<T: Clone + 'static> LocalKeep<Option<T>> for KeepSome {
    type Kept = T;

    fn sort(result: &Option<T>) -> Option<T> {
        result.clone()
    }

    #[inline]
    fn kept(value: T) -> Option<T> {
        Some(value)
    }
}

/// What all threads know of a cache that each of them has for itself.
pub(super) struct Local<K, S> {
    /// What the index of dependencies knows it by.
    number: u32,
    seed: foldhash::fast::RandomState,
    limits: Limits,
    /// Where a thread's list has the store.
    place: usize,
    threads: Mutex<Threads>,
    types: PhantomData<fn(K) -> S>,
}

/// Those who count.
#[derive(Default)]
struct Threads {
    running: Vec<Arc<Counts>>,
    ended: CacheStats,
    ended_ticks: u64,
}

/// What one thread counted; written by it alone.
#[derive(Default)]
struct Counts {
    hits: Count,
    misses: Count,
    loads: Count,
    load_errors: Count,
    load_ticks: Count,
    evicted: Count,
    expired: Count,
    invalidated: Count,
    len: Count,
}

#[derive(Default)]
struct Count(AtomicU64);

impl Count {
    #[inline]
    fn add(&self, number: u64) {
        self.0.store(self.get().wrapping_add(number), Ordering::Relaxed);
    }

    fn set(&self, number: usize) {
        self.0.store(number as u64, Ordering::Relaxed);
    }

    #[inline]
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counts {
    /// Without the time, which is kept in ticks until it is asked for.
    fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.get(),
            misses: self.misses.get(),
            loads: self.loads.get(),
            load_errors: self.load_errors.get(),
            evicted: self.evicted.get(),
            expired: self.expired.get(),
            invalidated: self.invalidated.get(),
            len: self.len.get(),
            ..CacheStats::default()
        }
    }
}

thread_local! {
    /// This thread's stores, each where its cache says.
    static STORES: RefCell<Vec<Option<Rc<dyn Any>>>> = const { RefCell::new(Vec::new()) };
}

impl<K: 'static, S: 'static> AnyCache for Local<K, S> {
    fn new(wanted: &Wanted) -> Self {
        static PLACES: AtomicUsize = AtomicUsize::new(0);
        Local {
            seed: foldhash::fast::RandomState::default(),
            limits: wanted.limits,
            number: wanted.number,
            place: PLACES.fetch_add(1, Ordering::Relaxed),
            threads: Mutex::new(Threads::default()),
            types: PhantomData,
        }
    }

    fn stats(&self) -> CacheStats {
        let threads = self.threads.lock();
        let (mut sum, mut ticks) = (threads.ended, threads.ended_ticks);
        for counts in &threads.running {
            sum.add(&counts.stats());
            ticks += counts.load_ticks.get();
        }
        drop(threads);
        sum.max_size = self.limits.max_size as u64;
        if ticks > 0 {
            sum.load_time = clock::rate().duration(ticks);
        }
        sum
    }

    fn clear(&self) -> u64 {
        self.store().map_or(0, |store| store.clear())
    }

    fn number(&self) -> u32 {
        self.number
    }

    /// Each thread's store keeps its size.
    fn resize(&self, _: usize) {}

    /// What is in a thread's own store depends on nothing.
    fn remove(&self, _: &dependency::Gone) -> bool {
        false
    }
}

impl<K: 'static, S: 'static> Local<K, S> {
    /// This thread's store, if it has one; none at its very end.
    #[inline]
    fn store(&self) -> Option<Rc<Store<K, S>>> {
        let store = STORES.try_with(|stores| stores.borrow().get(self.place)?.clone()).ok()??;
        store.downcast().ok()
    }

    /// The same, made if need be.
    #[inline]
    fn store_or_new(&'static self) -> Option<Rc<Store<K, S>>> {
        self.store().or_else(|| self.new_store())
    }

    /// What `take` makes of the result of the key for which `is` holds. Counts a hit, if it is a use and there is one.
    #[inline]
    fn find<T>(&self, hash: u64, is: impl Fn(&K) -> bool, take: impl Fn(&S) -> T, is_use: bool) -> Option<T> {
        let found = STORES.try_with(|stores| {
            let stores = stores.borrow();
            let store = stores.get(self.place)?.as_ref()?.downcast_ref::<Store<K, S>>()?;
            Some(store.first(hash, is_use))
        });
        // What is over is dropped here, where nothing is borrowed.
        let entry = found.ok()??.ok()?;
        if is(&entry.key) {
            return Some(take(&entry.value));
        }
        self.find_among(hash, &is, &take, is_use)
    }

    /// The same where several keys have one hash.
    #[cold]
    #[inline(never)]
    fn find_among<T>(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
        is_use: bool,
    ) -> Option<T> {
        let store = self.store()?;
        let others = store.others(hash);
        let found = others.iter().find(|(_, entry)| is(&entry.key)).map(|(_, entry)| take(&entry.value));
        if is_use && found.is_none() {
            // It was counted as one.
            store.counts.hits.add(u64::MAX);
        }
        found
    }

    #[cold]
    #[inline(never)]
    fn new_store(&'static self) -> Option<Rc<Store<K, S>>> {
        let counts = Arc::new(Counts::default());
        let store = Rc::new(Store {
            limits: self.limits,
            is_timed: self.limits.ttl.is_some() || self.limits.tti.is_some(),
            wants_uses: self.limits.policy.wants_uses(),
            threads: &self.threads,
            counts: Arc::clone(&counts),
            entries: RefCell::new(Table::new(&self.limits)),
        });
        let put = STORES.try_with(|stores| {
            let mut stores = stores.borrow_mut();
            if stores.len() <= self.place {
                stores.resize(self.place + 1, None);
            }
            stores[self.place] = Some(Rc::<Store<K, S>>::clone(&store));
        });
        put.ok()?;
        self.threads.lock().running.push(counts);
        Some(store)
    }
}

/// One thread's entries.
struct Store<K, S> {
    limits: Limits,
    /// Whether entries end.
    is_timed: bool,
    /// Whether a hit is told to the policy.
    wants_uses: bool,
    threads: &'static Mutex<Threads>,
    counts: Arc<Counts>,
    entries: RefCell<Table<K, S>>,
}

/// A key and its result.
struct Entry<K, S> {
    key: K,
    value: S,
}

struct Table<K, S> {
    /// The first slot of each hash.
    first: HashMap<u64, u32, BuildHasherDefault<AsItIs>>,
    slots: Slots<K, S>,
    free: Vec<u32>,
    order: Order,
    len: usize,
    /// Where the last search for what is over ended.
    hand: usize,
    /// The runs of bodies, the innermost last.
    runs: Vec<Run>,
    next_run: u64,
}

struct Slots<K, S>(Vec<Slot<K, S>>);

struct Slot<K, S> {
    entry: Option<Rc<Entry<K, S>>>,
    hash: u64,
    /// The next slot of the same hash.
    next: Option<u32>,
    uses: Cell<u8>,
    /// In ticks: when it ends at last, and when it ends if nobody asks for it.
    expires: u64,
    idle: u64,
}

impl<K, S> Slot<K, S> {
    const fn is_over(&self, now: u64) -> bool {
        self.expires <= now || self.idle <= now
    }
}

/// A body that runs.
struct Run {
    number: u64,
    hash: u64,
    /// Its result is not to be kept: the key was invalidated, or is kept as of a later run.
    is_void: bool,
}

/// The hash is one already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("it is a number")
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl<K, S> Entries for Slots<K, S> {
    fn uses(&self, slot: u32) -> u8 {
        self.0[slot as usize].uses.get()
    }

    fn set_uses(&self, slot: u32, uses: u8) {
        self.0[slot as usize].uses.set(uses);
    }

    fn hash(&self, slot: u32) -> u32 {
        (self.0[slot as usize].hash >> 32) as u32
    }
}

/// An entry, or what is to be dropped in its place.
type First<K, S> = Result<Rc<Entry<K, S>>, Option<Rc<Entry<K, S>>>>;

/// Entries with their slots.
type Candidates<K, S> = Vec<(u32, Rc<Entry<K, S>>)>;

/// What is to be dropped once nothing is borrowed.
type Gone<K, S> = Vec<Rc<Entry<K, S>>>;

impl<K, S> Table<K, S> {
    fn new(limits: &Limits) -> Self {
        Table {
            first: HashMap::default(),
            slots: Slots(Vec::new()),
            free: Vec::new(),
            order: Order::new(limits.policy),
            len: 0,
            hand: 0,
            runs: Vec::new(),
            next_run: 0,
        }
    }

    fn slot(&self, slot: u32) -> &Slot<K, S> {
        &self.slots.0[slot as usize]
    }

    /// The slots of a hash.
    fn chain(&self, hash: u64) -> impl Iterator<Item = u32> + '_ {
        core::iter::successors(self.first.get(&hash).copied(), |slot| self.slot(*slot).next)
    }

    /// The entries of a hash, with their slots.
    fn candidates(&self, hash: u64) -> Candidates<K, S> {
        self.chain(hash).filter_map(|slot| Some((slot, Rc::clone(self.slot(slot).entry.as_ref()?)))).collect()
    }

    /// Whether the slot still has the entry.
    fn has(&self, slot: u32, entry: &Rc<Entry<K, S>>) -> bool {
        self.slots
            .0
            .get(slot as usize)
            .and_then(|slot| slot.entry.as_ref())
            .is_some_and(|other| Rc::ptr_eq(other, entry))
    }

    /// Empties a slot that the policy knows, or no longer knows.
    fn take(&mut self, slot: u32, is_in_order: bool) -> Option<Rc<Entry<K, S>>> {
        let (hash, next) = (self.slot(slot).hash, self.slot(slot).next);
        let before = self.chain(hash).find(|other| self.slot(*other).next == Some(slot));
        match (before, next) {
            (Some(before), _) => self.slots.0[before as usize].next = next,
            (None, Some(next)) => {
                self.first.insert(hash, next);
            }
            (None, None) => {
                self.first.remove(&hash);
            }
        }
        if is_in_order {
            self.order.remove(slot);
        }
        self.free.push(slot);
        self.len -= 1;
        self.slots.0[slot as usize].entry.take()
    }

    fn insert(&mut self, hash: u64, entry: Rc<Entry<K, S>>, (expires, idle): (u64, u64)) {
        let next = self.first.get(&hash).copied();
        let filled = Slot { entry: Some(entry), hash, next, uses: Cell::new(0), expires, idle };
        let slot = if let Some(slot) = self.free.pop() {
            self.slots.0[slot as usize] = filled;
            slot
        } else {
            self.slots.0.push(filled);
            (self.slots.0.len() - 1) as u32
        };
        self.first.insert(hash, slot);
        let uses =
            self.order.insert(slot, (hash >> 32) as u32, &Details { expires: expires.min(idle), weight: 0 });
        self.slots.set_uses(slot, uses);
        self.len += 1;
    }

    /// Ends a run; whether its result is to be kept.
    fn end(&mut self, number: u64) -> bool {
        let place = self.runs.iter().rposition(|run| run.number == number);
        place.is_some_and(|place| !self.runs.remove(place).is_void)
    }

    /// What runs for the key and began before is not kept.
    fn void(&mut self, hash: u64, before: u64) {
        for run in self.runs.iter_mut().filter(|run| run.hash == hash && run.number < before) {
            run.is_void = true;
        }
    }
}

impl<K, S> Store<K, S> {
    fn now(&self) -> u64 {
        if self.is_timed { clock::now() } else { 0 }
    }

    /// When what is kept, and asked for, now ends at last, and when it ends if nobody asks for it again.
    fn ends(&self, now: u64) -> (u64, u64) {
        let end = |time: Option<core::time::Duration>| {
            time.map_or(u64::MAX, |time| now.saturating_add(clock::rate().ticks(time)))
        };
        (end(self.limits.ttl), end(self.limits.tti))
    }

    /// The first entry of a hash, which is that of the key as good as ever; or, where its time is up, what is to be dropped. Counts a hit, if
    /// it is a use.
    #[inline]
    fn first(&self, hash: u64, is_use: bool) -> First<K, S> {
        let mut table = self.entries.borrow_mut();
        let table = &mut *table;
        let Some(slot) = table.first.get(&hash).copied() else { return Err(None) };
        let found = &mut table.slots.0[slot as usize];
        let Some(entry) = found.entry.clone() else { return Err(None) };
        if self.is_timed {
            let now = clock::now();
            if found.is_over(now) {
                drop(entry);
                self.counts.expired.add(1);
                let gone = table.take(slot, true);
                self.counts.len.set(table.len);
                return Err(gone);
            }
            if is_use && self.limits.tti.is_some() {
                found.idle = self.ends(now).1;
                let details = Details { expires: found.expires.min(found.idle), weight: 0 };
                table.order.update(slot, &details);
            }
        }
        if is_use {
            // Two keys have one hash so seldom that a use of the wrong one does no harm.
            found.uses.set((found.uses.get() + 1).min(MOST_USES));
            if self.wants_uses {
                table.order.touch(slot);
            }
            self.counts.hits.add(1);
        }
        Ok(entry)
    }

    /// All of a hash, where the first is that of another key.
    #[cold]
    #[inline(never)]
    fn others(&self, hash: u64) -> Candidates<K, S> {
        let now = self.now();
        let table = self.entries.borrow();
        let mut candidates = table.candidates(hash);
        candidates.retain(|(slot, _)| !table.slot(*slot).is_over(now));
        candidates
    }

    /// A body begins; the number of the run.
    fn begin(&self, hash: u64) -> u64 {
        let mut table = self.entries.borrow_mut();
        let number = table.next_run;
        table.next_run += 1;
        table.runs.push(Run { number, hash, is_void: false });
        number
    }

    /// Removes what is kept of a key, and keeps `entry` in its place; of a run, if it is still to be kept. Whether there was one.
    fn settle(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        run: Option<u64>,
        entry: Option<Rc<Entry<K, S>>>,
    ) -> bool {
        let mut seen: Candidates<K, S> = Vec::new();
        let mut same: Vec<bool> = Vec::new();
        let mut gone: Gone<K, S> = Vec::new();
        let mut was_there = false;
        loop {
            let mut table = self.entries.borrow_mut();
            let is_seen = table.chain(hash).count() == seen.len()
                && table
                    .chain(hash)
                    .zip(&seen)
                    .all(|(slot, (other, entry))| slot == *other && table.has(slot, entry));
            if !is_seen {
                let candidates = table.candidates(hash);
                drop(table);
                seen = candidates;
                same = seen.iter().map(|(_, entry)| is(&entry.key)).collect();
                continue;
            }
            if run.is_some_and(|run| !table.end(run)) {
                return false;
            }
            let now = self.now();
            for ((slot, _), _) in seen.iter().zip(&same).filter(|(_, is_same)| **is_same) {
                let is_over = table.slot(*slot).is_over(now);
                was_there |= !is_over;
                if is_over { &self.counts.expired } else { &self.counts.invalidated }.add(1);
                gone.extend(table.take(*slot, true));
            }
            let number = run.unwrap_or(table.next_run);
            table.void(hash, number);
            if let Some(entry) = entry {
                self.sweep(&mut table, now, &mut gone);
                while table.len >= self.limits.max_size {
                    let Table { order, slots, .. } = &mut *table;
                    let Some(slot) = order.evict(slots) else { break };
                    gone.extend(table.take(slot, false));
                    self.counts.evicted.add(1);
                }
                let ends = self.ends(now);
                table.insert(hash, entry, ends);
            }
            self.counts.len.set(table.len);
            drop(table);
            drop(gone);
            return was_there;
        }
    }

    /// Removes some of what is over.
    fn sweep(&self, table: &mut Table<K, S>, now: u64, gone: &mut Gone<K, S>) {
        if !self.is_timed {
            return;
        }
        for _ in 0..2 {
            table.hand = if table.hand + 1 < table.slots.0.len() { table.hand + 1 } else { 0 };
            let hand = table.hand as u32;
            if table.slots.0.get(table.hand).is_some_and(|slot| slot.entry.is_some() && slot.is_over(now)) {
                gone.extend(table.take(hand, true));
                self.counts.expired.add(1);
            }
        }
    }

    fn clear(&self) -> u64 {
        let mut table = self.entries.borrow_mut();
        let next_run = table.next_run;
        let mut runs = core::mem::take(&mut table.runs);
        for run in &mut runs {
            run.is_void = true;
        }
        let before = core::mem::replace(&mut *table, Table { runs, next_run, ..Table::new(&self.limits) });
        self.counts.invalidated.add(before.len as u64);
        self.counts.len.set(0);
        drop(table);
        let len = before.len as u64;
        drop(before);
        len
    }
}

impl<K, S> Drop for Store<K, S> {
    fn drop(&mut self) {
        let mut threads = self.threads.lock();
        self.counts.len.set(0);
        threads.ended.add(&self.counts.stats());
        threads.ended_ticks += self.counts.load_ticks.get();
        threads.running.retain(|other| !Arc::ptr_eq(other, &self.counts));
    }
}

/// A run of the body, counted when it ends, also by a panic.
struct Load<K, S> {
    store: Rc<Store<K, S>>,
    hash: u64,
    number: u64,
    start: u64,
    /// What it took, where it came to its end.
    ticks: Option<u64>,
    is_kept: bool,
}

impl<K: 'static, S: 'static> Load<K, S> {
    fn begin(store: Rc<Store<K, S>>, hash: u64) -> Self {
        let number = store.begin(hash);
        Load { store, hash, number, start: clock::now(), ticks: None, is_kept: false }
    }

    /// The body has ended.
    fn end<R, W: LocalKeep<R, Kept = S>>(mut self, key: K, kind: &Kind<K>, result: &R) {
        self.ticks = Some(clock::now().saturating_sub(self.start));
        let are_same = kind.are_same;
        if let Some(value) = W::sort(result) {
            self.is_kept = true;
            let entry = Rc::new(Entry { key, value });
            let own = Rc::clone(&entry);
            self.store.settle(self.hash, &|key| are_same(key, &own.key), Some(self.number), Some(entry));
        } else if kind.is_forced {
            self.store.settle(self.hash, &|other| are_same(other, &key), Some(self.number), None);
        }
    }
}

impl<K, S> Drop for Load<K, S> {
    fn drop(&mut self) {
        self.store.entries.borrow_mut().end(self.number);
        let counts = &self.store.counts;
        counts.loads.add(1);
        counts.load_errors.add(u64::from(!self.is_kept));
        counts.load_ticks.add(self.ticks.unwrap_or_else(|| clock::now().saturating_sub(self.start)));
    }
}

/// What is to be known of a miss.
struct Kind<K> {
    are_same: fn(&K, &K) -> bool,
    /// The body runs whatever is in the cache, and what is not kept removes what is there.
    is_forced: bool,
}

/// A call whose result is not in this thread's cache.
#[must_use = "nothing is computed until the body runs"]
pub struct LocalMiss<K: 'static, R, W: LocalKeep<R>> {
    /// None at the end of a thread.
    store: Option<Rc<Store<K, W::Kept>>>,
    hash: u64,
    key: K,
    kind: Kind<K>,
}

impl<K: 'static, R, W: LocalKeep<R>> fmt::Debug for LocalMiss<K, R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalMiss").field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl<K: 'static, R, W: LocalKeep<R>> LocalMiss<K, R, W> {
    #[cold]
    fn new<Q: Key<Owned = K>>(
        cache: &'static Local<K, W::Kept>,
        hash: u64,
        key: &Q,
        is_forced: bool,
    ) -> Self {
        let store = cache.store_or_new();
        if let (false, Some(store)) = (is_forced, &store) {
            store.counts.misses.add(1);
        }
        LocalMiss { store, hash, key: key.own(), kind: Kind { are_same: Q::are_same, is_forced } }
    }

    /// Runs the body.
    pub fn run(self, body: impl FnOnce() -> R) -> R {
        let LocalMiss { store, hash, key, kind } = self;
        let Some(store) = store else { return body() };
        let load = Load::begin(store, hash);
        let result = body();
        load.end::<R, W>(key, &kind, &result);
        result
    }
}

/// The first step of a call; see [`look_up`](super::look_up).
#[inline]
pub fn look_up_local<M, A, R, Q: Key, W: LocalKeep<R>>(
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    keep: W,
) -> Found<R, LocalMiss<Q::Owned, R, W>> {
    look_up_local_unless(false, instance, arguments, key, keep)
}

/// The same; where `is_forced`, it does not look, and the body runs whatever is in the cache.
#[inline]
pub fn look_up_local_unless<M, A, R, Q: Key, W: LocalKeep<R>>(
    is_forced: bool,
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    _: W,
) -> Found<R, LocalMiss<Q::Owned, R, W>> {
    let cache = instance.made::<Local<Q::Owned, W::Kept>>(None);
    let key = key(arguments);
    let hash = key.hash(&cache.seed);
    if !is_forced && let Some(value) = cache.find(hash, |owned| key.is(owned), W::Kept::clone, true) {
        return Found::Hit(W::kept(value));
    }
    Found::Miss(LocalMiss::new(cache, hash, &key, is_forced))
}

/// How a function's arguments `A` are its key, and how its results `R` are kept on their thread.
pub trait LocalBinding<A, R> {
    /// The key as a call has it.
    type Key: Key;
    /// How results are kept.
    type Keep: LocalKeep<R>;

    /// The key of a call.
    fn key(&self, arguments: A) -> Self::Key;
}

/// A closure from arguments to a key, and a [`LocalKeep`].
#[derive(Clone, Copy)]
pub struct LocalBound<F, W> {
    key: F,
    keep: PhantomData<W>,
}

impl<F, W> fmt::Debug for LocalBound<F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalBound")
    }
}

impl<A, R, Q: Key, F: Fn(A) -> Q, W: LocalKeep<R>> LocalBinding<A, R> for LocalBound<F, W> {
    type Key = Q;
    type Keep = W;

    #[inline]
    fn key(&self, arguments: A) -> Q {
        (self.key)(arguments)
    }
}

type LocalOf<A, R, B> = Local<
    <<B as LocalBinding<A, R>>::Key as Key>::Owned,
    <<B as LocalBinding<A, R>>::Keep as LocalKeep<R>>::Kept,
>;

/// The cache behind a function with `local`: of the thread that asks. What it returns and removes is that thread's; what it counts
/// is summed over all.
///
/// `A` and `R` are as those of a [`CacheHandle`](super::CacheHandle).
pub struct LocalCacheHandle<A, R, B: LocalBinding<A, R>> {
    cache: &'static LocalOf<A, R, B>,
    binding: B,
}

impl<A, R, B: LocalBinding<A, R>> fmt::Debug for LocalCacheHandle<A, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCacheHandle").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl<A, R, Q: Key, F: Fn(A) -> Q, W: LocalKeep<R>> LocalCacheHandle<A, R, LocalBound<F, W>> {
    /// The cache of an instance of a function, whose arguments `key` makes a key of.
    pub fn new<M>(instance: Instance<M>, key: F, _: W) -> Self {
        LocalCacheHandle { cache: instance.made(None), binding: LocalBound { key, keep: PhantomData } }
    }
}

impl<A, R, B: LocalBinding<A, R>> LocalCacheHandle<A, R, B> {
    /// Removes this thread's result of a call with these arguments, and tells whether there was one. A computation of it that is under
    /// way is not kept.
    pub fn invalidate(&self, arguments: A) -> bool {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        self.cache.store().is_some_and(|store| store.settle(hash, &|owned| key.is(owned), None, None))
    }

    /// This thread's result of a call with these arguments, if there is one. Neither computes nor counts.
    #[must_use]
    pub fn peek(&self, arguments: A) -> Option<R> {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        let found = self.cache.find(hash, |owned| key.is(owned), Clone::clone, false);
        found.map(B::Keep::kept)
    }

    /// Keeps `result` as that of a call with these arguments on this thread, in place of what was there. What is not kept, an `Err` or a
    /// `None`, only removes what was there.
    pub fn insert(&self, arguments: A, result: &R) {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        let Some(store) = self.cache.store_or_new() else { return };
        let entry = B::Keep::sort(result).map(|value| Rc::new(Entry { key: key.own(), value }));
        store.settle(hash, &|owned| key.is(owned), None, entry);
    }

    /// Removes everything of this thread and returns how many results there were. Computations under way are not kept.
    #[allow(clippy::must_use_candidate, reason = "it is called to clear")]
    pub fn clear(&self) -> u64 {
        AnyCache::clear(self.cache)
    }

    /// What this cache counted, on all threads: of one instance, where the function is generic.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        AnyCache::stats(self.cache)
    }

    /// A run of the body whatever is in the cache.
    pub fn primer(&self, arguments: A) -> LocalPrimer<R>
    where
        R: 'static,
    {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        let prime = self.cache.store_or_new().map(|store| {
            let (key, load) = (key.own(), Load::begin(store, hash));
            let kind = Kind { are_same: B::Key::are_same, is_forced: true };
            Box::new(move |result: &R| load.end::<R, B::Keep>(key, &kind, result)) as Box<KeepOnce<R>>
        });
        LocalPrimer { prime }
    }
}

/// Keeps the result of a run of the body.
type KeepOnce<R> = dyn FnOnce(&R);

/// Runs the body and keeps its result in place of what is in the cache; what is not kept, an `Err` or a `None`, only removes it.
#[must_use = "nothing is computed until the body runs"]
pub struct LocalPrimer<R> {
    /// Knows the key, whose type depends on how long the arguments live as far as the compiler can tell.
    prime: Option<Box<KeepOnce<R>>>,
}

impl<R> fmt::Debug for LocalPrimer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalPrimer").finish_non_exhaustive()
    }
}

impl<R> LocalPrimer<R> {
    /// Runs the body.
    pub fn prime(self, body: impl FnOnce() -> R) -> R {
        let result = body();
        self.prime.into_iter().for_each(|end| end(&result));
        result
    }
}

/// What generated code demands of a result that cannot be kept. Nothing has it, so that the demand is one error, in these words, and
/// what depends on it is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a cache",
    label = "not `Clone`",
    note = "each hit is handed a clone: derive `Clone` for it, or return an `Rc<…>` of it"
)]
pub trait LocalValue {
    /// What would be the way.
    type Way;
}

/// The same of `cache_err`.
#[diagnostic::on_unimplemented(
    message = "`cache_err` cannot keep the `Err`s of `{Self}`",
    label = "no `Result`, or not `Clone`",
    note = "remove `cache_err`, which is for functions that return a `Result`; each hit is handed a clone of it"
)]
pub trait LocalErr {
    /// What would be the way.
    type Way;
}

/// The same of `cache_none`.
#[diagnostic::on_unimplemented(
    message = "`cache_none` cannot keep the `None`s of `{Self}`",
    label = "no `Option`, or not `Clone`",
    note = "remove `cache_none`, which is for functions that return an `Option`; each hit is handed a clone of it"
)]
pub trait LocalNone {
    /// What would be the way.
    type Way;
}

/// The same of an argument.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a cache's key",
    label = "not `Hash + Eq + Clone`",
    note = "derive `Hash`, `PartialEq`, `Eq` and `Clone` for it, leave the argument out with `skip(…)`, or say with `key = …` what the result depends on, \
            such as `key = x.to_bits()` for a float"
)]
pub trait LocalKey {
    /// What would be the part.
    type Part;
}

/// What generated code asks with; see `keep` and `key`, whose order of methods is used here, too.
pub mod ways {
    use core::marker::PhantomData;

    use super::super::keep::{KeepAny, KeepOk, KeepSome};
    use super::{LocalErr, LocalNone, LocalValue};

    /// Asks how results of type `R` are kept.
    #[derive(Debug)]
    pub struct Probe<R>(PhantomData<fn() -> R>);

    /// The probe of `cache_err`.
    #[derive(Debug)]
    pub struct ErrProbe<R>(PhantomData<fn() -> R>);

    /// The probe of `cache_none`.
    #[derive(Debug)]
    pub struct NoneProbe<R>(PhantomData<fn() -> R>);

    /// A probe for results of type `R`.
    #[must_use]
    pub const fn probe<R>() -> Probe<R> {
        Probe(PhantomData)
    }

    /// The probe of `cache_err`.
    #[must_use]
    pub const fn probe_err<R>() -> ErrProbe<R> {
        ErrProbe(PhantomData)
    }

    /// The probe of `cache_none`.
    #[must_use]
    pub const fn probe_none<R>() -> NoneProbe<R> {
        NoneProbe(PhantomData)
    }

    /// The ways to keep, in the order in which they are tried on a `&&&Probe`.
    pub mod by {
        use super::{ErrProbe, KeepAny, KeepOk, KeepSome, LocalErr, LocalNone, LocalValue, NoneProbe, Probe};

        /// A trait with one method that gives the way for the types it is implemented for.
        macro_rules! way {
            ($(#[$doc:meta])* $name:ident; $([$($parameter:ident $(: $bound:ident)?),*] $probe:ty => $way:ident),*) => {
                $(#[$doc])*
                pub trait $name {
                    /// The way.
                    type Way;

                    /// The way.
                    fn __perfkit_keep(&self) -> Self::Way;
                }

                $(impl<$($parameter: 'static $(+ $bound)?),*> $name for $probe {
                    type Way = $way;

                    fn __perfkit_keep(&self) -> $way {
                        $way
                    }
                })*
            };
        }

        way!(
            /// A `Result` or an `Option`.
            Part;
            [T: Clone, E] &&Probe<Result<T, E>> => KeepOk,
            [T: Clone] &&Probe<Option<T>> => KeepSome
        );
        way!(
            /// Anything.
            Any;
            [R: Clone] &Probe<R> => KeepAny,
            [T: Clone, E: Clone] &ErrProbe<Result<T, E>> => KeepAny,
            [T: Clone] &NoneProbe<Option<T>> => KeepAny
        );

        /// A trait with one method that demands what nothing has.
        macro_rules! unfit {
            ($(#[$doc:meta])* $name:ident, $probe:ident => $demand:ident) => {
                $(#[$doc])*
                pub trait $name {
                    /// What lacks a trait.
                    type Of;

                    /// Never called.
                    fn __perfkit_keep(&self) -> <Self::Of as $demand>::Way
                    where
                        Self::Of: $demand;
                }

                impl<R> $name for $probe<R> {
                    type Of = R;

                    fn __perfkit_keep(&self) -> R::Way
                    where
                        R: $demand,
                    {
                        unreachable!("nothing has the trait")
                    }
                }
            };
        }

        unfit!(
            /// What cannot be kept.
            Unfit, Probe => LocalValue
        );
        unfit!(
            /// What cannot be kept as `cache_err` asks.
            UnfitErr, ErrProbe => LocalErr
        );
        unfit!(
            /// What cannot be kept as `cache_none` asks.
            UnfitNone, NoneProbe => LocalNone
        );
    }

    /// Arguments as parts of a key, in the order in which they are tried on a `&Argument`.
    pub mod argument {
        use super::super::super::key::argument::{Argument, OptionalArgument};
        use super::super::super::key::{ByOption, ByRef, HashableHere};
        use super::super::LocalKey;

        /// As a part of the key.
        pub trait Fit {
            /// The part.
            type Part;

            /// The part.
            fn __perfkit_part(self) -> Self::Part;
        }

        impl<'a, T: HashableHere + ?Sized> Fit for &Argument<'a, T> {
            type Part = ByRef<'a, T>;

            #[inline]
            fn __perfkit_part(self) -> ByRef<'a, T> {
                ByRef(self.0)
            }
        }

        impl<'a, T: HashableHere + ?Sized> Fit for &OptionalArgument<'a, T> {
            type Part = ByOption<'a, T>;

            #[inline]
            fn __perfkit_part(self) -> ByOption<'a, T> {
                ByOption(self.0)
            }
        }

        /// Not as a part of the key.
        pub trait Unfit {
            /// What lacks a trait.
            type Of: ?Sized;

            /// Never called.
            fn __perfkit_part(self) -> <Self::Of as LocalKey>::Part
            where
                Self::Of: LocalKey;
        }

        impl<T: ?Sized> Unfit for Argument<'_, T> {
            type Of = T;

            fn __perfkit_part(self) -> T::Part
            where
                T: LocalKey,
            {
                unreachable!("nothing has the trait")
            }
        }

        impl<T: ?Sized> Unfit for OptionalArgument<'_, T> {
            type Of = T;

            fn __perfkit_part(self) -> T::Part
            where
                T: LocalKey,
            {
                unreachable!("nothing has the trait")
            }
        }
    }

    /// Expressions as parts of a key, in the order in which they are tried on a `&&&Expression`.
    pub mod expression {
        use super::super::super::key::expression::Expression;
        use super::super::super::key::{ByOption, ByRef, ByValue, HashableHere};
        use super::super::LocalKey;

        /// As what it points to.
        pub trait Reference {
            /// The part.
            type Part;

            /// The part.
            fn __perfkit_part(&self) -> Self::Part;
        }

        impl<'a, T: HashableHere + ?Sized> Reference for &&Expression<&'a T> {
            type Part = ByRef<'a, T>;

            #[inline]
            fn __perfkit_part(&self) -> ByRef<'a, T> {
                ByRef(self.take())
            }
        }

        impl<'a, T: HashableHere + ?Sized> Reference for &&Expression<Option<&'a T>> {
            type Part = ByOption<'a, T>;

            #[inline]
            fn __perfkit_part(&self) -> ByOption<'a, T> {
                ByOption(self.take())
            }
        }

        /// As it is.
        pub trait Value<T> {
            /// The part.
            fn __perfkit_part(&self) -> ByValue<T>;
        }

        impl<T: HashableHere> Value<T> for &Expression<T> {
            #[inline]
            fn __perfkit_part(&self) -> ByValue<T> {
                ByValue(self.take())
            }
        }

        /// Not at all.
        pub trait Unfit {
            /// What lacks a trait.
            type Of;

            /// Never called.
            fn __perfkit_part(&self) -> <Self::Of as LocalKey>::Part
            where
                Self::Of: LocalKey;
        }

        impl<T> Unfit for Expression<T> {
            type Of = T;

            fn __perfkit_part(&self) -> T::Part
            where
                T: LocalKey,
            {
                unreachable!("nothing has the trait")
            }
        }
    }
}
