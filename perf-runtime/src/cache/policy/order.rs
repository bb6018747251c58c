//! The state of one shard's policy, whichever it is.

use super::Policy;
use super::fifo::Fifo;
use super::lfu::Lfu;
use super::lru::Lru;
use super::s3fifo::S3Fifo;
use super::size::Size;
use super::ttl::Ttl;

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

    /// A slot was filled.
    pub(in super::super) fn insert(&mut self, slot: u32, hash: u64, details: &Details) {
        match self {
            Order::S3Fifo(order) => order.insert(slot, hash),
            Order::Lru(order) => order.insert(slot),
            Order::Lfu(order) => order.insert(slot),
            Order::Fifo(order) => order.insert(slot),
            Order::Ttl(order) => order.insert(slot, details.expires),
            Order::Size(order) => order.insert(slot, details.weight),
        }
    }

    /// Something else is kept in a slot, for the same key.
    pub(in super::super) fn update(&mut self, slot: u32, details: &Details) {
        match self {
            Order::Ttl(order) => order.update(slot, details.expires),
            Order::Size(order) => order.update(slot, details.weight),
            Order::S3Fifo(_) | Order::Lru(_) | Order::Lfu(_) | Order::Fifo(_) => {}
        }
    }

    /// A slot was asked for.
    #[inline]
    pub(in super::super) fn touch(&mut self, slot: u32) {
        if let Order::S3Fifo(order) = self {
            return order.touch(slot);
        }
        self.touch_otherwise(slot);
    }

    /// Out of line, so that the default policy's hits do not pay for the choice among many.
    #[inline(never)]
    fn touch_otherwise(&mut self, slot: u32) {
        match self {
            Order::Lru(order) => order.touch(slot),
            Order::Lfu(order) => order.touch(slot),
            Order::S3Fifo(_) | Order::Fifo(_) | Order::Ttl(_) | Order::Size(_) => {}
        }
    }

    /// A slot was emptied for another reason than lack of room.
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

    /// The slot that is to give way, which the policy then forgets; `hash_of` tells the hash it was filled with.
    pub(in super::super) fn evict(&mut self, hash_of: impl Fn(u32) -> u64) -> Option<u32> {
        match self {
            Order::S3Fifo(order) => order.evict(hash_of),
            Order::Lru(order) => order.evict(),
            Order::Lfu(order) => order.evict(),
            Order::Fifo(order) => order.evict(),
            Order::Ttl(order) => order.evict(),
            Order::Size(order) => order.evict(),
        }
    }

    /// All slots were emptied.
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
}
