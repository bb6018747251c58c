//! The default policy: S3-FIFO whose main queue is defended, as much as it pays.
//!
//! The queues are those of S3-FIFO (J. Yang, Y. Zhang, Z. Qiu, Y. Yue, K. Rashmi, "FIFO queues are all you need for cache eviction", SOSP 2023):
//! a small one for newcomers, a main one for what proved itself, and ghosts of what left. A hit counts in the entry and moves nothing.
//! Plain S3-FIFO lets in whoever was asked for twice, and so keeps nothing of a loop that is longer than the cache. Here
//!
//! * what fills an empty cache goes straight to the main queue, so that of a loop, whose keys are all alike, a part stays;
//! * a newcomer that was asked for must have been so more often than one of the next few of the main queue, as in TinyLFU (G. Einziger,
//!   R. Friedman, B. Manes, ACM Transactions on Storage 13, 2017). Its ghost remembers its number, so that it grows from one stay to the next;
//! * how fast the main queue's numbers wear off, and how long the small queue is, follows from who comes back: see [`Gate`].

use super::Entries;
use super::gate::Gate;
use super::ghosts::{Ghost, Ghosts};
use super::queue::{Links, Queue};

/// Times asked for that are told apart. An entry's counter needs to go no further.
pub(in super::super) const MOST_USES: u8 = 7;
/// Entries of the main queue that are looked at for one that nobody asked for, when the small queue is to become longer.
const MOST_LOOKS: u32 = 16;

#[derive(Debug, Default)]
pub(in super::super) struct S3Fifo {
    links: Links,
    small: Queue,
    main: Queue,
    /// By slot.
    in_main: Vec<bool>,
    ghosts: Ghosts,
    gate: Gate,
    /// Whether anything gave way yet.
    was_full: bool,
}

impl S3Fifo {
    /// A slot was filled. Its counter is to begin with what this returns.
    pub(super) fn insert(&mut self, slot: u32, hash: u32) -> u8 {
        let in_main = !self.was_full;
        let index = slot as usize;
        if self.in_main.len() <= index {
            self.in_main.resize(index + 1, false);
        }
        self.push(slot, in_main);
        let Some((ghost, is_recent)) = self.ghosts.take(hash) else { return 0 };
        if is_recent {
            self.gate.returned(ghost);
        }
        (ghost.uses + 1).min(MOST_USES)
    }

    pub(super) fn remove(&mut self, slot: u32) {
        let queue = if self.in_main[slot as usize] { &mut self.main } else { &mut self.small };
        queue.unlink(&mut self.links, slot);
    }

    /// The slot that is to give way to one that is about to be filled.
    pub(super) fn evict(&mut self, entries: &impl Entries) -> Option<u32> {
        self.was_full = true;
        let small = self.gate.small(self.len());
        while self.small.len() >= small || self.main.len() == 0 {
            let slot = self.small.pop(&mut self.links)?;
            let uses = entries.uses(slot).min(MOST_USES);
            if uses == 0 || self.main.len() == 0 {
                return Some(self.leave(slot, Ghost { uses: 0, from_main: false }, entries));
            }
            if self.small.len() < small {
                return Some(self.challenge(slot, uses, entries));
            }
            // The small queue is to become shorter.
            self.push(slot, true);
        }
        self.evict_from_main(entries)
    }

    /// Puts a newcomer in the place of one of the main queue that was asked for less often; if there is none among the next few, the
    /// newcomer itself gives way.
    fn challenge(&mut self, newcomer: u32, uses: u8, entries: &impl Entries) -> u32 {
        let ease = self.gate.ease();
        for _ in 0..ease.looks {
            let Some(slot) = self.main.pop(&mut self.links) else { break };
            let counted = entries.uses(slot);
            let defence = counted.min(ease.most_uses);
            if defence == 0 || defence < uses {
                self.push(newcomer, true);
                entries.set_uses(newcomer, uses - ease.entry);
                return self.leave(slot, Ghost { uses: defence, from_main: true }, entries);
            }
            let rest = defence - u8::from(self.gate.wears());
            if rest != counted {
                entries.set_uses(slot, rest);
            }
            self.push(slot, true);
        }
        self.leave(newcomer, Ghost { uses, from_main: false }, entries)
    }

    fn evict_from_main(&mut self, entries: &impl Entries) -> Option<u32> {
        let mut slot = self.main.pop(&mut self.links)?;
        for _ in 0..MOST_LOOKS {
            let uses = entries.uses(slot);
            if uses == 0 {
                break;
            }
            entries.set_uses(slot, uses - 1);
            self.push(slot, true);
            slot = self.main.pop(&mut self.links)?;
        }
        Some(self.leave(slot, Ghost { uses: 0, from_main: true }, entries))
    }

    fn leave(&mut self, slot: u32, ghost: Ghost, entries: &impl Entries) -> u32 {
        // The one that leaves is in no queue any more.
        let len = self.len() + 1;
        if let Some(forgotten) = self.ghosts.add(entries.hash(slot), ghost, len) {
            self.gate.forgotten(forgotten);
        }
        self.gate.left(len);
        slot
    }

    fn push(&mut self, slot: u32, in_main: bool) {
        self.in_main[slot as usize] = in_main;
        let queue = if in_main { &mut self.main } else { &mut self.small };
        queue.push(&mut self.links, slot);
    }

    fn len(&self) -> usize {
        self.small.len() + self.main.len()
    }
}
