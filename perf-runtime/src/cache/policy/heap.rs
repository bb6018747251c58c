//! A binary heap of slots, which tells the one with the least rank, of several the one that came first.
//!
//! (J. Williams, "Algorithm 232: Heapsort", CACM 7, 1964.) It knows where each slot stands, so that a slot is taken out or given
//! another rank in O(log n), without a search. Ranks are numbers: what a rank means is the policy's to say. It never shrinks;
//! slots are numbered from 0 and used again, so it is as large as the shard once was.

/// Where a slot stands that is not in the heap.
const NOWHERE: u32 = u32::MAX;

#[derive(Debug, Default)]
pub(super) struct Heap {
    /// None before its parent, which for the node at `n` is the one at `(n - 1) / 2`.
    nodes: Vec<Node>,
    /// By slot.
    places: Vec<u32>,
    /// How many slots ever came.
    arrivals: u64,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    rank: u64,
    /// Its number among all that ever came.
    arrival: u64,
    slot: u32,
}

impl Node {
    #[inline]
    fn is_before(&self, other: &Node) -> bool {
        (self.rank, self.arrival) < (other.rank, other.arrival)
    }
}

impl Heap {
    /// Adds a slot that is not in the heap.
    #[inline]
    pub(super) fn insert(&mut self, slot: u32, rank: u64) {
        let index = slot as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, NOWHERE);
        }
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.nodes.push(Node { rank, arrival, slot });
        self.rise(self.nodes.len() - 1);
    }

    /// Gives a slot another rank; among slots of the same rank it keeps its age.
    #[inline]
    pub(super) fn update(&mut self, slot: u32, rank: u64) {
        if let Some(place) = self.place(slot) {
            self.nodes[place].rank = rank;
            let place = self.rise(place);
            self.sink(place);
        }
    }

    /// Takes a slot out, if it is in the heap.
    #[inline]
    pub(super) fn remove(&mut self, slot: u32) {
        let Some(place) = self.place(slot) else { return };
        self.places[slot as usize] = NOWHERE;
        self.nodes.swap_remove(place);
        if place < self.nodes.len() {
            // What came from the end may belong on either side.
            let place = self.rise(place);
            self.sink(place);
        }
    }

    /// Takes the first one out.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<u32> {
        let slot = self.first()?;
        self.remove(slot);
        Some(slot)
    }

    /// The one with the least rank, of several the one that came first.
    #[inline]
    pub(super) fn first(&self) -> Option<u32> {
        self.nodes.first().map(|node| node.slot)
    }

    #[inline]
    fn place(&self, slot: u32) -> Option<usize> {
        self.places.get(slot as usize).filter(|place| **place != NOWHERE).map(|place| *place as usize)
    }

    /// Moves a node up to where it belongs, and tells where that is.
    #[inline]
    fn rise(&mut self, mut place: usize) -> usize {
        let node = self.nodes[place];
        while place > 0 {
            let parent = (place - 1) / 2;
            if !node.is_before(&self.nodes[parent]) {
                break;
            }
            self.put(place, self.nodes[parent]);
            place = parent;
        }
        self.put(place, node);
        place
    }

    /// Moves a node down to where it belongs.
    #[inline]
    fn sink(&mut self, mut place: usize) {
        let node = self.nodes[place];
        loop {
            let left = 2 * place + 1;
            let Some(mut child) = self.nodes.get(left).copied() else { break };
            let mut below = left;
            if let Some(right) = self.nodes.get(left + 1)
                && right.is_before(&child)
            {
                (child, below) = (*right, left + 1);
            }
            if !child.is_before(&node) {
                break;
            }
            self.put(place, child);
            place = below;
        }
        self.put(place, node);
    }

    #[inline]
    fn put(&mut self, place: usize, node: Node) {
        self.nodes[place] = node;
        self.places[node.slot as usize] = place as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_comes_first_and_equals_by_age() {
        let mut heap = Heap::default();
        for (slot, rank) in [(4, 30), (0, 10), (7, 20), (2, 10), (3, 10)] {
            heap.insert(slot, rank);
        }
        assert_eq!(heap.first(), Some(0));
        heap.update(0, 25);
        heap.update(4, 10);
        heap.remove(2);
        // Not in it.
        heap.remove(2);
        heap.remove(100);
        heap.update(100, 1);
        let order: Vec<u32> = core::iter::from_fn(|| heap.pop()).collect();
        // Slot 4 came before slot 3.
        assert_eq!(order, [4, 3, 7, 0]);
        heap.insert(1, 5);
        assert_eq!((heap.pop(), heap.pop()), (Some(1), None));
    }
}
