//! First in, first out: the oldest gives way, whether it was asked for or not.

use super::queue::{Links, Queue};

#[derive(Debug, Default)]
pub(in super::super) struct Fifo {
    links: Links,
    queue: Queue,
}

impl Fifo {
    #[inline]
    pub(in super::super) fn insert(&mut self, slot: u32) {
        self.queue.push(&mut self.links, slot);
    }

    #[inline]
    pub(in super::super) fn remove(&mut self, slot: u32) {
        self.queue.unlink(&mut self.links, slot);
    }

    #[inline]
    pub(in super::super) fn evict(&mut self) -> Option<u32> {
        self.queue.pop(&mut self.links)
    }

    /// What would give way next.
    #[inline]
    pub(in super::super) fn oldest(&self) -> Option<u32> {
        self.queue.oldest()
    }
}
