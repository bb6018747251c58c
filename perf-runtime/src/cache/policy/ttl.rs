//! Soonest expiry: what has the least time left gives way, of several the one that came first. What never expires gives way last.
//!
//! Where entries live for unlike times, what is about to go anyway makes room for what stays. Uses are not looked at. Where all
//! live equally long this is `fifo` at a higher price.

use super::heap::Heap;

#[derive(Debug, Default)]
pub(in super::super) struct Ttl(Heap);

impl Ttl {
    #[inline]
    pub(super) fn insert(&mut self, slot: u32, expires: u64) {
        self.0.insert(slot, expires);
    }

    #[inline]
    pub(super) fn update(&mut self, slot: u32, expires: u64) {
        self.0.update(slot, expires);
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
