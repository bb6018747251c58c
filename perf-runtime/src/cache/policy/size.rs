//! Largest first: what takes the most memory gives way, of several the one that came first.
//!
//! Keeps as many entries as possible in so much memory (the SIZE policy of S. Williams et al., "Removal policies in network
//! caches for World-Wide Web documents", SIGCOMM 1996). Uses are not looked at, so small entries that nobody asks for stay.

use super::heap::Heap;

#[derive(Debug, Default)]
pub(in super::super) struct Size(Heap);

/// The heap gives out the least.
#[inline]
fn rank(weight: u64) -> u64 {
    !weight
}

impl Size {
    #[inline]
    pub(super) fn insert(&mut self, slot: u32, weight: u64) {
        self.0.insert(slot, rank(weight));
    }

    #[inline]
    pub(super) fn update(&mut self, slot: u32, weight: u64) {
        self.0.update(slot, rank(weight));
    }

    #[inline]
    pub(super) fn remove(&mut self, slot: u32) {
        self.0.remove(slot);
    }

    #[inline]
    pub(super) fn evict(&mut self) -> Option<u32> {
        self.0.pop()
    }
}
