//! The state of one shard's policy, whichever it is.

use core::cell::Cell;

use super::fifo::Fifo;
use super::lfu::Lfu;
use super::lru::Lru;
use super::s3fifo::{MOST_USES, S3Fifo};
use super::{Entries, Policy};

/// The state of one shard's policy.
#[derive(Debug)]
pub(in super::super) enum Order {
    S3Fifo(S3Fifo, Counters),
    Lru(Lru),
    Lfu(Lfu),
    Fifo(Fifo),
}

impl Order {
    pub(in super::super) fn new(policy: Policy) -> Self {
        match policy {
            Policy::S3Fifo => Order::S3Fifo(S3Fifo::default(), Counters::default()),
            Policy::Lru => Order::Lru(Lru::default()),
            Policy::Lfu => Order::Lfu(Lfu::default()),
            Policy::Fifo => Order::Fifo(Fifo::default()),
        }
    }

    /// A slot was filled.
    pub(in super::super) fn insert(&mut self, slot: u32, hash: u64) {
        match self {
            Order::S3Fifo(order, counters) => counters.begin(slot, order.insert(slot, short(hash))),
            Order::Lru(order) => order.insert(slot),
            Order::Lfu(order) => order.insert(slot),
            Order::Fifo(order) => order.insert(slot),
        }
    }

    /// A slot was asked for.
    #[inline]
    pub(in super::super) fn touch(&mut self, slot: u32) {
        if let Order::S3Fifo(_, counters) = self {
            return counters.count(slot);
        }
        self.touch_otherwise(slot);
    }

    /// Out of line, so that the default policy's hits do not pay for the choice among many.
    #[inline(never)]
    fn touch_otherwise(&mut self, slot: u32) {
        match self {
            Order::Lru(order) => order.touch(slot),
            Order::Lfu(order) => order.touch(slot),
            Order::S3Fifo(..) | Order::Fifo(_) => {}
        }
    }

    /// A slot was emptied for another reason than lack of room.
    pub(in super::super) fn remove(&mut self, slot: u32) {
        match self {
            Order::S3Fifo(order, _) => order.remove(slot),
            Order::Lru(order) => order.remove(slot),
            Order::Lfu(order) => order.remove(slot),
            Order::Fifo(order) => order.remove(slot),
        }
    }

    /// The slot that is to give way, which the policy then forgets; `hash_of` tells the hash it was filled with.
    pub(in super::super) fn evict(&mut self, hash_of: impl Fn(u32) -> u64) -> Option<u32> {
        match self {
            Order::S3Fifo(order, counters) => order.evict(&Counted { counters, hash_of }),
            Order::Lru(order) => order.evict(),
            Order::Lfu(order) => order.evict(),
            Order::Fifo(order) => order.evict(),
        }
    }

    /// All slots were emptied.
    pub(in super::super) fn clear(&mut self) {
        match self {
            Order::S3Fifo(order, counters) => (*order, *counters) = (S3Fifo::default(), Counters::default()),
            Order::Lru(order) => *order = Lru::default(),
            Order::Lfu(order) => *order = Lfu::default(),
            Order::Fifo(order) => *order = Fifo::default(),
        }
    }
}

/// How often each slot was asked for, up to what the default policy tells apart.
#[derive(Debug, Default)]
pub(in super::super) struct Counters(Vec<Cell<u8>>);

impl Counters {
    fn begin(&mut self, slot: u32, uses: u8) {
        let index = slot as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, Cell::new(0));
        }
        self.0[index].set(uses);
    }

    #[inline]
    fn count(&self, slot: u32) {
        let uses = &self.0[slot as usize];
        if uses.get() < MOST_USES {
            uses.set(uses.get() + 1);
        }
    }
}

/// The counters together with the hashes.
struct Counted<'a, H> {
    counters: &'a Counters,
    hash_of: H,
}

impl<H: Fn(u32) -> u64> Entries for Counted<'_, H> {
    fn uses(&self, slot: u32) -> u8 {
        self.counters.0[slot as usize].get()
    }

    fn set_uses(&self, slot: u32, uses: u8) {
        self.counters.0[slot as usize].set(uses);
    }

    fn hash(&self, slot: u32) -> u32 {
        short((self.hash_of)(slot))
    }
}

/// The upper half of a hash; the lower one chooses the shard.
fn short(hash: u64) -> u32 {
    (hash >> 32) as u32
}
