//! The default policy: S3-FIFO whose main queue is defended, as much as it pays.
//!
//! The queues are those of S3-FIFO (J. Yang, Y. Zhang, Z. Qiu, Y. Yue, K. Rashmi, "FIFO queues are all you need for cache eviction", SOSP 2023):
//! a small one for newcomers, a main one for what proved itself, and ghosts of what left. A hit counts in the entry and moves nothing.
//! Plain S3-FIFO lets in whoever was asked for twice, and so keeps nothing of a loop that is longer than the cache. Here
//!
//! * what fills an empty cache goes straight to the main queue, so that of a loop, whose keys are all alike, a part stays;
//! * a newcomer that was asked for must have been so more often than one of the next few of the main queue, as in `TinyLFU` (G. Einziger,
//!   R. Friedman, B. Manes, ACM Transactions on Storage 13, 2017). Its ghost remembers its number, so that it grows from one stay to the next;
//! * how fast the main queue's numbers wear off, and how long the small queue is, follows from who comes back: see [`Gate`].

use super::Entries;
use super::gate::Gate;
use super::ghosts::{Ghost, Ghosts};
use super::queue::{Links, Queue};

/// Times asked for that are told apart. An entry's counter needs to go no further.
pub(in super::super) const MOST_USES: u8 = 7;
/// Entries that at most are passed over in the main queue for one that nobody asked for, when the small queue is to become longer, and that are
/// moved there when it is to become shorter.
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
    #[inline]
    pub(super) fn insert(&mut self, slot: u32, hash: u32) -> u8 {
        self.push(slot, !self.was_full);
        let Some((ghost, is_recent)) = self.ghosts.take(hash) else { return 0 };
        if is_recent {
            self.gate.returned(ghost);
        }
        (ghost.uses + 1).min(MOST_USES)
    }

    #[inline]
    pub(super) fn remove(&mut self, slot: u32) {
        let queue = if self.in_main[slot as usize] { &mut self.main } else { &mut self.small };
        queue.unlink(&mut self.links, slot);
        // What is empty is filled as what is new.
        self.was_full &= self.len() > 0;
    }

    /// The slot that is to give way to one that is about to be filled.
    #[inline]
    pub(super) fn evict(&mut self, entries: &impl Entries) -> Option<u32> {
        self.was_full = true;
        let (slot, ghost) = self.take_out(entries)?;
        // The one that leaves is in no queue any more.
        let len = self.len() + 1;
        if let Some(forgotten) = self.ghosts.add(entries.hash(slot), ghost, len) {
            self.gate.forgotten(forgotten);
        }
        self.gate.left(len);
        Some(slot)
    }

    /// Takes the slot that is to give way out of its queue; what is to be remembered of it.
    #[inline]
    fn take_out(&mut self, entries: &impl Entries) -> Option<(u32, Ghost)> {
        let small = self.gate.small(self.len());
        let mut moved = 0;
        while self.small.len() >= small || self.main.len() == 0 {
            let slot = self.small.pop(&mut self.links)?;
            let uses = entries.uses(slot).min(MOST_USES);
            if uses > 0 && self.main.len() == 0 {
                // All of it was removed. This is the first of what comes in its place.
                entries.set_uses(slot, 0);
                self.push(slot, true);
                continue;
            }
            if uses == 0 {
                return Some((slot, Ghost { uses: 0, from_main: false }));
            }
            if self.small.len() < small || moved == MOST_LOOKS {
                return Some(self.challenge(slot, uses, entries));
            }
            // The small queue is to become shorter.
            self.push(slot, true);
            moved += 1;
        }
        self.take_out_of_main(entries)
    }

    /// Puts a newcomer in the place of one of the main queue that was asked for less often; if there is none among the next few, the
    /// newcomer itself gives way.
    fn challenge(&mut self, newcomer: u32, uses: u8, entries: &impl Entries) -> (u32, Ghost) {
        let ease = self.gate.ease();
        for _ in 0..ease.looks {
            let Some(slot) = self.main.oldest() else { break };
            let counted = entries.uses(slot);
            let defence = counted.min(ease.most_uses);
            if defence == 0 || defence < uses {
                self.main.unlink(&mut self.links, slot);
                self.push(newcomer, true);
                entries.set_uses(newcomer, uses - ease.entry);
                return (slot, Ghost { uses: defence, from_main: true });
            }
            let rest = defence - u8::from(self.gate.wears());
            if rest != counted {
                entries.set_uses(slot, rest);
            }
            self.main.rotate(&self.links);
        }
        (newcomer, Ghost { uses, from_main: false })
    }

    fn take_out_of_main(&mut self, entries: &impl Entries) -> Option<(u32, Ghost)> {
        for _ in 0..MOST_LOOKS {
            let slot = self.main.oldest()?;
            let uses = entries.uses(slot);
            if uses == 0 {
                break;
            }
            entries.set_uses(slot, uses - 1);
            self.main.rotate(&self.links);
        }
        let slot = self.main.pop(&mut self.links)?;
        Some((slot, Ghost { uses: 0, from_main: true }))
    }

    #[inline]
    fn push(&mut self, slot: u32, in_main: bool) {
        match self.in_main.get_mut(slot as usize) {
            Some(place) => *place = in_main,
            None => self.add(slot, in_main),
        }
        let queue = if in_main { &mut self.main } else { &mut self.small };
        queue.push(&mut self.links, slot);
    }

    /// A slot is filled for the first time.
    #[cold]
    fn add(&mut self, slot: u32, in_main: bool) {
        self.in_main.resize(slot as usize, false);
        self.in_main.push(in_main);
    }

    #[inline]
    fn len(&self) -> usize {
        self.small.len() + self.main.len()
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use std::collections::HashMap;

    use super::*;

    /// A cache of keys, which tells its hits.
    struct Keys {
        order: S3Fifo,
        slots: HashMap<u32, u32>,
        entries: Vec<Known>,
        max: usize,
    }

    struct Known {
        key: u32,
        uses: Cell<u8>,
    }

    impl Entries for Vec<Known> {
        fn uses(&self, slot: u32) -> u8 {
            self[slot as usize].uses.get()
        }

        fn set_uses(&self, slot: u32, uses: u8) {
            assert!(uses <= MOST_USES);
            self[slot as usize].uses.set(uses);
        }

        fn hash(&self, slot: u32) -> u32 {
            hash(self[slot as usize].key)
        }
    }

    fn hash(key: u32) -> u32 {
        (u64::from(key).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
    }

    impl Keys {
        fn new(max: usize) -> Self {
            Keys { order: S3Fifo::default(), slots: HashMap::new(), entries: Vec::new(), max }
        }

        fn ask(&mut self, key: u32) -> bool {
            if let Some(slot) = self.slots.get(&key) {
                let uses = &self.entries[*slot as usize].uses;
                uses.set((uses.get() + 1).min(MOST_USES));
                return true;
            }
            let slot = if self.slots.len() < self.max {
                self.entries.push(Known { key, uses: Cell::new(0) });
                self.entries.len() as u32 - 1
            } else {
                let slot = self.order.evict(&self.entries).expect("a full cache");
                self.slots.remove(&self.entries[slot as usize].key).expect("an entry that is in");
                slot
            };
            self.slots.insert(key, slot);
            let uses = Cell::new(self.order.insert(slot, hash(key)));
            self.entries[slot as usize] = Known { key, uses };
            assert_eq!(self.order.len(), self.slots.len());
            false
        }

        /// Hits in a hundred.
        fn ask_all(&mut self, keys: impl Iterator<Item = u32>) -> usize {
            let (mut asked, mut hits) = (0, 0);
            for key in keys {
                asked += 1;
                hits += usize::from(self.ask(key));
            }
            hits * 100 / asked
        }
    }

    /// Numbers below `limit`, the lower ones more often.
    fn skewed(seed: u32, limit: u32) -> impl Iterator<Item = u32> {
        let mut state = u64::from(seed) | 1;
        core::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let unit = (state >> 40) as f64 / (1_u64 << 24) as f64;
            (unit.powi(4) * f64::from(limit)) as u32
        })
    }

    #[test]
    fn of_a_loop_that_is_longer_than_the_cache_most_stays() {
        let mut keys = Keys::new(1_000);
        let hits = keys.ask_all((0..60_000).map(|n| n % 1_250));
        assert!(hits >= 70, "{hits} of 78");
    }

    #[test]
    fn no_spread_of_the_hashes_makes_a_loop_chase_itself() {
        for salt in 0..40 {
            let mut keys = Keys::new(500);
            let hits = keys.ask_all((0..40_000).map(|n| n % 600 + salt * 1_000_003));
            assert!(hits >= 65, "{hits} of 81 with {salt}");
        }
    }

    #[test]
    fn a_scan_leaves_the_popular_alone() {
        let mut keys = Keys::new(1_000);
        keys.ask_all(skewed(1, 20_000).take(50_000));
        let before = keys.ask_all(skewed(2, 20_000).take(2_000));
        keys.ask_all(100_000..150_000);
        let after = keys.ask_all(skewed(3, 20_000).take(2_000));
        assert!(after + 5 >= before, "{before}, then {after}");
    }

    #[test]
    fn what_becomes_popular_gets_in() {
        let mut keys = Keys::new(1_000);
        let before = keys.ask_all(skewed(1, 20_000).take(100_000));
        keys.ask_all(skewed(2, 20_000).take(30_000).map(|key| key + 100_000));
        let after = keys.ask_all(skewed(3, 20_000).take(30_000).map(|key| key + 100_000));
        assert!(after + 5 >= before, "{before}, then {after}");
    }

    #[test]
    fn the_smallest_caches_work() {
        for max in [1, 2, 3, 10] {
            let mut keys = Keys::new(max);
            keys.ask_all(skewed(1, 40).take(5_000));
            let most = max as u32;
            assert_eq!(keys.slots.len(), max);
            keys.ask_all((0..2_000).map(|n| 100 + n % most));
            assert_eq!(keys.ask_all((0..100).map(|n| 100 + n % most)), 100, "{max}");
        }
    }
}
