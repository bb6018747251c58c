//! One thread's calling-context tree: a node for each distinct path of profiled calls.
//!
//! Only the thread that owns the tree writes to it, with plain stores; any thread may read. Nodes are never freed or moved, so a
//! reader needs no lock and the writer never waits.

use core::ptr;
use std::collections::HashMap;

use super::link::{Link, leak};
use super::recorder::Recorder;
use crate::site::Site;
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering};

/// Call paths kept apart per thread. Beyond that, calls are merged per function.
pub const MAX_NODES: usize = 65_536;

/// Siblings looked at one by one before the map is asked: as long as a walk is cheaper than a hash.
const WALK: usize = 8;

/// All calls of one site by one path. What a call touches comes first, in one cache line.
#[repr(align(64))]
pub(super) struct Node {
    pub(super) site: &'static Site,
    /// Outermost calls: made with no frame of this node open.
    primitive: AtomicU64,
    /// Calls that the site made to itself directly; they stay in this node.
    recursive: AtomicU64,
    /// Time of the primitive calls.
    ticks: AtomicU64,
    /// When the outermost open frame began.
    opened_at: AtomicU64,
    /// Open frames.
    open: AtomicU32,
    /// Whether it stands for paths that were merged, and is no child of its caller.
    merged: bool,
    /// The child entered last; most often it is entered next.
    last_child: Link<Node>,
    pub(super) stats: &'static SiteStats,

    // What only new paths and reports touch.
    first_child: Link<Node>,
    next_sibling: Link<Node>,
    /// Time of merged callees, which are not among the children. May be less than zero in a merged node.
    merged_callees: AtomicU64,
    /// Times the node was entered, where that is not once per call: polls of a future.
    polls: AtomicU64,
    tree: &'static Tree,
}

/// What is counted per site and thread, over all paths.
pub(super) struct SiteStats {
    pub(super) durations: Recorder,
    pub(super) panics: Counter,
    pub(super) errors: Counter,
    futures: Link<FutureStats>,
}

/// What is counted about a site's futures, per thread.
pub(super) struct FutureStats {
    pub(super) started: Counter,
    pub(super) completed: Counter,
    pub(super) dropped: Counter,
    pub(super) polls: Counter,
    /// First poll to completion.
    pub(super) wall: Recorder,
}

/// A count with one writer.
pub(super) struct Counter(AtomicU64);

impl Counter {
    const fn new() -> Self {
        Counter(AtomicU64::new(0))
    }

    #[inline]
    pub(super) fn increment(&self) {
        increment(&self.0, 1);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Load and store, not a locked instruction: there is one writer.
#[inline]
fn increment(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}

impl SiteStats {
    const fn new() -> Self {
        SiteStats {
            durations: Recorder::new(),
            panics: Counter::new(),
            errors: Counter::new(),
            futures: Link::empty(),
        }
    }

    /// For reading: where there were futures.
    pub(super) fn futures(&self) -> Option<&'static FutureStats> {
        self.futures.get()
    }

    /// For the owner to write to.
    pub(super) fn futures_mut(&self) -> &'static FutureStats {
        self.futures.get().unwrap_or_else(|| {
            let futures = leak(FutureStats {
                started: Counter::new(),
                completed: Counter::new(),
                dropped: Counter::new(),
                polls: Counter::new(),
                wall: Recorder::new(),
            });
            self.futures.set(futures);
            futures
        })
    }
}

impl Node {
    fn new(site: &'static Site, stats: &'static SiteStats, tree: &'static Tree, merged: bool) -> Self {
        Node {
            site,
            primitive: AtomicU64::new(0),
            recursive: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            opened_at: AtomicU64::new(0),
            open: AtomicU32::new(0),
            merged,
            last_child: Link::empty(),
            stats,
            first_child: Link::empty(),
            next_sibling: Link::empty(),
            merged_callees: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            tree,
        }
    }

    /// The node of `site` called from here, if it was the last one called or is the node itself.
    #[inline]
    pub(super) fn child_fast(&'static self, site: &'static Site) -> Option<&'static Node> {
        if ptr::eq(self.site, site) {
            return Some(self);
        }
        self.last_child.get().filter(|child| ptr::eq(child.site, site))
    }

    /// The node of `site` called from here, made if there is none yet.
    pub(super) fn child_slow(&'static self, site: &'static Site) -> &'static Node {
        if let Some(child) = self.child_fast(site) {
            return child;
        }
        let child = self.children().take(WALK).find(|child| ptr::eq(child.site, site));
        let child = child.unwrap_or_else(|| self.tree.child(self, site));
        if !child.merged {
            self.last_child.set(child);
        }
        child
    }

    /// Notes that a frame begins.
    #[inline]
    pub(super) fn open(&self, now: u64) {
        let open = self.open.load(Ordering::Relaxed);
        if open == 0 {
            self.opened_at.store(now, Ordering::Relaxed);
        }
        self.open.store(open + 1, Ordering::Relaxed);
    }

    /// Notes that a frame of `ticks` ends whose caller is `caller`; `calls` is 1, or 0 for one poll among others.
    #[inline]
    pub(super) fn close(&self, caller: Option<&'static Node>, ticks: u64, calls: u64) {
        let open = self.open.load(Ordering::Relaxed).wrapping_sub(1);
        self.open.store(open, Ordering::Relaxed);
        if open == 0 {
            increment(&self.ticks, ticks);
            increment(&self.primitive, calls);
        } else {
            increment(&self.recursive, calls);
        }
        if self.merged {
            self.close_merged(caller, ticks, open);
        }
    }

    /// A merged node is no child of its caller, so the caller is told what to leave out of its own time. Where the frame is
    /// not the outermost of its node, its time is in the node's own already, and comes back from what its callees took out.
    #[cold]
    fn close_merged(&self, caller: Option<&'static Node>, ticks: u64, open: u32) {
        if let Some(caller) = caller {
            increment(&caller.merged_callees, ticks);
        }
        if open > 0 {
            increment(&self.merged_callees, ticks.wrapping_neg());
        }
    }

    /// Counts an entry that is a poll.
    pub(super) fn count_poll(&self) {
        increment(&self.polls, 1);
    }

    /// Counts a call at its first poll.
    pub(super) fn count_start(&self) {
        increment(&self.primitive, 1);
    }

    pub(super) fn tree(&self) -> &'static Tree {
        self.tree
    }

    fn children(&self) -> impl Iterator<Item = &'static Node> {
        core::iter::successors(self.first_child.get(), |child| child.next_sibling.get())
    }

    /// What is in the node at `now`, open frames included.
    pub(super) fn read(&self, now: u64) -> NodeReading {
        let open = self.open.load(Ordering::Relaxed);
        let mut ticks = self.ticks.load(Ordering::Relaxed);
        if open > 0 {
            ticks += now.saturating_sub(self.opened_at.load(Ordering::Relaxed));
        }
        NodeReading {
            primitive: self.primitive.load(Ordering::Relaxed),
            recursive: self.recursive.load(Ordering::Relaxed),
            polls: self.polls.load(Ordering::Relaxed),
            ticks,
            open,
            merged_callees: self.merged_callees.load(Ordering::Relaxed).cast_signed(),
        }
    }
}

/// A node's counts, as plain data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodeReading {
    pub(super) primitive: u64,
    pub(super) recursive: u64,
    pub(super) polls: u64,
    pub(super) ticks: u64,
    pub(super) open: u32,
    pub(super) merged_callees: i64,
}

/// A tree and what its owner needs to find new paths.
pub(super) struct Tree {
    root: Link<Node>,
    /// Parent of the nodes that stand for merged paths; made when the first is needed.
    truncated: Link<Node>,
    /// Locked by the owner when it meets a new path, and by a report; never while anything of the user's runs.
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    nodes: usize,
    /// By the addresses of parent and site.
    children: HashMap<(usize, usize), &'static Node, foldhash::fast::FixedState>,
    stats: HashMap<usize, &'static SiteStats, foldhash::fast::FixedState>,
    sites: Vec<(&'static Site, &'static SiteStats)>,
}

fn address<T>(of: &'static T) -> usize {
    ptr::from_ref(of).addr()
}

static ROOT: Site = Site::new(|| "(root)", "", 0, 0, 0);
static TRUNCATED: Site = Site::new(|| "(truncated)", "", 0, 0, 0);

impl Tree {
    pub(super) fn new() -> &'static Tree {
        let tree =
            leak(Tree { root: Link::empty(), truncated: Link::empty(), index: Mutex::new(Index::default()) });
        tree.root.set(leak(Node::new(&ROOT, leak(SiteStats::new()), tree, false)));
        tree
    }

    pub(super) fn root(&self) -> Option<&'static Node> {
        self.root.get()
    }

    /// What is counted about `site` in this tree, for the owner to write to.
    pub(super) fn stats(&self, site: &'static Site) -> &'static SiteStats {
        self.index.lock().stats(site)
    }

    fn child(&'static self, parent: &'static Node, site: &'static Site) -> &'static Node {
        let mut index = self.index.lock();
        if let Some(child) = index.children.get(&(address(parent), address(site))) {
            return child;
        }
        let merged = index.nodes >= MAX_NODES || parent.merged;
        let parent = if merged { self.truncated_node() } else { parent };
        if let Some(child) = index.children.get(&(address(parent), address(site))) {
            return child;
        }
        let child = leak(Node::new(site, index.stats(site), self, merged));
        index.nodes += 1;
        index.children.insert((address(parent), address(site)), child);
        if let Some(first) = parent.first_child.get() {
            child.next_sibling.set(first);
        }
        parent.first_child.set(child);
        child
    }

    fn truncated_node(&'static self) -> &'static Node {
        self.truncated.get().unwrap_or_else(|| {
            let node = leak(Node::new(&TRUNCATED, leak(SiteStats::new()), self, true));
            self.truncated.set(node);
            node
        })
    }

    /// The sites this tree knows, with their stats.
    pub(super) fn sites(&self) -> Vec<(&'static Site, &'static SiteStats)> {
        self.index.lock().sites.clone()
    }

    /// Calls `visit` with each node before its children and again, with `false`, after them. Does not recurse: a tree may be
    /// as deep as it has nodes.
    pub(super) fn walk(&self, mut visit: impl FnMut(&'static Node, bool)) {
        for root in [self.root.get(), self.truncated.get()].into_iter().flatten() {
            let mut pending: Vec<(&'static Node, bool)> = root.children().map(|node| (node, true)).collect();
            while let Some((node, entering)) = pending.pop() {
                visit(node, entering);
                if entering {
                    pending.push((node, false));
                    pending.extend(node.children().map(|child| (child, true)));
                }
            }
        }
    }

    /// Whether calls were merged because there were too many paths.
    pub(super) fn is_truncated(&self) -> bool {
        self.truncated.get().is_some()
    }
}

impl Index {
    fn stats(&mut self, site: &'static Site) -> &'static SiteStats {
        self.stats.entry(address(site)).or_insert_with(|| {
            let stats = leak(SiteStats::new());
            self.sites.push((site, stats));
            stats
        })
    }
}
