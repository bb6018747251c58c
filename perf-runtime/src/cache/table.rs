//! From a hash to the slots that may have its key: an open-addressing table that is read without a lock.
//!
//! Linear probing with backward-shift deletion (D. Knuth, *The Art of Computer Programming* 3, 6.4, algorithm R), so there are no
//! tombstones and a table that lives for months stays as fast as a new one. Each place holds 32 bits of the hash, the *tag*, beside the
//! slot's number: they say where its search began, and spare a look at the entry itself.
//!
//! It is changed under the shard's lock while others read it. A reader may then miss what is being moved; it looks again
//! under the lock before it believes that. It never sees what was not there.

use crate::sync::{AtomicPtr, AtomicU64, Ordering};

use super::node::{Node, Times};

/// Places in a chunk of nodes.
pub(super) const CHUNK: usize = 64;

/// See the module.
pub(super) struct Table {
    /// `tag << 32 | slot + 1`, or 0 where there is nothing.
    places: Box<[AtomicU64]>,
    /// The nodes by chunk. They belong to the shard, which knows their type; so all caches share this code.
    nodes: Box<[AtomicPtr<()>]>,
    /// Beside each chunk of nodes, where entries end.
    times: Box<[AtomicPtr<Times>]>,
}

fn word(tag: u32, slot: u32) -> u64 {
    u64::from(tag) << 32 | (u64::from(slot) + 1)
}

impl Table {
    /// One for as many slots.
    pub(super) fn new(slots: usize, is_timed: bool) -> Self {
        let chunks = slots.div_ceil(CHUNK);
        // At two thirds full a search that finds looks at two places on average.
        let places = chunks * CHUNK * 3 / 2;
        Table {
            places: (0..places).map(|_| AtomicU64::new(0)).collect(),
            nodes: (0..chunks).map(|_| AtomicPtr::default()).collect(),
            times: (0..if is_timed { chunks } else { 0 }).map(|_| AtomicPtr::default()).collect(),
        }
    }

    /// Slots that it has room for.
    pub(super) fn slots(&self) -> usize {
        self.nodes.len() * CHUNK
    }

    #[inline]
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.places.len() as u64) >> 32) as usize
    }

    /// The slots with this tag, nearest first.
    #[inline]
    pub(super) fn candidates(&self, tag: u32) -> impl Iterator<Item = u32> + '_ {
        let mut at = self.home(tag);
        // A reader could run around a table that changes all the time.
        let mut left = self.places.len();
        core::iter::from_fn(move || {
            loop {
                let place = self.places.get(at)?.load(Ordering::Acquire);
                if place == 0 || left == 0 {
                    return None;
                }
                left -= 1;
                at += 1;
                if at == self.places.len() {
                    at = 0;
                }
                if (place >> 32) as u32 == tag {
                    return Some(place as u32 - 1);
                }
            }
        })
    }

    /// Where a slot's node is.
    #[inline]
    pub(super) fn node<K, S>(&self, slot: u32) -> *const Node<K, S> {
        let chunk = &self.nodes[slot as usize / CHUNK];
        chunk.load(Ordering::Acquire).cast::<Node<K, S>>().wrapping_add(slot as usize % CHUNK)
    }

    /// Where a slot's times are; null if entries never end.
    #[inline]
    pub(super) fn times(&self, slot: u32) -> *const Times {
        let chunk = self.times.get(slot as usize / CHUNK);
        chunk.map_or(core::ptr::null(), |chunk| {
            chunk.load(Ordering::Acquire).wrapping_add(slot as usize % CHUNK)
        })
    }

    /// Tells where a chunk is.
    pub(super) fn set_chunk(&self, chunk: usize, nodes: *mut (), times: Option<*mut Times>) {
        self.nodes[chunk].store(nodes, Ordering::Release);
        if let Some(times) = times {
            self.times[chunk].store(times, Ordering::Release);
        }
    }

    /// Adds a slot. There are at most [`slots`](Self::slots) of them, so there is room.
    pub(super) fn insert(&self, tag: u32, slot: u32) {
        let mut at = self.home(tag);
        while self.places[at].load(Ordering::Relaxed) != 0 {
            at = self.after(at);
        }
        self.places[at].store(word(tag, slot), Ordering::Release);
    }

    /// Removes a slot, if it is in the table.
    pub(super) fn remove(&self, tag: u32, slot: u32) {
        let wanted = word(tag, slot);
        let mut hole = self.home(tag);
        loop {
            match self.places[hole].load(Ordering::Relaxed) {
                0 => return,
                place if place == wanted => break,
                _ => hole = self.after(hole),
            }
        }
        // Move back what a search would no longer reach across the hole.
        let mut at = hole;
        loop {
            at = self.after(at);
            let place = self.places[at].load(Ordering::Relaxed);
            if place == 0 {
                break;
            }
            let start = self.home((place >> 32) as u32);
            if self.distance(start, at) >= self.distance(hole, at) {
                self.places[hole].store(place, Ordering::Release);
                hole = at;
            }
        }
        self.places[hole].store(0, Ordering::Release);
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.places.len() { 0 } else { at + 1 }
    }

    /// Steps from one place to another.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.places.len() - from }
    }

    /// All slots in it, with their tags.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let places = self.places.iter().map(|place| place.load(Ordering::Relaxed));
        places.filter(|place| *place != 0).map(|place| ((place >> 32) as u32, place as u32 - 1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn finds_what_is_in_it_and_nothing_else() {
        let table = Table::new(3_000, false);
        // Clusters, also across the end.
        let tag = |slot: u32| if slot % 3 == 0 { u32::MAX - slot % 7 } else { slot.wrapping_mul(0x9E37_79B9) };
        let mut held = HashSet::new();
        let mut state = 12_345_u32;
        for step in 0..100_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let slot = (state >> 8) % 4_096;
            if held.remove(&slot) {
                table.remove(tag(slot), slot);
            } else if held.len() < 3_000 {
                held.insert(slot);
                table.insert(tag(slot), slot);
            }
            if step % 997 == 0 {
                for slot in 0..4_096 {
                    let found = table.candidates(tag(slot)).any(|other| other == slot);
                    assert_eq!(found, held.contains(&slot), "{slot} after {step} steps");
                }
            }
        }
        table.remove(tag(5_000), 5_000);
        assert_eq!(table.all().count(), held.len());
    }
}
