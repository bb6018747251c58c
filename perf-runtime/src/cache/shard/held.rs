//! Entries and computations of a shard that are held, so that what somebody's code does to them happens with no lock held.

use super::super::flight::waits::FlightId;
use super::super::readers::Readers;
use super::node::{KEY, Node, VALUE};
use super::{Shard, Writer};

/// Slots that are held, to be looked at with no lock held.
///
/// Letting go of them drops what left meanwhile, which may panic. What a function returns is then leaked if it is one of its variables that is dropped at
/// its end (rust-lang/rust#47949), so it is dropped by name before.
pub(in super::super) struct Held<'a, K, S, R> {
    shard: &'a Shard<K, S, R>,
    readers: &'a Readers,
    slots: Vec<u32>,
    nodes: Vec<*const Node<K, S>>,
}

// SAFETY: it is shared references to nodes.
unsafe impl<K: Send + Sync, S: Send + Sync, R: Send + Sync> Send for Held<'_, K, S, R> {}
// SAFETY: as above.
unsafe impl<K: Send + Sync, S: Send + Sync, R: Send + Sync> Sync for Held<'_, K, S, R> {}

impl<'a, K, S, R> Held<'a, K, S, R> {
    /// Of these slots, in these nodes, which were held just now.
    pub(in super::super) const fn new(
        shard: &'a Shard<K, S, R>,
        readers: &'a Readers,
        slots: Vec<u32>,
        nodes: Vec<*const Node<K, S>>,
    ) -> Self {
        Held { shard, readers, slots, nodes }
    }

    /// None.
    pub(in super::super) const fn none(shard: &'a Shard<K, S, R>, readers: &'a Readers) -> Self {
        Held { shard, readers, slots: Vec::new(), nodes: Vec::new() }
    }

    pub(in super::super) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// What the computation in the first of them is called.
    pub(in super::super) fn id(&self) -> FlightId {
        self.nodes.first().map_or(0, |node| node.addr())
    }

    /// Where the node of one is.
    pub(in super::super) fn address(&self, place: usize) -> *const Node<K, S> {
        self.nodes[place]
    }

    pub(in super::super) fn keys(&self) -> impl Iterator<Item = &K> {
        (0..self.slots.len()).map(|place| self.key(place))
    }

    /// Which has the key for which `is` holds.
    pub(in super::super) fn position(&self, is: &impl Fn(&K) -> bool) -> Option<usize> {
        self.keys().position(is)
    }

    /// Lets go of all others.
    pub(in super::super) fn only(mut self, place: usize) -> Self {
        let (slot, node) = (self.slots.swap_remove(place), self.nodes.swap_remove(place));
        let only = Held { shard: self.shard, readers: self.readers, slots: vec![slot], nodes: vec![node] };
        drop(self);
        only
    }

    pub(in super::super) fn node(&self, place: usize) -> &Node<K, S> {
        // SAFETY: nodes live as long as the shard.
        unsafe { &*self.nodes[place] }
    }

    pub(in super::super) fn key(&self, place: usize) -> &K {
        debug_assert!(self.node(place).is(KEY));
        // SAFETY: what was in a table has a key, and it is held.
        unsafe { self.node(place).key() }
    }

    /// The result, if there is one.
    pub(in super::super) fn value(&self, place: usize) -> Option<&S> {
        let node = self.node(place);
        // SAFETY: it is there, and it is held.
        node.is(VALUE).then(|| unsafe { node.value() })
    }

    /// Lets go of them under the lock, which the caller has.
    pub(in super::super) fn release(mut self, writer: &mut Writer<K, S, R>) {
        for slot in core::mem::take(&mut self.slots) {
            writer.release(slot);
        }
    }
}

impl<K, S, R> Drop for Held<'_, K, S, R> {
    fn drop(&mut self) {
        if self.slots.is_empty() {
            return;
        }
        let mut locked = self.shard.lock();
        for slot in core::mem::take(&mut self.slots) {
            locked.writer.release(slot);
        }
        drop(locked.unlock(self.readers, false));
    }
}
