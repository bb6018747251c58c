//! The graph behind its lock, and what was invalidated while bodies run.
//!
//! An invalidation while some body reads is written down with its moment, so that the body, when it ends, can tell whether
//! something that it read is no longer so. As long as no body reads, nothing is written down; and as long as, besides, no record
//! depends on anything, an invalidation takes no lock.

use core::fmt;
use std::collections::HashMap;
use std::sync::Arc;

use super::computation::Read;
use super::graph::{Gone, Graph, Name, Slot};
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Mutex, Ordering, fence};

/// What can be invalidated, and what can be depended on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Source<'a> {
    /// A key, by the number of its cache and by its hash.
    Key(u32, u64),
    /// A function, by the number of its cache. To depend on it is to depend on all of its keys; to invalidate it is to invalidate
    /// all of them.
    Function(u32),
    /// A tag.
    Tag(&'a str),
}

impl Source<'_> {
    /// As something to depend on.
    #[inline]
    pub(super) fn name(self) -> Name {
        match self {
            Source::Key(cache, hash) => Name::Key(cache, hash),
            Source::Function(cache) => Name::Any(cache),
            Source::Tag(tag) => Name::Tag(tag.into()),
        }
    }
}

/// A number for a cache, which no other one has.
#[inline]
pub(in super::super) fn next_cache() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Edges in the index at most; one takes 20 bytes, and what it leads from about 130 more: 10 MiB where a few things are computed
/// from, 75 MiB where each is computed from others.
const EDGES: usize = 1 << 19;

/// Invalidations that are remembered for bodies that read.
const REMEMBERED: usize = 1 << 16;

/// The index of the program.
pub(in super::super) static DEPENDENCIES: Dependencies = Dependencies::new();

/// See the module.
pub(in super::super) struct Dependencies {
    /// None before there is a record.
    state: Mutex<Option<Box<State>>>,
    most_edges: usize,
    most_remembered: usize,
    /// Grows with each invalidation that is written down, under the lock.
    moment: AtomicU64,
    /// Bodies that read.
    readers: AtomicUsize,
    /// Nodes of the graph; written under the lock.
    nodes: AtomicUsize,
    /// Whether invalidations are written down; the same.
    remembers: AtomicBool,
}

struct State {
    graph: Graph,
    /// The number of the next record.
    number: u64,
    /// What was invalidated since some body reads, and when last.
    invalidated: HashMap<Name, u64, foldhash::quality::RandomState>,
    /// What was invalidated up to this moment is not known.
    forgotten: u64,
}

impl fmt::Debug for Dependencies {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dependencies").field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

impl Dependencies {
    const fn new() -> Self {
        Dependencies::with_limits(EDGES, REMEMBERED)
    }

    pub(super) const fn with_limits(most_edges: usize, most_remembered: usize) -> Self {
        Dependencies {
            state: Mutex::new(None),
            most_edges,
            most_remembered,
            moment: AtomicU64::new(0),
            readers: AtomicUsize::new(0),
            nodes: AtomicUsize::new(0),
            remembers: AtomicBool::new(false),
        }
    }

    #[inline]
    fn with_state<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.lock();
        let state = state.get_or_insert_with(|| State::new(self.most_edges));
        let end = change(state);
        self.changed(state);
        end
    }

    /// What is known of the state without its lock is so again.
    fn changed(&self, state: &State) {
        // Ordering: with `readers`, see `invalidate`.
        self.nodes.store(state.graph.len(), Ordering::Release);
        self.remembers.store(!state.invalidated.is_empty(), Ordering::SeqCst);
    }

    /// The entries that are to be removed because `source` is no longer what it was: all that was computed from it, over however
    /// many steps, each once.
    ///
    /// Called after the source itself was changed or removed, and with the entries that it gives to be removed from their caches
    /// before it is said that the invalidation is done. A cache that was asked to remove one need not come back: what depends on
    /// it is in the list.
    #[must_use = "the entries are still there"]
    #[inline]
    pub(in super::super) fn invalidate(&self, source: Source<'_>) -> Vec<Gone> {
        // Ordering: a body that read what was there before has entered itself as a reader before it did. Either this sees it, or
        // it sees what is there now. When it ends, it adds its node before it leaves, so it is looked for in this order.
        fence(Ordering::SeqCst);
        if self.readers.load(Ordering::SeqCst) == 0 && self.nodes.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        let name = match source {
            Source::Function(cache) => Name::Whole(cache),
            source => source.name(),
        };
        let gone = self.with_state(|state| {
            let moment = self.moment.load(Ordering::Relaxed) + 1;
            let mut gone = Vec::new();
            let changed = state.graph.invalidate(&name, &mut gone);
            if self.readers.load(Ordering::SeqCst) == 0 {
                state.forget(moment);
            } else {
                state.remember(moment, name, changed, self.most_remembered);
            }
            // Ordering: who takes this moment before it looks something up finds it removed.
            self.moment.store(moment, Ordering::Release);
            gone
        });
        self.forget_if_unread();
        gone
    }

    /// A body begins to read.
    #[inline]
    pub(super) fn enter(&self) {
        self.readers.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// A body has ended that began to read.
    #[inline]
    pub(super) fn leave(&self) {
        self.readers.fetch_sub(1, Ordering::SeqCst);
        self.forget_if_unread();
    }

    /// Forgets what was written down for those who read, if nobody does. Asked by whoever may be the last to read, and by whoever
    /// has written something down, so that one of them sees the other.
    #[inline]
    fn forget_if_unread(&self) {
        if self.remembers.load(Ordering::SeqCst) && self.readers.load(Ordering::SeqCst) == 0 {
            self.with_state(|state| {
                if self.readers.load(Ordering::SeqCst) == 0 {
                    // Who enters now and has an earlier moment is taken for outdated.
                    state.forget(self.moment.load(Ordering::Relaxed));
                }
            });
        }
    }

    /// How many invalidations there were, as far as those are concerned who read.
    #[inline]
    pub(super) fn moment(&self) -> u64 {
        self.moment.load(Ordering::Acquire)
    }

    /// Makes what a body has read the record of its result, and tells what is to be removed to make room for it.
    #[inline]
    pub(super) fn record(&'static self, cache: u32, hash: u64, reads: &[Read]) -> (Computed, Vec<Gone>) {
        let is_outdated = Arc::new(AtomicBool::new(false));
        let mut gone = Vec::new();
        let (slot, number) = self.with_state(|state| {
            let has_room = state.graph.make_room(reads.len(), &mut gone);
            let number = state.number;
            if !has_room || !state.are_current(reads) {
                return (None, number);
            }
            state.number += 1;
            let sources = reads.iter().map(|read| (read.name.clone(), read.held()));
            let slot = state.graph.add(Gone { cache, hash, number }, sources, Arc::clone(&is_outdated));
            (Some(slot), number)
        });
        is_outdated.fetch_or(slot.is_none(), Ordering::Relaxed);
        (Computed(Arc::new(Held { index: self, slot, number, is_outdated })), gone)
    }

    /// Bytes that the index takes, about.
    #[cfg(test)]
    pub(in super::super) fn bytes(&self) -> usize {
        self.state.lock().as_ref().map_or(0, |state| {
            state.graph.bytes() + state.invalidated.capacity() * (size_of::<(Name, u64)>() + 1)
        })
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 4] {
        self.with_state(|state| {
            let State { graph, invalidated, .. } = state;
            [graph.len(), graph.records(), graph.edges(), invalidated.len()]
        })
    }
}

impl State {
    fn new(most_edges: usize) -> Box<State> {
        Box::new(State {
            graph: Graph::new(most_edges),
            number: 1,
            invalidated: HashMap::default(),
            forgotten: 0,
        })
    }

    fn remember(&mut self, moment: u64, name: Name, changed: Vec<u32>, most: usize) {
        if self.invalidated.len() + changed.len() >= most {
            self.forget(moment);
        }
        for cache in changed {
            self.invalidated.insert(Name::Any(cache), moment);
        }
        self.invalidated.insert(name, moment);
    }

    fn forget(&mut self, moment: u64) {
        if self.invalidated.capacity() > 0 {
            self.invalidated = HashMap::default();
        }
        self.forgotten = moment;
    }

    /// Whether nothing of this was invalidated since it was read.
    fn are_current(&self, reads: &[Read]) -> bool {
        let since = |name: &Name, moment| self.invalidated.get(name).is_some_and(|last| *last > moment);
        reads.iter().all(|read| {
            let Read { name, moment, computed } = read;
            let whole = match name {
                Name::Key(cache, _) => since(&Name::Whole(*cache), *moment),
                Name::Any(_) | Name::Whole(_) | Name::Tag(_) => false,
            };
            !whole
                && *moment >= self.forgotten
                && !since(name, *moment)
                && computed.as_ref().is_none_or(Computed::is_current)
        })
    }
}

/// The record of a result that was computed from others: held by its entry, and by whoever has read it.
#[derive(Clone, Debug)]
pub(in super::super) struct Computed(Arc<Held>);

#[derive(Debug)]
struct Held {
    index: &'static Dependencies,
    /// None if it was outdated from the beginning.
    slot: Option<Slot>,
    number: u64,
    is_outdated: Arc<AtomicBool>,
}

impl Computed {
    /// Whether nothing that the result was computed from was invalidated. To be asked under the lock under which an entry is put
    /// into its cache.
    #[inline]
    pub(in super::super) fn is_current(&self) -> bool {
        !self.0.is_outdated.load(Ordering::Relaxed)
    }

    /// Whether this is the record that is meant.
    #[inline]
    pub(in super::super) fn is(&self, gone: &Gone) -> bool {
        self.0.slot.is_some() && self.0.number == gone.number
    }

    pub(super) fn slot(&self) -> Option<Slot> {
        self.0.slot
    }

    /// Is the same for clones only.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            self.index.with_state(|state| state.graph.release(slot));
        }
    }
}
