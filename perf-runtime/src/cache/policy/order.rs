//! The state of one shard's policy, whichever it is.

use super::fifo::Fifo;
use super::lfu::Lfu;
use super::lru::Lru;
use super::s3fifo::S3Fifo;
use super::size::Size;
use super::ttl::Ttl;
use super::{Entries, Policy};

/// The state of one shard's policy.
#[derive(Debug)]
pub(in super::super) enum Order {
    S3Fifo(S3Fifo),
    Lru(Lru),
    Lfu(Lfu),
    Fifo(Fifo),
    Ttl(Ttl),
    Size(Size),
}

/// What a policy may want to know of an entry, besides its hash.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Details {
    /// In ticks; `u64::MAX` for never.
    pub(in super::super) expires: u64,
    /// In bytes.
    pub(in super::super) weight: u64,
}

impl Order {
    #[inline]
    pub(in super::super) fn new(policy: Policy) -> Self {
        match policy {
            Policy::S3Fifo => Order::S3Fifo(S3Fifo::default()),
            Policy::Lru => Order::Lru(Lru::default()),
            Policy::Lfu => Order::Lfu(Lfu::default()),
            Policy::Fifo => Order::Fifo(Fifo::default()),
            Policy::Ttl => Order::Ttl(Ttl::default()),
            Policy::Size => Order::Size(Size::default()),
        }
    }

    /// A slot was filled, after another one gave way if there was no room. What it counts of its uses begins with what this returns.
    #[inline]
    pub(in super::super) fn insert(&mut self, slot: u32, hash: u32, details: &Details) -> u8 {
        if let Order::S3Fifo(order) = self {
            return order.insert(slot, hash);
        }
        self.insert_otherwise(slot, details);
        0
    }

    #[inline(never)]
    fn insert_otherwise(&mut self, slot: u32, details: &Details) {
        match self {
            Order::S3Fifo(_) => {}
            Order::Lru(order) => order.insert(slot),
            Order::Lfu(order) => order.insert(slot),
            Order::Fifo(order) => order.insert(slot),
            Order::Ttl(order) => order.insert(slot, details.expires),
            Order::Size(order) => order.insert(slot, details.weight),
        }
    }

    /// An entry ends later than was said.
    #[inline]
    pub(in super::super) fn update(&mut self, slot: u32, details: &Details) {
        match self {
            Order::Ttl(order) => order.update(slot, details.expires),
            Order::Size(order) => order.update(slot, details.weight),
            Order::S3Fifo(_) | Order::Lru(_) | Order::Lfu(_) | Order::Fifo(_) => {}
        }
    }

    /// All slots were emptied: it begins anew.
    #[inline]
    pub(in super::super) fn clear(&mut self) {
        match self {
            Order::S3Fifo(order) => *order = S3Fifo::default(),
            Order::Lru(order) => *order = Lru::default(),
            Order::Lfu(order) => *order = Lfu::default(),
            Order::Fifo(order) => *order = Fifo::default(),
            Order::Ttl(order) => *order = Ttl::default(),
            Order::Size(order) => *order = Size::default(),
        }
    }

    /// A slot was asked for.
    #[inline]
    pub(in super::super) fn touch(&mut self, slot: u32) {
        match self {
            Order::Lru(order) => order.touch(slot),
            Order::Lfu(order) => order.touch(slot),
            Order::S3Fifo(_) | Order::Fifo(_) | Order::Ttl(_) | Order::Size(_) => {}
        }
    }

    /// A slot was emptied for another reason than lack of room.
    #[inline]
    pub(in super::super) fn remove(&mut self, slot: u32) {
        match self {
            Order::S3Fifo(order) => order.remove(slot),
            Order::Lru(order) => order.remove(slot),
            Order::Lfu(order) => order.remove(slot),
            Order::Fifo(order) => order.remove(slot),
            Order::Ttl(order) => order.remove(slot),
            Order::Size(order) => order.remove(slot),
        }
    }

    /// The slot that is to give way to one that is about to be filled, which the policy then forgets. Only of a full cache.
    #[inline]
    pub(in super::super) fn evict(&mut self, entries: &impl Entries) -> Option<u32> {
        if let Order::S3Fifo(order) = self {
            return order.evict(entries);
        }
        self.evict_otherwise()
    }

    #[inline(never)]
    fn evict_otherwise(&mut self) -> Option<u32> {
        match self {
            Order::S3Fifo(_) => None,
            Order::Lru(order) => order.evict(),
            Order::Lfu(order) => order.evict(),
            Order::Fifo(order) => order.evict(),
            Order::Ttl(order) => order.evict(),
            Order::Size(order) => order.evict(),
        }
    }
}

impl Policy {
    /// Whether it is told of every use, under a lock. The default policy does with what is counted in the entries.
    pub(in super::super) const fn wants_uses(self) -> bool {
        matches!(self, Policy::Lru | Policy::Lfu)
    }
}
