//! One shard's entries, under its lock: what is found by hash alone, and what no code of the user's runs in.

use std::sync::Arc;

use super::index::Index;
use super::policy::{Order, Policy};

/// A key and what belongs to it.
#[derive(Debug)]
pub(super) struct Entry<K, S> {
    pub(super) key: K,
    pub(super) value: S,
}

/// The entries of one shard, and what happened to them.
pub(super) struct Entries<K, S> {
    index: Index,
    slots: Vec<Slot<K, S>>,
    free: Vec<u32>,
    order: Order,
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) evicted: u64,
    pub(super) expired: u64,
    pub(super) invalidated: u64,
}

/// A place for an entry.
pub(super) struct Slot<K, S> {
    hash: u64,
    /// In ticks; `u64::MAX` for never.
    expires: u64,
    /// `None` in a free slot.
    pub(super) entry: Option<Arc<Entry<K, S>>>,
}

/// What a look into a shard found.
pub(super) enum Found<K, S> {
    /// An entry with the hash; most likely the one.
    Candidate(Arc<Entry<K, S>>),
    /// An entry whose time was up, and which was taken out. There may be others.
    Expired(Arc<Entry<K, S>>),
    Nothing,
}

/// Whether a look is a use, as far as the policy is concerned.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Use {
    Yes,
    No,
}

impl<K, S> Entries<K, S> {
    pub(super) fn new(policy: Policy) -> Self {
        Entries {
            index: Index::default(),
            slots: Vec::new(),
            free: Vec::new(),
            order: Order::new(policy),
            hits: 0,
            misses: 0,
            evicted: 0,
            expired: 0,
            invalidated: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The entry with this hash, after `skip` others. An expired one is taken out.
    #[inline]
    pub(super) fn find(&mut self, hash: u64, skip: usize, now: u64, usage: Use) -> Found<K, S> {
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

    pub(super) fn insert(&mut self, hash: u64, entry: Arc<Entry<K, S>>, expires: u64) {
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
    pub(super) fn replace(
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
    pub(super) fn remove(&mut self, hash: u64, entry: &Arc<Entry<K, S>>) -> Option<Arc<Entry<K, S>>> {
        let slot = self.slot_of(hash, entry)?;
        self.empty(slot)
    }

    fn empty(&mut self, slot: u32) -> Option<Arc<Entry<K, S>>> {
        self.order.remove(slot);
        self.release(slot)
    }

    pub(super) fn evict(&mut self) -> Option<Arc<Entry<K, S>>> {
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

    pub(super) fn clear(&mut self) -> Vec<Slot<K, S>> {
        self.index.clear();
        self.order.clear();
        self.free = Vec::new();
        core::mem::take(&mut self.slots)
    }
}
