//! S3-FIFO: a small queue, a main queue, and the ghosts of what left the small one.
//!
//! (J. Yang, Y. Zhang, Z. Qiu, Y. Yue, K. Rashmi, "FIFO queues are all you need for cache eviction", SOSP 2023.) A newcomer enters the small
//! queue, a tenth of the cache, and leaves the cache from there unless it was asked for meanwhile; most keys of real traces are
//! asked for once, so the main queue is spared them. Who was asked for moves to the main queue; so does a newcomer whose ghost
//! says that it left only a short while ago. In the main queue the oldest gets another round for each time it was asked for.

use super::Entries;
use super::queue::{Links, Queue};

/// The small queue's part of the cache.
const SMALL_SHARE: usize = 10;

#[derive(Debug, Default)]
pub(in super::super) struct S3Fifo {
    links: Links,
    small: Queue,
    main: Queue,
    ghosts: Ghosts,
    /// By slot: whether it is in the main queue.
    in_main: Vec<bool>,
}

impl S3Fifo {
    pub(super) fn insert(&mut self, slot: u32, hash: u32) {
        let in_main = self.ghosts.contains(hash, self.len());
        let index = slot as usize;
        if self.in_main.len() <= index {
            self.in_main.resize(index + 1, false);
        }
        self.in_main[index] = in_main;
        self.queue(in_main).push(slot);
    }

    pub(super) fn remove(&mut self, slot: u32) {
        let in_main = self.in_main[slot as usize];
        self.queue(in_main).unlink(slot);
    }

    pub(super) fn evict(&mut self, entries: &impl Entries) -> Option<u32> {
        loop {
            let from_small = self.small.len() * SMALL_SHARE >= self.len() || self.main.len() == 0;
            let slot = self.queue(!from_small).pop()?;
            let uses = entries.uses(slot);
            if from_small && uses > 0 {
                entries.set_uses(slot, 0);
                self.in_main[slot as usize] = true;
                self.queue(true).push(slot);
            } else if from_small {
                let len = self.len();
                self.ghosts.add(entries.hash(slot), len);
                return Some(slot);
            } else if uses > 0 {
                entries.set_uses(slot, uses - 1);
                self.queue(true).push(slot);
            } else {
                return Some(slot);
            }
        }
    }

    fn len(&self) -> usize {
        self.small.len() + self.main.len()
    }

    fn queue(&mut self, main: bool) -> Linked<'_> {
        Linked { queue: if main { &mut self.main } else { &mut self.small }, links: &mut self.links }
    }
}

/// A queue with the links it needs.
struct Linked<'a> {
    queue: &'a mut Queue,
    links: &'a mut Links,
}

impl Linked<'_> {
    fn push(&mut self, slot: u32) {
        self.queue.push(self.links, slot);
    }

    fn pop(&mut self) -> Option<u32> {
        self.queue.pop(self.links)
    }

    fn unlink(&mut self, slot: u32) {
        self.queue.unlink(self.links, slot);
    }
}

/// Hashes of what left the small queue, for as many departures as the cache has entries.
///
/// A table in which a newer ghost takes the place of an older one: what it forgets early it forgets at random, which costs a little of the
/// hit ratio and saves a second table and a queue.
#[derive(Debug, Default)]
struct Ghosts {
    table: Vec<Ghost>,
    departures: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Ghost {
    tag: u32,
    /// The number of the departure; 0 for none.
    departure: u32,
}

impl Ghosts {
    fn add(&mut self, tag: u32, entries: usize) {
        let wanted = (entries * 2).next_power_of_two();
        if self.table.len() < wanted {
            let ghosts = core::mem::replace(&mut self.table, vec![Ghost::default(); wanted]);
            for ghost in ghosts.into_iter().filter(|ghost| ghost.departure != 0) {
                let at = self.place(ghost.tag);
                self.table[at] = ghost;
            }
        }
        self.departures = self.departures.wrapping_add(1).max(1);
        let at = self.place(tag);
        self.table[at] = Ghost { tag, departure: self.departures };
    }

    fn contains(&self, tag: u32, entries: usize) -> bool {
        if self.table.is_empty() {
            return false;
        }
        let ghost = self.table[self.place(tag)];
        ghost.departure != 0
            && ghost.tag == tag
            && (self.departures.wrapping_sub(ghost.departure) as usize) < entries
    }

    fn place(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.table.len() as u64) >> 32) as usize
    }
}
