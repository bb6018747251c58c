//! The records and what they were made from, both ways.
//!
//! Nodes are what can be invalidated: keys, functions, tags. Records are what was computed. An edge leads from a node to a
//! record, and each side knows where the other one has it, so that it is taken out without a search, also from a node that a
//! million records depend on. Where the key of a node had a record when it was read, the edge holds that record, too, and only
//! edges that hold a record are followed from it: what was computed from another version of the same key is not touched.
//!
//! Keys are told apart by cache and hash. Two keys of one cache with one hash share a node, and what depends on one of them goes
//! with the other, which costs a computation and is no error.
//!
//! It is plain data: no locks, no threads, and no code of anybody else's.

use std::collections::HashMap;
use std::sync::Arc;

use crate::sync::{AtomicBool, Ordering};

/// What can be invalidated, and what can be depended on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Name {
    /// A key of a cache, by its hash.
    Key(u32, u64),
    /// Any change in a cache.
    Any(u32),
    /// A cache as a whole: nothing depends on it, but its keys go with it.
    Whole(u32),
    /// Compared as a whole.
    Tag(Arc<str>),
}

/// An entry that is to be removed, if it is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in super::super) struct Gone {
    /// The number of its cache.
    pub(in super::super) cache: u32,
    /// The hash of its key.
    pub(in super::super) hash: u64,
    /// The number of its record, which no other one ever has: another entry of the same key stays.
    pub(in super::super) number: u64,
}

/// Where a record is.
pub(super) type Slot = u32;

const NONE: u32 = u32::MAX;

/// See the module.
#[derive(Debug)]
pub(super) struct Graph {
    names: HashMap<Name, u32, foldhash::quality::RandomState>,
    nodes: Vec<Node>,
    free_nodes: Vec<u32>,
    records: Vec<Record>,
    free_records: Vec<Slot>,
    edges: usize,
    /// Edges of records that are outdated but still held by somebody.
    outdated: usize,
    most_edges: usize,
    /// The record that is next to be crowded out.
    hand: usize,
    /// The number of the walk over records that is under way, or was last.
    walk: u64,
}

#[derive(Debug)]
struct Node {
    name: Name,
    dependents: Vec<Dependent>,
}

/// A record and which of its edges.
#[derive(Clone, Copy, Debug)]
struct Dependent {
    record: Slot,
    edge: u32,
}

#[derive(Debug)]
struct Record {
    gone: Gone,
    /// Whoever has the entry, and the records that hold this one. 0 in a free slot.
    holders: u32,
    edges: Box<[Edge]>,
    is_outdated: Arc<AtomicBool>,
    /// The walk that came here last.
    walk: u64,
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    node: u32,
    /// Where the node has it.
    place: u32,
    /// The record that is held, or `NONE`.
    held: Slot,
}

impl Graph {
    /// Holds so many edges at most, and for a while twice as many.
    #[inline]
    pub(super) fn new(most_edges: usize) -> Self {
        Graph {
            names: HashMap::default(),
            nodes: Vec::new(),
            free_nodes: Vec::new(),
            records: Vec::new(),
            free_records: Vec::new(),
            edges: 0,
            outdated: 0,
            most_edges,
            hand: 0,
            walk: 0,
        }
    }

    /// Nodes in use; without any there is no record either.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.nodes.len() - self.free_nodes.len()
    }

    #[cfg(test)]
    pub(super) fn records(&self) -> usize {
        self.records.len() - self.free_records.len()
    }

    #[cfg(test)]
    pub(super) fn edges(&self) -> usize {
        self.edges
    }

    /// Bytes that it takes, without what the names of tags and the allocator add.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let dependents: usize = self.nodes.iter().map(|node| node.dependents.capacity()).sum();
        self.names.capacity() * 8 / 7 * (size_of::<(Name, u32)>() + 1)
            + self.nodes.capacity() * size_of::<Node>()
            + self.records.capacity() * size_of::<Record>()
            + (self.free_nodes.capacity() + self.free_records.capacity()) * 4
            + dependents * size_of::<Dependent>()
            + self.edges * size_of::<Edge>()
    }

    /// Makes room for so many edges, if there is a way, and tells whether; adds the entries that are to be removed for that to
    /// `gone`.
    pub(super) fn make_room(&mut self, edges: usize, gone: &mut Vec<Gone>) -> bool {
        if edges > self.most_edges {
            return false;
        }
        self.walk += 1;
        // Round once at most.
        for _ in 0..self.records.len() {
            if self.edges - self.outdated + edges <= self.most_edges {
                break;
            }
            let slot = self.hand % self.records.len();
            self.hand = slot + 1;
            let record = &self.records[slot];
            if record.holders > 0 && !record.is_outdated.load(Ordering::Relaxed) {
                let mut reached = Vec::new();
                self.reach(slot as Slot, &mut reached);
                self.follow(reached, &mut Vec::new(), gone);
            }
        }
        // What is outdated may be held by somebody who does not come to drop it.
        self.edges + edges <= 2 * self.most_edges
    }

    /// Adds the record of an entry, computed from `sources`, some of which had records, which somebody holds as yet. It is held
    /// by the caller.
    pub(super) fn add(
        &mut self,
        gone: Gone,
        sources: impl ExactSizeIterator<Item = (Name, Option<Slot>)>,
        is_outdated: Arc<AtomicBool>,
    ) -> Slot {
        let slot = self.free_records.pop().unwrap_or(self.records.len() as Slot);
        let mut edges = Vec::with_capacity(sources.len());
        for (name, held) in sources {
            if let Some(held) = held {
                self.records[held as usize].holders += 1;
            }
            let node = self.node(name);
            let dependents = &mut self.nodes[node as usize].dependents;
            if dependents.capacity() == 0 {
                // Most have one.
                dependents.reserve_exact(1);
            }
            let edge = Edge { node, place: dependents.len() as u32, held: held.unwrap_or(NONE) };
            dependents.push(Dependent { record: slot, edge: edges.len() as u32 });
            edges.push(edge);
        }
        self.edges += edges.len();
        let record = Record { gone, holders: 1, edges: edges.into(), is_outdated, walk: 0 };
        match self.records.get_mut(slot as usize) {
            Some(free) => *free = record,
            None => self.records.push(record),
        }
        slot
    }

    /// Somebody no longer holds a record. Frees it, and what only it held, if that was the last one.
    pub(super) fn release(&mut self, slot: Slot) {
        let mut released = vec![slot];
        while let Some(slot) = released.pop() {
            let record = &mut self.records[slot as usize];
            record.holders -= 1;
            if record.holders > 0 {
                continue;
            }
            if record.is_outdated.load(Ordering::Relaxed) {
                self.outdated -= record.edges.len();
            }
            self.edges -= record.edges.len();
            // They stay in the record meanwhile: taking one out may move another one of them.
            for edge in 0..record.edges.len() {
                let edge = self.records[slot as usize].edges[edge];
                self.unlink(edge);
            }
            let edges = core::mem::take(&mut self.records[slot as usize].edges);
            released.extend(edges.iter().map(|edge| edge.held).filter(|held| *held != NONE));
            self.free_records.push(slot);
        }
        // It was large once, and may never be again.
        if self.records.capacity() > 1_024 && self.free_records.len() == self.records.len() {
            *self = Graph::new(self.most_edges);
        }
    }

    /// Marks what was computed from `name` as outdated, over however many steps, and adds it to `gone`, each once. Also what is marked
    /// already: whoever marked it may not have removed it yet, and whoever asks now relies on its being removed. Gives the caches in
    /// which something changes.
    pub(super) fn invalidate(&mut self, name: &Name, gone: &mut Vec<Gone>) -> Vec<u32> {
        self.walk += 1;
        let (mut reached, mut changed) = (Vec::new(), Vec::new());
        match name {
            Name::Key(cache, _) | Name::Any(cache) => {
                self.reach_from(name, &mut reached, None);
                self.change(*cache, &mut changed, &mut reached);
            }
            Name::Whole(cache) => {
                // All nodes are looked at. Whoever clears a cache has time.
                let keys = |node: &&Node| matches!(node.name, Name::Key(of, _) if of == *cache);
                let dependents = self.nodes.iter().filter(keys).flat_map(|node| &node.dependents);
                let dependents: Vec<Slot> = dependents.map(|dependent| dependent.record).collect();
                for slot in dependents {
                    self.reach(slot, &mut reached);
                }
                self.change(*cache, &mut changed, &mut reached);
            }
            Name::Tag(_) => self.reach_from(name, &mut reached, None),
        }
        self.follow(reached, &mut changed, gone);
        changed
    }

    /// Goes on from records that are marked.
    fn follow(&mut self, mut reached: Vec<Slot>, changed: &mut Vec<u32>, gone: &mut Vec<Gone>) {
        while let Some(slot) = reached.pop() {
            let Gone { cache, hash, .. } = self.records[slot as usize].gone;
            gone.push(self.records[slot as usize].gone);
            self.reach_from(&Name::Key(cache, hash), &mut reached, Some(slot));
            self.change(cache, changed, &mut reached);
        }
    }

    /// Something changes in a cache. Once is enough: nothing is added meanwhile.
    fn change(&mut self, cache: u32, changed: &mut Vec<u32>, reached: &mut Vec<Slot>) {
        if !changed.contains(&cache) {
            changed.push(cache);
            self.reach_from(&Name::Any(cache), reached, None);
        }
    }

    /// Marks the records that depend on a node, or on this record of it, and adds them to `reached`.
    fn reach_from(&mut self, name: &Name, reached: &mut Vec<Slot>, held: Option<Slot>) {
        let Some(node) = self.names.get(name).copied() else { return };
        for n in 0..self.nodes[node as usize].dependents.len() {
            let Dependent { record, edge } = self.nodes[node as usize].dependents[n];
            if held.is_none_or(|held| self.records[record as usize].edges[edge as usize].held == held) {
                self.reach(record, reached);
            }
        }
    }

    fn reach(&mut self, slot: Slot, reached: &mut Vec<Slot>) {
        let record = &mut self.records[slot as usize];
        if record.walk == self.walk {
            return;
        }
        record.walk = self.walk;
        // Ordering: the locks of the index and of the cache order it with those who decide by it.
        if !record.is_outdated.swap(true, Ordering::Relaxed) {
            self.outdated += record.edges.len();
        }
        reached.push(slot);
    }

    /// The node of a name, which is made if there is none.
    fn node(&mut self, name: Name) -> u32 {
        if let Some(node) = self.names.get(&name) {
            return *node;
        }
        let new = Node { name: name.clone(), dependents: Vec::new() };
        let node = if let Some(node) = self.free_nodes.pop() {
            self.nodes[node as usize] = new;
            node
        } else {
            self.nodes.push(new);
            (self.nodes.len() - 1) as u32
        };
        self.names.insert(name, node);
        node
    }

    /// Takes an edge out of its node, and frees the node if it was the last.
    fn unlink(&mut self, edge: Edge) {
        let node = &mut self.nodes[edge.node as usize];
        node.dependents.swap_remove(edge.place as usize);
        if let Some(moved) = node.dependents.get(edge.place as usize) {
            self.records[moved.record as usize].edges[moved.edge as usize].place = edge.place;
        }
        if node.dependents.is_empty() {
            node.dependents = Vec::new();
            self.names.remove(&node.name);
            node.name = Name::Any(NONE);
            self.free_nodes.push(edge.node);
        } else if node.dependents.capacity() > 8 * node.dependents.len() {
            node.dependents.shrink_to(2 * node.dependents.len());
        }
    }
}
