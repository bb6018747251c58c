//! One shard of a cache: a table that is read without a lock, and what is written under one.
//!
//! Under the lock entries are told apart by their tag alone, half of a hash: comparing keys, cloning and dropping results are somebody's
//! code. Whoever wants to compare [*holds*](self::held) what has the tag, lets go of the lock, and looks again afterwards whether it is still the same.

pub(super) mod held;
pub(super) mod limbo;
pub(super) mod lock;
pub(super) mod node;
pub(super) mod table;

use core::mem::needs_drop;
use std::collections::HashMap;
use std::sync::Arc;

use self::held::Held;
use self::limbo::Limbo;
use self::lock::{Guard, Lock};
use self::node::{ALOFT, CROWDED, Chunk, DERIVED, Gone, KEPT, Node, SHARED, Times, VALUE, times};
use self::table::Table;
use super::dependency::Computed;
use super::flight::Flight;
use super::policy::{Details, Entries, Fifo, Order, Policy};
use super::readers::Readers;
use super::weigh::weight::Weight;
use crate::sync::{AtomicPtr, Ordering};

/// What hits read stands apart from what misses write.
#[repr(align(128))]
pub(super) struct Shard<K, S, R> {
    /// The word of a [`Table`].
    table: AtomicPtr<()>,
    writer: Apart<Lock<Writer<K, S, R>>>,
}

#[repr(align(128))]
struct Apart<T>(T);

// SAFETY: what the pointers lead to is read by whoever `readers` know and changed under the lock.
unsafe impl<K: Send + Sync, S: Send + Sync, R: Send + Sync> Send for Shard<K, S, R> {}
// SAFETY: as above.
unsafe impl<K: Send + Sync, S: Send + Sync, R: Send + Sync> Sync for Shard<K, S, R> {}

/// What is written under the lock. First what each miss touches.
#[repr(C)]
pub(super) struct Writer<K, S, R> {
    /// Something is to be done when the lock is released: see [`Locked::unlock`].
    is_due: bool,
    /// So much waits to be emptied that nothing more may come.
    is_clogged: bool,
    is_timed: bool,
    /// Whether all entries are of one weight.
    is_flat: bool,
    serial: u32,
    /// The table that readers see.
    table: Table,
    chunks: Chunks<K, S>,
    /// Entries.
    pub(super) len: usize,
    free: Vec<u32>,
    limbo: Limbo,
    /// What it tells of itself.
    pub(super) counts: Counts,
    order: Order,
    /// Those who wait, by the slot that is being computed.
    waiting: HashMap<u32, Arc<Flight<R>>, foldhash::fast::FixedState>,
    /// Of entries that are not all of one weight, by slot.
    weights: Vec<Weight>,
    /// Bytes of the entries, by estimate, where they are not all of one weight.
    pub(super) bytes: u64,
    /// Those that expire, the one whose time is up first in front: all live equally long.
    ages: Fifo,
    /// No longer read, but not yet emptied of what has to be dropped.
    left: Vec<u32>,
    /// What the results in slots that are `DERIVED` were computed from. As long as they are there, kept or not.
    derived: HashMap<u32, Computed, foldhash::fast::FixedState>,
    /// The same of results that left, to be dropped when the lock is released.
    departed: Vec<Computed>,
    /// Slots from here on were never used.
    unused: u32,
}

/// What becomes of an entry with its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Good until then, in ticks, and at most until then if it is asked for.
    pub(super) expires: u64,
    pub(super) ends: u64,
    /// What it took to compute.
    pub(super) load: u64,
    /// Its bytes.
    pub(super) weight: Weight,
}

/// Ticks that a run of the body takes less than where not all are timed: about a microsecond.
const SHORT: u64 = 3_000;
/// One in as many is timed then.
const SAMPLE: u64 = 8;

/// What happened in one shard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Hits and misses of threads without a record.
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) waits: u64,
    pub(super) loads: u64,
    pub(super) load_errors: u64,
    pub(super) load_ticks: u64,
    /// Entries that left, by [`Cause`].
    left: [u64; 4],
}

impl Counts {
    /// Entries that left for this cause.
    pub(super) const fn left(&self, cause: Cause) -> u64 {
        self.left[cause as usize]
    }
}

/// Why an entry leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Evicted,
    /// There was room for one more, but not for its bytes.
    Memory,
    Expired,
    Invalidated,
}

/// What left, to be dropped with no lock held.
pub(super) struct Gones<K, S> {
    few: [Option<Gone<K, S>>; FEW],
    rest: Vec<Gone<K, S>>,
}

/// What has to be dropped leaves by as many, so that no call drops much that is not its own.
const FEW: usize = 2;

impl<K, S> Gones<K, S> {
    const fn none() -> Self {
        Gones { few: [const { None }; FEW], rest: Vec::new() }
    }
}

/// Slots of a batch in limbo, at most. There are two batches.
const BATCH: usize = 64;

/// Bytes in limbo that are no reason to look earlier.
const LIGHT: u64 = 64 << 10;

/// The most that may lie in limbo, beside a part of the entries, before nothing more is kept.
const MOST_LIMBO: usize = 1024;

impl<K, S, R> Shard<K, S, R> {
    pub(super) fn new(policy: Policy, is_timed: bool, is_flat: bool) -> Self {
        let table = Table::new(1);
        let writer = Writer {
            is_due: false,
            is_clogged: false,
            is_timed,
            is_flat,
            serial: 0,
            table,
            chunks: Chunks(Vec::new()),
            len: 0,
            free: Vec::new(),
            limbo: Limbo::default(),
            counts: Counts::default(),
            order: Order::new(policy),
            waiting: HashMap::default(),
            weights: Vec::new(),
            bytes: 0,
            ages: Fifo::default(),
            left: Vec::new(),
            derived: HashMap::default(),
            departed: Vec::new(),
            unused: 0,
        };
        Shard { table: AtomicPtr::new(table.word()), writer: Apart(Lock::new(writer)) }
    }

    /// The table, for as long as this thread reads.
    #[inline]
    pub(super) fn table(&self) -> Table {
        Table::from_word(self.table.load(Ordering::Acquire))
    }

    #[inline]
    pub(super) fn lock(&self) -> Locked<'_, K, S, R> {
        Locked { shard: self, writer: self.writer.0.lock() }
    }
}

/// A shard whose lock is held.
pub(super) struct Locked<'a, K, S, R> {
    shard: &'a Shard<K, S, R>,
    pub(super) writer: Guard<'a, Writer<K, S, R>>,
}

/// All nodes ever made.
struct Chunks<K, S>(Vec<Chunk<K, S>>);

impl<K, S> Chunks<K, S> {
    /// The node of a slot that was made.
    #[inline]
    fn address(&self, slot: u32) -> *const Node<K, S> {
        self.0[Chunk::<K, S>::of(slot)].node(slot)
    }

    #[inline]
    fn node(&self, slot: u32) -> &Node<K, S> {
        // SAFETY: chunks live as long as this.
        unsafe { &*self.address(slot) }
    }
}

/// What a policy may know of entries.
impl<K, S> Entries for Chunks<K, S> {
    fn uses(&self, slot: u32) -> u8 {
        self.node(slot).uses()
    }

    fn set_uses(&self, slot: u32, uses: u8) {
        self.node(slot).set_uses(uses);
    }

    fn hash(&self, slot: u32) -> u32 {
        self.node(slot).tag()
    }
}

impl<K, S, R> Writer<K, S, R> {
    #[inline]
    pub(super) fn node(&self, slot: u32) -> &Node<K, S> {
        self.chunks.node(slot)
    }

    /// Where the node of a slot is.
    pub(super) fn address(&self, slot: u32) -> *const Node<K, S> {
        self.chunks.address(slot)
    }

    #[inline]
    fn times(&self, slot: u32) -> Option<Times<'_>> {
        // SAFETY: the chunk has them then.
        self.is_timed.then(|| unsafe { times(self.chunks.address(slot)) })
    }

    /// Whether an entry's time is up.
    pub(super) fn is_over(&self, slot: u32, now: u64) -> bool {
        self.times(slot).is_some_and(|times| times.is_over(now))
    }

    /// Whether it is an entry whose time is not up.
    pub(super) fn is_live(&self, slot: u32, now: u64) -> bool {
        self.node(slot).is(KEPT) && !self.is_over(slot, now)
    }

    /// The slots in the table with this tag: entries, and what is being computed.
    pub(super) fn slots(&self, tag: u32) -> impl Iterator<Item = u32> + '_ {
        let nodes = self.table.candidates(tag).map(|node| {
            // SAFETY: nodes live as long as this.
            unsafe { &*node }
        });
        nodes.filter(move |node: &&Node<K, S>| node.tag() == tag).map(Node::slot)
    }

    /// Keeps a slot from being used again, until it is [released](Self::release).
    pub(super) fn hold(&self, slot: u32) {
        self.node(slot).hold();
    }

    pub(super) fn release(&mut self, slot: u32) {
        let node = self.node(slot);
        if node.release() && !node.is(KEPT) && !node.is(ALOFT) {
            self.retire(slot);
        }
    }

    /// Nobody can come to a slot any more, but who came to it before may still be there.
    #[inline]
    fn retire(&mut self, slot: u32) {
        self.is_due |= self.limbo.push(slot);
    }

    /// What is in this node was asked for.
    pub(super) fn touch(&mut self, node: &Node<K, S>) {
        if node.is(KEPT) {
            self.order.touch(node.slot());
        }
    }

    /// Those who wait for what is computed in a slot.
    pub(super) fn flight(&mut self, slot: u32) -> Arc<Flight<R>> {
        Arc::clone(self.waiting.entry(slot).or_insert_with(|| Arc::new(Flight::new())))
    }

    /// Lets go of a slot whose computation is over, perhaps with a result. Those who wait for it are to be told.
    pub(super) fn finish(&mut self, slot: u32, has_value: bool) -> Option<Arc<Flight<R>>> {
        if has_value {
            self.node(slot).set(VALUE);
        }
        self.release(slot);
        self.landed(slot)
    }

    /// Makes what was computed, and is in the table, an entry. Those who wait for it are to be told.
    #[inline]
    pub(super) fn land(&mut self, node: &Node<K, S>, terms: &Terms) -> Option<Arc<Flight<R>>> {
        self.keep(node.slot(), terms);
        node.release();
        self.landed(node.slot())
    }

    /// Those who wait for what was computed in a slot.
    #[inline]
    fn landed(&mut self, slot: u32) -> Option<Arc<Flight<R>>> {
        if self.waiting.is_empty() { None } else { self.waiting.remove(&slot) }
    }

    /// Notes what the result in a slot was computed from. The caller computes it, and did not do so before.
    pub(super) fn derive(&mut self, slot: u32, computed: Computed) {
        self.derived.insert(slot, computed);
        self.node(slot).set(DERIVED);
    }

    /// What the result in a slot that is held or in the table was computed from, if that is known.
    pub(super) fn computed(&self, slot: u32) -> Option<&Computed> {
        if self.node(slot).is(DERIVED) { self.derived.get(&slot) } else { None }
    }

    /// Whether something changed that the result in a slot was computed from.
    pub(super) fn is_outdated(&self, slot: u32) -> bool {
        self.computed(slot).is_some_and(|computed| !computed.is_current())
    }

    /// For how many runs of the body the next one is to be timed: for itself, or, where they are short on average, one in eight for all of
    /// them and the others not at all. It is decided before the run, so the sum stays right on average whatever is short and whatever is long.
    #[inline]
    pub(super) fn timed_loads(&self) -> u64 {
        let Counts { loads, load_ticks, .. } = self.counts;
        if loads < SAMPLE || load_ticks >= loads * SHORT {
            1
        } else if u64::from(self.serial) % SAMPLE == 0 {
            SAMPLE
        } else {
            0
        }
    }

    /// Counts a run of the body, and what it took.
    #[inline]
    pub(super) fn count_load(&mut self, ticks: u64, is_kept: bool) {
        self.counts.loads += 1;
        self.counts.load_errors += u64::from(!is_kept);
        self.counts.load_ticks += ticks;
    }

    /// Removes an entry for another reason than lack of room.
    pub(super) fn remove(&mut self, slot: u32, cause: Cause) {
        self.order.remove(slot);
        self.leave(slot, cause);
    }

    /// What the policy no longer knows is no entry any more.
    #[inline]
    fn leave(&mut self, slot: u32, cause: Cause) {
        self.len -= 1;
        self.counts.left[cause as usize] += 1;
        if self.is_timed {
            self.ages.remove(slot);
        }
        if !self.is_flat {
            self.lighten(slot);
        }
        let node = self.node(slot);
        node.unset(KEPT);
        self.take_out(node);
        if !node.is_held() {
            self.retire(slot);
        }
    }

    /// Takes the bytes of an entry off.
    fn lighten(&mut self, slot: u32) {
        let bytes = self.weight(slot);
        self.bytes -= bytes;
        self.limbo.weigh(bytes);
        self.is_due |= self.is_heavy();
    }

    /// Whether so many bytes are in limbo that it is to be looked at, however few slots they are.
    fn is_heavy(&self) -> bool {
        self.limbo.bytes() > self.bytes / 16 + LIGHT
    }

    /// Ends the computation in a slot as far as others are concerned.
    pub(super) fn detach(&self, slot: u32) {
        let node = self.node(slot);
        node.unset(ALOFT);
        self.take_out(node);
    }

    fn take_out(&self, node: &Node<K, S>) {
        self.table.remove(node.tag(), core::ptr::from_ref(node));
    }

    /// Removes the entry that is to give way, if there is one.
    pub(super) fn evict(&mut self, cause: Cause) -> bool {
        let Some(slot) = self.order.evict(&self.chunks) else { return false };
        self.leave(slot, cause);
        true
    }

    /// Removes some entries that have been over for longer than `grace`, if there are any; how many. Where asking for an entry makes it good for
    /// longer, all of them are looked at in turn, two for each that comes.
    pub(super) fn sweep(&mut self, now: u64, grace: u64, are_touched: bool, most: usize) -> usize {
        let mut swept = 0;
        for _ in 0..most {
            let Some(slot) = self.ages.oldest() else { break };
            if self.is_over(slot, now.saturating_sub(grace)) {
                self.remove(slot, Cause::Expired);
                swept += 1;
            } else if are_touched {
                self.ages.remove(slot);
                self.ages.insert(slot);
                let expires = self.times(slot).map_or(u64::MAX, Times::expires);
                self.order.update(slot, &Details { expires, weight: self.weight(slot) });
            } else {
                break;
            }
        }
        swept
    }

    fn weigh(&mut self, slot: u32, weight: Weight) {
        let index = slot as usize;
        if self.weights.len() <= index {
            self.weights.resize(index + 1, Weight::new(0));
        }
        self.weights[index] = weight;
        self.bytes += weight.bytes();
    }

    fn weight(&self, slot: u32) -> u64 {
        self.weights.get(slot as usize).map_or(0, |weight| weight.bytes())
    }

    /// Puts a key into a slot that is free; gives its node.
    #[inline]
    fn fill(&mut self, slot: u32, tag: u32, key: K, state: u8) -> *const Node<K, S> {
        let serial = self.next_serial();
        let address = self.chunks.address(slot);
        let node = self.chunks.node(slot);
        node.tag.store(tag, Ordering::Relaxed);
        node.serial.store(serial, Ordering::Relaxed);
        // SAFETY: the slot is free.
        unsafe { node.fill(key, state) };
        address
    }

    /// Makes a slot that is in the table an entry.
    #[inline]
    fn keep(&mut self, slot: u32, terms: &Terms) {
        if self.is_timed {
            // SAFETY: the chunk has them then.
            unsafe { times(self.chunks.address(slot)) }.set(terms.expires, terms.ends, terms.load);
            self.ages.insert(slot);
        }
        if !self.is_flat {
            self.weigh(slot, terms.weight);
        }
        let node = self.chunks.node(slot);
        node.become_kept();
        let details = Details { expires: terms.expires, weight: terms.weight.bytes() };
        node.set_uses(self.order.insert(slot, node.tag(), &details));
        self.len += 1;
    }

    /// Begins a computation in a slot that is free, unless something else has the tag: where the table has to be searched for that.
    #[cold]
    #[inline(never)]
    fn begin_further(&mut self, slot: u32, tag: u32, key: K) -> Result<*const Node<K, S>, K> {
        if self.slots(tag).next().is_some() {
            self.free.push(slot);
            return Err(key);
        }
        let node = self.fill(slot, tag, key, ALOFT | SHARED);
        self.table.insert(tag, node);
        Ok(node)
    }

    /// All nodes in the table.
    fn nodes(&self) -> impl Iterator<Item = &Node<K, S>> {
        // SAFETY: they live as long as this.
        self.table.all::<Node<K, S>>().map(|node| unsafe { &*node })
    }

    /// Removes everything; how many entries there were.
    pub(super) fn clear(&mut self) -> usize {
        let all: Vec<u32> = self.nodes().map(Node::slot).collect();
        let before = self.len;
        for slot in all {
            if self.node(slot).is(KEPT) {
                self.remove(slot, Cause::Invalidated);
            } else {
                self.detach(slot);
            }
        }
        self.order.clear();
        before
    }

    pub(super) fn next_serial(&mut self) -> u32 {
        self.serial = self.serial.wrapping_add(1);
        self.serial
    }

    /// Whether so much waits to be emptied that nothing more may come.
    #[inline]
    pub(super) const fn is_clogged(&self) -> bool {
        self.is_clogged
    }

    /// Looks for slots that nobody uses any more: all of them `at_once`, for somebody relies on it, or as many as it is worth it for.
    fn sift(&mut self, readers: &Readers, at_once: bool) {
        let is_dropped = const { needs_drop::<K>() || needs_drop::<S>() };
        // Fewer where they are much of the cache. What has to be dropped lies there longer: it leaves by twos.
        let batch = (self.len / if is_dropped { 32 } else { 16 }).clamp(1, BATCH);
        let Writer { limbo, left, free, chunks, .. } = self;
        // Of what need not be dropped nothing is to be taken out.
        let unused = if is_dropped { left } else { free };
        let before = unused.len();
        limbo.sift(readers, at_once, batch, |slot| chunks.address(slot).addr(), unused);
        if !self.derived.is_empty() {
            let records = unused[before..].iter().filter_map(|slot| self.derived.remove(slot));
            self.departed.extend(records);
        }
        self.is_clogged = limbo.len() > MOST_LIMBO + self.len / 4;
    }

    /// Empties some slots.
    fn empty(&mut self, everything: bool) -> Gones<K, S> {
        let mut gones = Gones::none();
        let mut take = || {
            let slot = self.left.pop()?;
            self.free.push(slot);
            // SAFETY: it is in no table, nobody holds it, and nobody reads it.
            Some(unsafe { self.chunks.node(slot).take() })
        };
        for gone in &mut gones.few {
            *gone = take();
        }
        if everything {
            gones.rest.extend(core::iter::from_fn(take));
        }
        gones
    }
}

impl<'a, K, S, R> Locked<'a, K, S, R> {
    /// A slot with a key in it, held by the caller; in no table.
    pub(super) fn fill(&mut self, tag: u32, key: K) -> u32 {
        let slot = self.free_slot();
        self.writer.fill(slot, tag, key, 0);
        slot
    }

    #[inline]
    fn free_slot(&mut self) -> u32 {
        match self.writer.free.pop() {
            Some(slot) => slot,
            None => self.unused_slot(),
        }
    }

    /// Puts a slot into the table as what it is: about to be kept, or `state`, which is a computation.
    pub(super) fn show(&mut self, slot: u32, state: u8) {
        let writer = &*self.writer;
        let node = writer.node(slot);
        let others: Vec<u32> = writer.slots(node.tag()).collect();
        for other in &others {
            writer.node(*other).set(CROWDED);
        }
        node.set(if others.is_empty() { state } else { state | CROWDED });
        writer.table.insert(node.tag(), writer.chunks.address(slot));
    }

    /// Begins a computation if nothing else has the tag. Gives the key back otherwise.
    #[inline]
    pub(super) fn begin_alone(&mut self, tag: u32, key: K) -> Result<*const Node<K, S>, K> {
        // Before the look at the table, which a new slot may replace.
        let slot = self.free_slot();
        let writer = &mut *self.writer;
        if let Some(vacancy) = writer.table.vacancy(tag) {
            let node = writer.fill(slot, tag, key, ALOFT | SHARED);
            vacancy.fill(tag, node);
            return Ok(node);
        }
        writer.begin_further(slot, tag, key)
    }

    /// Makes a slot an entry.
    pub(super) fn keep(&mut self, slot: u32, terms: &Terms) {
        if !self.writer.node(slot).is(ALOFT) {
            self.show(slot, 0);
        }
        self.writer.keep(slot, terms);
    }

    #[cold]
    fn unused_slot(&mut self) -> u32 {
        let slot = self.writer.unused;
        self.writer.unused += 1;
        if Chunk::<K, S>::of(slot) == self.writer.chunks.0.len() {
            self.add_chunk(slot);
        }
        slot
    }

    fn add_chunk(&mut self, first: u32) {
        let writer = &mut *self.writer;
        let chunk = Chunk::new(first, writer.is_timed);
        writer.chunks.0.push(chunk);
        let slots = Chunk::<K, S>::slots(writer.chunks.0.len());
        if slots > writer.table.room() {
            let table = Table::new(slots);
            // The addresses as they are: those of references would not lead to the times.
            for address in writer.table.all::<Node<K, S>>() {
                // SAFETY: nodes live as long as this.
                table.insert(unsafe { &*address }.tag(), address);
            }
            writer.limbo.replace(core::mem::replace(&mut writer.table, table));
            self.shard.table.store(table.word(), Ordering::Release);
        }
    }

    /// Lets go of the lock. What is returned is to be dropped: a few slots are emptied, or all that nobody uses, for somebody relies on
    /// it.
    #[inline]
    pub(super) fn unlock(self, readers: &Readers, everything: bool) -> Gones<K, S> {
        if everything || self.writer.is_due { self.unlock_due(readers, everything) } else { Gones::none() }
    }

    #[cold]
    #[inline(never)]
    fn unlock_due(mut self, readers: &Readers, everything: bool) -> Gones<K, S> {
        let writer = &mut *self.writer;
        if everything || writer.limbo.is_full() || writer.is_heavy() {
            writer.sift(readers, everything || writer.is_heavy());
        }
        let gones = writer.empty(everything);
        writer.is_due = !writer.left.is_empty();
        let departed = core::mem::take(&mut writer.departed);
        drop(self);
        drop(departed);
        gones
    }

    /// Holds slots and lets go of the lock.
    pub(super) fn hold(self, slots: Vec<u32>, readers: &'a Readers) -> Held<'a, K, S, R> {
        for slot in &slots {
            self.writer.hold(*slot);
        }
        let nodes = slots.iter().map(|slot| self.writer.chunks.address(*slot)).collect();
        Held::new(self.shard, readers, slots, nodes)
    }
}

impl<K, S, R> Drop for Writer<K, S, R> {
    fn drop(&mut self) {
        // SAFETY: nobody else is here.
        unsafe { self.table.free() };
    }
}
