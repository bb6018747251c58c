//! Least recently used: one queue; what is asked for becomes the newest, the oldest gives way.

use super::queue::{Links, Queue};

#[derive(Debug, Default)]
pub(in super::super) struct Lru {
    links: Links,
    queue: Queue,
}

impl Lru {
    #[inline]
    pub(super) fn insert(&mut self, slot: u32) {
        self.queue.push(&mut self.links, slot);
    }

    #[inline]
    pub(super) fn touch(&mut self, slot: u32) {
        self.queue.renew(&mut self.links, slot);
    }

    #[inline]
    pub(super) fn remove(&mut self, slot: u32) {
        self.queue.unlink(&mut self.links, slot);
    }

    #[inline]
    pub(super) fn evict(&mut self) -> Option<u32> {
        self.queue.pop(&mut self.links)
    }
}
