//! Least frequently used: what was asked for least often gives way, of several the one that was asked for the longest ago.
//!
//! A queue for each number of uses, as in K. Shah, A. Mitra, D. Matani, "An O(1) algorithm for implementing the LFU cache eviction scheme", 2010.
//! Uses are counted up to [`MOST_USES`]: what has as many is popular enough, and the queues stay few. They are never forgotten, so that a key that was popular once
//! stays for long; where popularity shifts, the default policy does better.

use super::queue::{Links, Queue};

/// Times asked for that are told apart.
const MOST_USES: usize = 255;

#[derive(Debug, Default)]
pub(in super::super) struct Lfu {
    links: Links,
    /// By uses.
    queues: Vec<Queue>,
    /// By slot.
    uses: Vec<u8>,
    /// No queue below this one holds anything.
    least: usize,
}

impl Lfu {
    #[inline]
    pub(super) fn insert(&mut self, slot: u32) {
        let index = slot as usize;
        if self.uses.len() <= index {
            self.uses.resize(index + 1, 0);
        }
        self.uses[index] = 0;
        self.least = 0;
        self.push(0, slot);
    }

    #[inline]
    pub(super) fn touch(&mut self, slot: u32) {
        let uses = usize::from(self.uses[slot as usize]);
        self.queues[uses].unlink(&mut self.links, slot);
        let more = (uses + 1).min(MOST_USES);
        self.uses[slot as usize] = more as u8;
        self.push(more, slot);
    }

    #[inline]
    pub(super) fn remove(&mut self, slot: u32) {
        let uses = usize::from(self.uses[slot as usize]);
        self.queues[uses].unlink(&mut self.links, slot);
    }

    #[inline]
    pub(super) fn evict(&mut self) -> Option<u32> {
        while let Some(queue) = self.queues.get_mut(self.least) {
            if let Some(slot) = queue.pop(&mut self.links) {
                return Some(slot);
            }
            self.least += 1;
        }
        self.least = 0;
        None
    }

    #[inline]
    fn push(&mut self, uses: usize, slot: u32) {
        if self.queues.len() <= uses {
            self.queues.resize_with(uses + 1, Queue::default);
        }
        self.queues[uses].push(&mut self.links, slot);
    }
}
