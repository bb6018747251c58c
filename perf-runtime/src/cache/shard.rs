//! One shard's entries, under its lock: what is found by hash alone, and what no code of the user's runs in.

use std::sync::{Arc, OnceLock};

use super::index::Index;
use super::policy::{Details, Fifo, Order, Policy};

/// A key and what belongs to it, which is there when the entry is in a cache.
#[derive(Debug)]
pub(super) struct Entry<K, S> {
    pub(super) key: K,
    pub(super) value: OnceLock<S>,
}

impl<K, S> Entry<K, S> {
    pub(super) fn new(key: K) -> Self {
        Entry { key, value: OnceLock::new() }
    }
}

impl<K, S: Clone> Entry<K, S> {
    /// A clone of the value, which is there where the entry was in a cache.
    #[inline]
    pub(super) fn value(&self) -> Option<S> {
        self.value.get().cloned()
    }
}

/// The entries of one shard, and what happened to them.
pub(super) struct Entries<K, S> {
    index: Index,
    slots: Vec<Slot<K, S>>,
    free: Vec<u32>,
    order: Order,
    /// Those that expire, the one whose time is up first in front: all live equally long.
    ages: Fifo,
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) evicted: u64,
    pub(super) expired: u64,
    pub(super) invalidated: u64,
}

/// A place for an entry.
struct Slot<K, S> {
    hash: u64,
    /// In ticks; `u64::MAX` for never.
    expires: u64,
    /// `None` in a free slot.
    entry: Option<Arc<Entry<K, S>>>,
}

/// All entries with one hash at one moment; nearly always one at most.
pub(super) type Bucket<K, S> = Vec<Arc<Entry<K, S>>>;

/// What a look into a shard found first.
pub(super) enum Found<K, S> {
    /// An entry with the hash; most likely the one.
    Candidate(Arc<Entry<K, S>>),
    /// An entry with the hash whose time is up.
    Expired,
    Nothing,
}

impl<K, S> Entries<K, S> {
    pub(super) fn new(policy: Policy) -> Self {
        Entries {
            index: Index::default(),
            slots: Vec::new(),
            free: Vec::new(),
            order: Order::new(policy),
            ages: Fifo::default(),
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

    /// The slots with this hash.
    #[inline]
    fn slots_of(&self, hash: u64) -> impl Iterator<Item = u32> + '_ {
        self.index.candidates(hash).filter(move |slot| self.slots[*slot as usize].hash == hash)
    }

    /// The first entry with this hash.
    #[inline]
    pub(super) fn first(&self, hash: u64, now: u64) -> Found<K, S> {
        self.slots_of(hash).next().map_or(Found::Nothing, |slot| self.look_at(slot, now))
    }

    /// The first entry with this hash, which is noted as used.
    #[inline]
    pub(super) fn find(&mut self, hash: u64, now: u64) -> Found<K, S> {
        let first = self.slots_of(hash).next();
        let Some(slot) = first else { return Found::Nothing };
        let found = self.look_at(slot, now);
        if let Found::Candidate(_) = found {
            self.order.touch(slot);
        }
        found
    }

    #[inline]
    fn look_at(&self, slot: u32, now: u64) -> Found<K, S> {
        match &self.slots[slot as usize] {
            Slot { expires, entry: Some(entry), .. } if *expires > now => Found::Candidate(Arc::clone(entry)),
            _ => Found::Expired,
        }
    }

    /// All entries with this hash. Those whose time is up are taken out, into `expired`.
    pub(super) fn bucket(&mut self, hash: u64, now: u64, expired: &mut Bucket<K, S>) -> Bucket<K, S> {
        let (mut bucket, mut over) = (Vec::new(), Vec::new());
        for slot in self.slots_of(hash) {
            let Slot { expires, entry, .. } = &self.slots[slot as usize];
            match entry {
                Some(entry) if *expires > now => bucket.push(Arc::clone(entry)),
                _ => over.push(slot),
            }
        }
        self.expired += over.len() as u64;
        expired.extend(over.into_iter().filter_map(|slot| self.empty(slot)));
        bucket
    }

    /// Takes out some entries whose time is up, if there are any: as many as keep them from becoming more when called before each insertion.
    pub(super) fn sweep(&mut self, now: u64, expired: &mut Bucket<K, S>) {
        for _ in 0..2 {
            let oldest = self.ages.oldest().filter(|slot| self.slots[*slot as usize].expires <= now);
            let Some(slot) = oldest else { return };
            self.expired += 1;
            expired.extend(self.empty(slot));
        }
    }

    /// Whether the entries with this hash are still those.
    pub(super) fn is_bucket(&self, hash: u64, bucket: &[Arc<Entry<K, S>>]) -> bool {
        let mut slots = self.slots_of(hash);
        let same = bucket.iter().all(|entry| {
            let slot = slots.next().and_then(|slot| self.slots[slot as usize].entry.as_ref());
            slot.is_some_and(|other| Arc::ptr_eq(other, entry))
        });
        same && slots.next().is_none()
    }

    fn slot_of(&self, hash: u64, entry: &Arc<Entry<K, S>>) -> Option<u32> {
        self.slots_of(hash).find(|slot| {
            self.slots[*slot as usize].entry.as_ref().is_some_and(|other| Arc::ptr_eq(other, entry))
        })
    }

    /// Notes that an entry was used, if it is still there.
    pub(super) fn touch(&mut self, hash: u64, entry: &Arc<Entry<K, S>>) {
        if let Some(slot) = self.slot_of(hash, entry) {
            self.order.touch(slot);
        }
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
        self.order.insert(slot, hash, &Details { expires, weight: 0 });
        if expires < u64::MAX {
            self.ages.insert(slot);
        }
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
        self.order.update(slot, &Details { expires, weight: 0 });
        let filled = &mut self.slots[slot as usize];
        if filled.expires < u64::MAX {
            self.ages.remove(slot);
        }
        if expires < u64::MAX {
            self.ages.insert(slot);
        }
        filled.expires = expires;
        filled.entry.replace(Arc::clone(entry))
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

    /// Takes out what is to give way, if there is anything.
    pub(super) fn evict(&mut self) -> Option<Arc<Entry<K, S>>> {
        let slots = &self.slots;
        let slot = self.order.evict(|slot| slots[slot as usize].hash)?;
        self.evicted += 1;
        self.release(slot)
    }

    /// Frees a slot that the policy no longer knows.
    fn release(&mut self, slot: u32) -> Option<Arc<Entry<K, S>>> {
        let Slot { hash, expires, entry } = &mut self.slots[slot as usize];
        if *expires < u64::MAX {
            self.ages.remove(slot);
        }
        self.index.remove(*hash, slot);
        self.free.push(slot);
        entry.take()
    }

    /// Takes everything out.
    pub(super) fn clear(&mut self) -> Bucket<K, S> {
        self.index.clear();
        self.order.clear();
        self.ages = Fifo::default();
        self.free = Vec::new();
        let slots = core::mem::take(&mut self.slots);
        slots.into_iter().filter_map(|slot| slot.entry).collect()
    }
}
