//! The state of one shard's policy, whichever it is.

use super::Policy;
use super::lru::Lru;
use super::s3fifo::S3Fifo;

/// The state of one shard's policy.
#[derive(Debug)]
pub(in super::super) enum Order {
    S3Fifo(S3Fifo),
    Lru(Lru),
}

impl Order {
    pub(in super::super) fn new(policy: Policy) -> Self {
        match policy {
            Policy::S3Fifo => Order::S3Fifo(S3Fifo::default()),
            Policy::Lru => Order::Lru(Lru::default()),
        }
    }

    /// A slot was filled.
    pub(in super::super) fn insert(&mut self, slot: u32, hash: u64) {
        match self {
            Order::S3Fifo(order) => order.insert(slot, hash),
            Order::Lru(order) => order.insert(slot),
        }
    }

    /// A slot was asked for.
    #[inline]
    pub(in super::super) fn touch(&mut self, slot: u32) {
        match self {
            Order::S3Fifo(order) => order.touch(slot),
            Order::Lru(order) => order.touch(slot),
        }
    }

    /// A slot was emptied for another reason than lack of room.
    pub(in super::super) fn remove(&mut self, slot: u32) {
        match self {
            Order::S3Fifo(order) => order.remove(slot),
            Order::Lru(order) => order.remove(slot),
        }
    }

    /// The slot that is to give way, which the policy then forgets; `hash_of` tells the hash it was filled with.
    pub(in super::super) fn evict(&mut self, hash_of: impl Fn(u32) -> u64) -> Option<u32> {
        match self {
            Order::S3Fifo(order) => order.evict(hash_of),
            Order::Lru(order) => order.evict(),
        }
    }

    /// All slots were emptied.
    pub(in super::super) fn clear(&mut self) {
        match self {
            Order::S3Fifo(order) => *order = S3Fifo::default(),
            Order::Lru(order) => *order = Lru::default(),
        }
    }
}
