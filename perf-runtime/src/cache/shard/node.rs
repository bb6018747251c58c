//! A place for one entry: a key and its result, at an address that stays as long as the cache.
//!
//! A *slot* is a place's number. Places come in chunks, so that making room moves nothing: other threads read without a lock. Everything but
//! `uses` is written under the shard's lock; the key before the place is shown to anybody, the result by whoever computes it.

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use std::alloc::{alloc, dealloc, handle_alloc_error};

use super::super::policy::MOST_USES;
use crate::sync::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// The key is there.
pub(in super::super) const KEY: u8 = 1;
/// The result is there.
pub(in super::super) const VALUE: u8 = 2;
/// It is an entry of the cache.
pub(in super::super) const KEPT: u8 = 4;
/// Its result is being computed, and will be kept.
pub(in super::super) const ALOFT: u8 = 8;
/// The computation may be waited for.
pub(in super::super) const SHARED: u8 = 16;
/// Something else had the same tag when it was put into the table or later.
pub(in super::super) const CROWDED: u8 = 32;
/// Somebody computes it anew.
pub(in super::super) const REFRESHED: u8 = 64;

/// What its result was computed from is known: its shard has the record.
pub(in super::super) const DERIVED: u8 = 128;

/// How many may wait for one computation; who comes later runs the body as it would without a cache.
const MOST_WAITING: u16 = 50_000;

/// See the module.
pub(in super::super) struct Node<K, S> {
    /// The upper half of the key's hash.
    pub(in super::super) tag: AtomicU32,
    /// Greater for what began later, in one shard; it wraps.
    pub(in super::super) serial: AtomicU32,
    /// Its number.
    slot: u32,
    /// How many hold it, other than the table and readers.
    refs: AtomicU16,
    state: AtomicU8,
    uses: AtomicU8,
    key: UnsafeCell<MaybeUninit<K>>,
    value: UnsafeCell<MaybeUninit<S>>,
}

// SAFETY: `key` and `value` are written by the one thread that has the place for itself (see the methods) and then shared.
unsafe impl<K: Send + Sync, S: Send + Sync> Sync for Node<K, S> {}

/// When an entry ends, in ticks. Its parts lie apart from the node: a hit reads one of them, and where those of all entries lie close
/// together they mostly are in the processor's cache.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Times<'a> {
    /// Its result is good until then.
    expires: &'a AtomicU64,
    rest: &'a Rest,
}

/// What hits need not know.
#[derive(Debug, Default)]
struct Rest {
    /// It can be made good until then by asking for it.
    ends: AtomicU64,
    /// What it took to compute.
    load: AtomicU64,
}

impl Times<'_> {
    pub(in super::super) fn set(self, expires: u64, ends: u64, load: u64) {
        self.expires.store(expires, Ordering::Relaxed);
        self.rest.ends.store(ends, Ordering::Relaxed);
        self.rest.load.store(load, Ordering::Relaxed);
    }

    #[inline]
    pub(in super::super) fn expires(self) -> u64 {
        self.expires.load(Ordering::Relaxed)
    }

    #[inline]
    pub(in super::super) fn is_over(self, now: u64) -> bool {
        self.expires() <= now
    }

    pub(in super::super) fn load(self) -> u64 {
        self.rest.load.load(Ordering::Relaxed)
    }

    /// It was asked for, and so is good for `idle` from now on, unless its time was up. That is written only where it makes a difference of
    /// a 64th.
    #[inline]
    pub(in super::super) fn touch(self, now: u64, idle: u64) {
        if self.is_over(now) {
            return;
        }
        let expires = now.saturating_add(idle).min(self.rest.ends.load(Ordering::Relaxed));
        if expires > self.expires().saturating_add(idle / 64) {
            self.expires.store(expires, Ordering::Relaxed);
        }
    }
}

impl<K, S> Node<K, S> {
    const fn empty(slot: u32) -> Self {
        Node {
            tag: AtomicU32::new(0),
            serial: AtomicU32::new(0),
            slot,
            refs: AtomicU16::new(0),
            state: AtomicU8::new(0),
            uses: AtomicU8::new(0),
            key: UnsafeCell::new(MaybeUninit::uninit()),
            value: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Whether all of these hold.
    #[inline]
    pub(in super::super) fn is(&self, state: u8) -> bool {
        // What was written before the state was is seen.
        self.state.load(Ordering::Acquire) & state == state
    }

    /// Whether the first holds and the second does not.
    #[inline]
    pub(in super::super) fn is_only(&self, state: u8, other: u8) -> bool {
        self.state.load(Ordering::Relaxed) & (state | other) == state
    }

    /// Under the lock, as all changes of the state.
    pub(in super::super) fn set(&self, state: u8) {
        self.state.store(self.state.load(Ordering::Relaxed) | state, Ordering::Release);
    }

    pub(in super::super) fn unset(&self, state: u8) {
        self.state.store(self.state.load(Ordering::Relaxed) & !state, Ordering::Release);
    }

    /// Holds it, under the lock.
    pub(in super::super) fn hold(&self) {
        self.refs.store(self.refs.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Lets go of it, under the lock; whether nobody holds it now.
    pub(in super::super) fn release(&self) -> bool {
        let refs = self.refs.load(Ordering::Relaxed) - 1;
        self.refs.store(refs, Ordering::Relaxed);
        refs == 0
    }

    pub(in super::super) fn is_held(&self) -> bool {
        self.refs.load(Ordering::Relaxed) > 0
    }

    /// Whether so many hold it that it is for those who do so for a moment only.
    pub(in super::super) fn is_crowd_waiting(&self) -> bool {
        self.refs.load(Ordering::Relaxed) >= MOST_WAITING
    }

    #[inline]
    pub(in super::super) fn tag(&self) -> u32 {
        self.tag.load(Ordering::Relaxed)
    }

    /// What was computed is an entry now. Under the lock.
    #[inline]
    pub(in super::super) fn become_kept(&self) {
        let state = self.state.load(Ordering::Relaxed) & (CROWDED | DERIVED);
        self.state.store(state | KEY | VALUE | KEPT, Ordering::Release);
    }

    #[inline]
    pub(in super::super) fn slot(&self) -> u32 {
        self.slot
    }

    pub(in super::super) fn serial(&self) -> u32 {
        self.serial.load(Ordering::Relaxed)
    }

    /// Whether it began before what has this number.
    pub(in super::super) fn is_before(&self, serial: u32) -> bool {
        self.serial().wrapping_sub(serial).cast_signed() < 0
    }

    /// Counts a use. One that was counted often enough is only read, so that threads do not disturb each other at what all of them ask for.
    #[inline]
    pub(in super::super) fn touch(&self) {
        let uses = self.uses.load(Ordering::Relaxed);
        if uses < MOST_USES {
            // Two at a time count as one.
            self.uses.store(uses + 1, Ordering::Relaxed);
        }
    }

    pub(in super::super) fn uses(&self) -> u8 {
        self.uses.load(Ordering::Relaxed)
    }

    pub(in super::super) fn set_uses(&self, uses: u8) {
        self.uses.store(uses, Ordering::Relaxed);
    }

    /// Puts the key in. The state is that, and `state`.
    ///
    /// # Safety
    /// There is nothing in the place that is to be dropped, and the caller has it for itself.
    #[inline]
    pub(in super::super) unsafe fn fill(&self, key: K, state: u8) {
        // SAFETY: nobody else has it.
        let place = unsafe { &mut *self.key.get() };
        place.write(key);
        self.state.store(KEY | state, Ordering::Release);
        self.uses.store(0, Ordering::Relaxed);
        self.refs.store(1, Ordering::Relaxed);
    }

    /// Puts the result in. [`VALUE`] is to be set under the lock.
    ///
    /// # Safety
    /// The caller computes it: nobody else puts it in or reads it before [`VALUE`] is set.
    pub(in super::super) unsafe fn write_value(&self, value: S) {
        // SAFETY: nobody else touches it.
        let place = unsafe { &mut *self.value.get() };
        place.write(value);
    }

    /// # Safety
    /// The key is there, and stays there: the caller holds the place or reads it.
    #[inline]
    pub(in super::super) unsafe fn key(&self) -> &K {
        // SAFETY: nobody writes it as long as it is there.
        let key = unsafe { &*self.key.get() };
        // SAFETY: it was put in before anybody else saw the place.
        unsafe { key.assume_init_ref() }
    }

    /// # Safety
    /// [`VALUE`] was seen, and it stays there: the caller holds the place or reads it.
    #[inline]
    pub(in super::super) unsafe fn value(&self) -> &S {
        // SAFETY: nobody writes it as long as it is there.
        let value = unsafe { &*self.value.get() };
        // SAFETY: it was put in before `VALUE` was set.
        unsafe { value.assume_init_ref() }
    }

    /// Takes out what is there.
    ///
    /// # Safety
    /// Nobody else has the place: it is in no table, nobody holds it, nobody reads it.
    pub(in super::super) unsafe fn take(&self) -> Gone<K, S> {
        let (has_key, has_value) = (self.is(KEY), self.is(VALUE));
        self.state.store(0, Ordering::Relaxed);
        // SAFETY: the caller has the place for itself.
        let key = unsafe { self.key.get().read() };
        // SAFETY: as above.
        let value = unsafe { self.value.get().read() };
        // SAFETY: it is there, and after this it no longer counts as there.
        let key = has_key.then(|| unsafe { key.assume_init() });
        // SAFETY: as above.
        let value = has_value.then(|| unsafe { value.assume_init() });
        Gone { _key: key, _value: value }
    }
}

impl<K, S> Drop for Node<K, S> {
    fn drop(&mut self) {
        // SAFETY: it is the caller's alone.
        drop(unsafe { self.take() });
    }
}

/// Nodes in a chunk.
const CHUNK: usize = 64;

/// A cache line.
const LINE: usize = 64;

/// [`CHUNK`] nodes and, where entries end, behind them when each expires, and behind those the [rest](Rest) of their times. It begins with a cache line, and
/// of nodes that fit into one none lies in two.
pub(in super::super) struct Chunk<K, S> {
    nodes: NonNull<u8>,
    is_timed: bool,
    of: PhantomData<Node<K, S>>,
}

/// From one to the next, if they are of this size.
const fn stride(size: usize) -> usize {
    // Where it saves a line it is worth a sixth of the memory.
    if size > LINE * 3 / 4 && size <= LINE { LINE } else { size }
}

impl<K, S> Chunk<K, S> {
    /// From one node to the next.
    const STRIDE: usize = stride(size_of::<Node<K, S>>());
    /// Where the times are, when entries expire and the rest, from the first node on.
    const EXPIRES: usize = Self::STRIDE * CHUNK;
    const REST: usize = Self::EXPIRES + size_of::<AtomicU64>() * CHUNK;

    fn layout(is_timed: bool) -> Layout {
        let align = if align_of::<Node<K, S>>() > LINE { align_of::<Node<K, S>>() } else { LINE };
        let size = if is_timed { Self::REST + size_of::<Rest>() * CHUNK } else { Self::EXPIRES };
        // Of a type so large that 64 of them are more than there is memory, there is no value either.
        Layout::from_size_align(size, align)
            .unwrap_or_else(|_| handle_alloc_error(Layout::new::<Node<K, S>>()))
    }

    /// Nodes for the slots from `first` on.
    pub(in super::super) fn new(first: u32, is_timed: bool) -> Self {
        let layout = Self::layout(is_timed);
        // SAFETY: a node has a size.
        let memory = unsafe { alloc(layout) };
        let Some(nodes) = NonNull::new(memory) else { handle_alloc_error(layout) };
        let chunk = Chunk { nodes, is_timed, of: PhantomData };
        for slot in first..first + CHUNK as u32 {
            let node = chunk.node(slot);
            // SAFETY: it is within the chunk, and nobody else has it.
            unsafe { node.cast_mut().write(Node::empty(slot)) };
            if is_timed {
                let (expires, rest) = places(node, slot);
                // SAFETY: as of the node, behind which there is room for them.
                unsafe { expires.cast_mut().write(AtomicU64::new(0)) };
                // SAFETY: as above.
                unsafe { rest.cast_mut().write(Rest::default()) };
            }
        }
        chunk
    }

    /// Which chunk has a slot.
    #[inline]
    pub(in super::super) const fn of(slot: u32) -> usize {
        slot as usize / CHUNK
    }

    /// How many slots so many chunks have.
    pub(in super::super) const fn slots(chunks: usize) -> usize {
        chunks * CHUNK
    }

    /// The node of a slot that is in here.
    #[inline]
    pub(in super::super) fn node(&self, slot: u32) -> *const Node<K, S> {
        let place = slot as usize % CHUNK * Self::STRIDE;
        self.nodes.as_ptr().wrapping_add(place).cast_const().cast()
    }
}

/// Where the times of a node with this slot are, if its chunk is a timed one.
#[inline]
const fn places<K, S>(node: *const Node<K, S>, slot: u32) -> (*const AtomicU64, *const Rest) {
    let place = slot as usize % CHUNK;
    let first = node.wrapping_byte_sub(place * Chunk::<K, S>::STRIDE);
    let expires: *const AtomicU64 = first.wrapping_byte_add(Chunk::<K, S>::EXPIRES).cast();
    let rest: *const Rest = first.wrapping_byte_add(Chunk::<K, S>::REST).cast();
    (expires.wrapping_add(place), rest.wrapping_add(place))
}

/// A node's times, if entries end.
///
/// # Safety
/// The node is one of a timed chunk that is still there, and its address came from it.
#[inline]
pub(in super::super) unsafe fn times<'a, K, S>(node: *const Node<K, S>) -> Times<'a> {
    // SAFETY: the caller says that it is there.
    let slot = unsafe { &*node }.slot();
    let (expires, rest) = places(node, slot);
    // SAFETY: the caller says that the chunk has times, and they are where it put them.
    let expires = unsafe { &*expires };
    // SAFETY: as above.
    let rest = unsafe { &*rest };
    Times { expires, rest }
}

impl<K, S> Drop for Chunk<K, S> {
    fn drop(&mut self) {
        for place in 0..CHUNK as u32 {
            // SAFETY: it is there, and nobody else has it.
            unsafe { self.node(place).cast_mut().drop_in_place() };
        }
        // SAFETY: it was allocated with this layout.
        unsafe { dealloc(self.nodes.as_ptr(), Self::layout(self.is_timed)) };
    }
}

/// What was in a place. To be dropped, which is somebody's code, with no lock held.
pub(in super::super) struct Gone<K, S> {
    _key: Option<K>,
    _value: Option<S>,
}
