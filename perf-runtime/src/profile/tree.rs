//! One thread's calling-context tree: a node for each distinct path of profiled calls.
//!
//! Only the thread that owns the tree writes to it, with plain stores; any thread may read. Nodes are never freed or moved, so a
//! reader needs no lock and the writer never waits.

use core::ptr;

use super::link::{Always, Link, leak};
use super::memory::{self, Memory, MemoryReading};
use super::recorder::Recorder;
use super::sampling::{Samples, SamplesReading};
use crate::numbers::{Numbers, address};
use crate::site::Site;
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering};

/// Call paths kept apart per thread. Beyond that, calls are merged per function.
pub const MAX_NODES: usize = 65_536;

/// Of a node's countdown: a call runs that is not timed.
const UNTIMED: u32 = 1 << 31;

/// Siblings that are looked at one by one; a node with more of them has a [`Recent`].
const WALK: usize = 4;

/// All calls of one site by one path. What a call touches comes first, in one cache line.
#[repr(C, align(64))]
pub(super) struct Node {
    /// The site, for those who look for it among the callees of another node; [`NO_SITE`] where they are not to find it.
    key: &'static Site,
    /// Time of the primitive calls. While one runs, the moment it began is taken off, which leaves less than zero: calls of a node
    /// follow one another, so that all their time lies before that moment. So one number tells both, and no reader sees a
    /// call twice or not at all.
    ticks: AtomicU64,
    /// Outermost calls that were timed: made with no frame of this node open.
    primitive: AtomicU64,
    /// Calls that the site made to itself directly; they stay in this node.
    recursive: AtomicU64,
    /// Frames open beyond the outermost.
    depth: AtomicU32,
    /// 0 where every call is timed. Else the number of calls up to the next that is, that one included; and [`UNTIMED`] while a call runs that is not.
    skip: AtomicU32,
    /// The child entered last; most often it is entered next.
    last_child: Always<Node>,
    /// [`NOWHERE`] in a root, and in a merged node, which has many.
    parent: Always<Node>,
    pub(super) stats: &'static SiteStats,

    // What only new paths and reports touch.
    pub(super) site: &'static Site,
    first_child: Link<Node>,
    next_sibling: Link<Node>,
    /// Time of merged callees, which are not among the children. May be less than zero in a merged node.
    merged_callees: AtomicU64,
    /// Times the node was entered, where that is not once per call: polls of a future.
    polls: AtomicU64,
    /// Times another child was entered than the one before, which costs more.
    switches: AtomicU64,
    recent: Link<Recent>,
    pub(super) samples: Samples,
    /// Where an allocator tells.
    pub(super) memory: Option<&'static Memory>,
    /// `None` in [`NOWHERE`].
    tree: Option<&'static Tree>,
}

/// Children of a node with many, each at a place that its site's address gives: most are found in one comparison and without the lock
/// that the map needs.
struct Recent([Always<Node>; 64]);

impl Recent {
    /// Sites of one module lie side by side, and so do their places.
    fn place(&self, site: &'static Site) -> &Always<Node> {
        &self.0[address(site) / size_of::<Site>() % self.0.len()]
    }
}

/// No function is at this site.
static NO_SITE: Site = Site::new(|| "(nowhere)", "", 0, 0, 0);
static NO_STATS: SiteStats = SiteStats::new();

/// Where a thread without a tree is, and what a node without children entered last: a node in which nothing is found.
pub(super) static NOWHERE: Node = Node::new(&NO_SITE, &NO_STATS, None, None, true);

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
    const fn new(
        site: &'static Site,
        stats: &'static SiteStats,
        parent: Option<&'static Node>,
        tree: Option<&'static Tree>,
        hidden: bool,
    ) -> Self {
        Node {
            key: if hidden { &NO_SITE } else { site },
            ticks: AtomicU64::new(0),
            primitive: AtomicU64::new(0),
            recursive: AtomicU64::new(0),
            depth: AtomicU32::new(0),
            skip: AtomicU32::new(0),
            last_child: Always::to(&NOWHERE),
            parent: match parent {
                Some(parent) => Always::to(parent),
                None => Always::to(&NOWHERE),
            },
            stats,
            site,
            first_child: Link::empty(),
            next_sibling: Link::empty(),
            merged_callees: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            switches: AtomicU64::new(0),
            recent: Link::empty(),
            samples: Samples::new(),
            memory: None,
            tree,
        }
    }

    /// The same, counting memory where an allocator tells.
    fn told(self) -> Self {
        Node { memory: memory::is_told().then(|| leak(Memory::default())), ..self }
    }

    /// The node of `site` called from here, if it was the one called last.
    #[inline]
    pub(super) fn last_child(&self, site: &'static Site) -> Option<&'static Node> {
        let child = self.last_child.get();
        ptr::eq(child.key, site).then_some(child)
    }

    /// Whether this is the node of `site`, which then calls itself.
    #[inline]
    pub(super) fn is_of(&self, site: &'static Site) -> bool {
        ptr::eq(self.key, site)
    }

    /// The node of `site` called from here, if it is not the one called last but easily found.
    #[inline]
    pub(super) fn other_child(&self, site: &'static Site) -> Option<&'static Node> {
        let child = match self.recent.get() {
            Some(recent) => Some(recent.place(site).get()).filter(|child| child.is_of(site)),
            None => self.children().find(|child| child.is_of(site)),
        }?;
        self.last_child.set(child);
        increment(&self.switches, 1);
        Some(child)
    }

    /// The node of `site` called from here, made if there is none yet. The caller has a tree.
    pub(super) fn child(&'static self, tree: &'static Tree, site: &'static Site) -> &'static Node {
        if ptr::eq(self.site, site) {
            return self;
        }
        if let Some(child) = self.other_child(site) {
            return child;
        }
        let child = tree.child(self, site);
        if !child.is_merged() {
            increment(&self.switches, 1);
            self.last_child.set(child);
            if let Some(recent) = self.recent.get() {
                recent.place(site).set(child);
            }
        }
        child
    }

    /// Puts another node among the children.
    fn adopt(&self, child: &'static Node) {
        if let Some(first) = self.first_child.get() {
            child.next_sibling.set(first);
        }
        self.first_child.set(child);
        if self.recent.get().is_none() && self.children().nth(WALK).is_some() {
            let recent = leak(Recent([const { Always::to(&NOWHERE) }; 64]));
            for child in self.children().filter(|child| !child.is_merged()) {
                recent.place(child.site).set(child);
            }
            self.recent.set(recent);
        }
    }

    /// Whether it stands for paths that were merged, and is no child of its caller.
    pub(super) fn is_merged(&self) -> bool {
        ptr::eq(self.key, &raw const NO_SITE)
    }

    /// Notes that an outermost frame begins, in a node that has none open.
    #[inline]
    pub(super) fn open(&self, start: u64) {
        self.ticks.store(self.ticks.load(Ordering::Relaxed).wrapping_sub(start), Ordering::Relaxed);
    }

    /// Notes that a frame begins inside of another of this node.
    #[inline]
    pub(super) fn open_inner(&self) {
        self.depth.store(self.depth.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Whether a frame of this node is open.
    pub(super) fn is_open(&self) -> bool {
        self.ticks.load(Ordering::Relaxed).cast_signed() < 0
            || self.skip.load(Ordering::Relaxed) & UNTIMED != 0
    }

    /// 0 where every call is timed, 1 where the next one is, more where it is not.
    #[inline]
    pub(super) fn skip(&self) -> u32 {
        self.skip.load(Ordering::Relaxed)
    }

    /// The same from now on.
    pub(super) fn set_skip(&self, calls: u32) {
        let running = self.skip.load(Ordering::Relaxed) & UNTIMED;
        self.skip.store(running | calls & !UNTIMED, Ordering::Relaxed);
    }

    /// Notes that an outermost frame begins that is not timed, in a node that has none open.
    #[inline]
    pub(super) fn open_untimed(&self, skip: u32) {
        self.skip.store((skip - 1) | UNTIMED, Ordering::Relaxed);
    }

    /// Notes that the innermost frame ends, which is not timed, and returns where the thread is now.
    #[inline]
    pub(super) fn close_untimed(&'static self) -> &'static Node {
        let depth = self.depth.load(Ordering::Relaxed);
        if depth > 0 {
            self.depth.store(depth - 1, Ordering::Relaxed);
            increment(&self.recursive, 1);
            return self;
        }
        self.skip.store(self.skip.load(Ordering::Relaxed) & !UNTIMED, Ordering::Relaxed);
        self.samples.count_untimed();
        self.parent.get()
    }

    /// Notes that the innermost frame ends, and returns where the thread is now; for a merged node, [`close_merged`](Self::close_merged) has to
    /// tell. `calls` is 1, or 0 for one poll among others.
    #[inline]
    pub(super) fn close(&'static self, end: u64, calls: u64) -> &'static Node {
        let depth = self.depth.load(Ordering::Relaxed);
        if depth > 0 {
            self.depth.store(depth - 1, Ordering::Relaxed);
            increment(&self.recursive, calls);
            return self;
        }
        increment(&self.ticks, end);
        increment(&self.primitive, calls);
        self.parent.get()
    }

    /// The rest of the end of a frame of a merged node, which is no child of its caller: the caller is told what to leave out of its own
    /// time. Where the frame was not the outermost of its node, its time is in the node's own already, and comes back from what its
    /// callees took out. Returns where the thread is now.
    #[cold]
    pub(super) fn close_merged(&self, ticks: u64) -> Option<&'static Node> {
        let caller = self.tree?.merged_callers.lock().pop()?;
        increment(&caller.merged_callees, ticks);
        if self.is_open() {
            increment(&self.merged_callees, ticks.wrapping_neg());
        }
        Some(caller)
    }

    /// Tells the outermost call that is running from others of this node.
    #[inline]
    pub(super) fn call_mark(&self) -> u64 {
        let calls = self.primitive.load(Ordering::Relaxed).wrapping_add(self.samples.untimed());
        self.ticks.load(Ordering::Relaxed) ^ calls.rotate_right(16)
    }

    /// Where calls of this node come from; [`NOWHERE`] for a root, and for a merged node, which has many.
    pub(super) fn caller(&self) -> &'static Node {
        self.parent.get()
    }

    /// Counts an entry that is a poll.
    pub(super) fn count_poll(&self) {
        increment(&self.polls, 1);
    }

    /// Counts a call at its first poll, which has been opened.
    pub(super) fn count_start(&self) {
        let is_outermost = self.depth.load(Ordering::Relaxed) == 0;
        increment(if is_outermost { &self.primitive } else { &self.recursive }, 1);
    }

    /// `None` for [`NOWHERE`].
    pub(super) fn tree(&self) -> Option<&'static Tree> {
        self.tree
    }

    fn children(&self) -> impl Iterator<Item = &'static Node> {
        core::iter::successors(self.first_child.get(), |child| child.next_sibling.get())
    }

    /// What is in the node at `now`, open frames included.
    pub(super) fn read(&self, now: u64) -> NodeReading {
        let ticks = self.ticks.load(Ordering::Relaxed);
        let timed = ticks.cast_signed() < 0;
        let open = timed || self.skip.load(Ordering::Relaxed) & UNTIMED != 0;
        let so_far = ticks.wrapping_add(now).cast_signed();
        NodeReading {
            primitive: self.primitive.load(Ordering::Relaxed),
            recursive: self.recursive.load(Ordering::Relaxed),
            polls: self.polls.load(Ordering::Relaxed),
            switches: self.switches.load(Ordering::Relaxed),
            // A frame may have been opened after `now`.
            ticks: if timed { so_far.max(0).cast_unsigned() } else { ticks },
            open: if open { 1 + self.depth.load(Ordering::Relaxed) } else { 0 },
            merged_callees: self.merged_callees.load(Ordering::Relaxed).cast_signed(),
            samples: self.samples.read(),
            memory: self.memory.map(Memory::read),
        }
    }
}

/// A node's counts, as plain data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodeReading {
    pub(super) primitive: u64,
    pub(super) recursive: u64,
    pub(super) polls: u64,
    pub(super) switches: u64,
    pub(super) ticks: u64,
    pub(super) open: u32,
    pub(super) merged_callees: i64,
    pub(super) samples: SamplesReading,
    pub(super) memory: Option<MemoryReading>,
}

/// A tree and what its owner needs to find new paths.
pub(super) struct Tree {
    root: Link<Node>,
    /// Parent of the nodes that stand for merged paths; made when the first is needed.
    truncated: Link<Node>,
    /// Where memory was noted last, which is not known to its callers.
    risen: Link<Node>,
    /// The callers of the frames of merged nodes that are open now, which the nodes do not know.
    merged_callers: Mutex<Vec<&'static Node>>,
    /// Locked by the owner when it meets a new path, and by a report; never while anything of the user's runs.
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    /// By parent and site.
    numbers: Numbers,
    nodes: Vec<&'static Node>,
    site_numbers: Numbers,
    sites: Vec<(&'static Site, &'static SiteStats)>,
}

static ROOT: Site = Site::new(|| "(root)", "", 0, 0, 0);
/// Above the nodes that stand for merged paths.
pub(super) static TRUNCATED: Site = Site::new(|| "(truncated)", "", 0, 0, 0);

impl Tree {
    pub(super) fn new() -> &'static Tree {
        let tree = leak(Tree {
            root: Link::empty(),
            truncated: Link::empty(),
            risen: Link::empty(),
            merged_callers: Mutex::new(Vec::new()),
            index: Mutex::new(Index::default()),
        });
        tree.root.set(leak(Node::new(&ROOT, leak(SiteStats::new()), None, Some(tree), false).told()));
        tree
    }

    pub(super) fn root(&self) -> Option<&'static Node> {
        self.root.get()
    }

    /// Where memory was noted last.
    pub(super) fn risen(&self) -> Option<&'static Node> {
        self.risen.get()
    }

    /// The same, for the owner to note.
    pub(super) fn set_risen(&self, node: &'static Node) {
        self.risen.set(node);
    }

    /// What is counted about `site` in this tree, for the owner to write to.
    pub(super) fn stats(&self, site: &'static Site) -> &'static SiteStats {
        self.index.lock().stats(site)
    }

    /// Remembers from where a merged node was entered.
    pub(super) fn push_merged_caller(&self, caller: &'static Node) {
        self.merged_callers.lock().push(caller);
    }

    fn child(&'static self, parent: &'static Node, site: &'static Site) -> &'static Node {
        let mut index = self.index.lock();
        if let Some(child) = index.child(parent, site) {
            return child;
        }
        let merged = index.nodes.len() >= MAX_NODES || parent.is_merged();
        let parent = if merged { self.truncated_node() } else { parent };
        if let Some(child) = index.child(parent, site) {
            return child;
        }
        let node = Node::new(site, index.stats(site), (!merged).then_some(parent), Some(self), merged);
        let child = leak(node.told());
        if !merged {
            child.sample_as_told();
        }
        index.numbers.of((address(parent), address(site)));
        index.nodes.push(child);
        parent.adopt(child);
        child
    }

    fn truncated_node(&'static self) -> &'static Node {
        self.truncated.get().unwrap_or_else(|| {
            let node = leak(Node::new(&TRUNCATED, leak(SiteStats::new()), None, Some(self), true));
            self.truncated.set(node);
            node
        })
    }

    /// How many nodes there are.
    pub(super) fn size(&self) -> usize {
        self.index.lock().nodes.len()
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
}

impl Index {
    fn child(&self, parent: &'static Node, site: &'static Site) -> Option<&'static Node> {
        let number = self.numbers.get((address(parent), address(site)))?;
        self.nodes.get(number).copied()
    }

    fn stats(&mut self, site: &'static Site) -> &'static SiteStats {
        let number = self.site_numbers.of((address(site), 0));
        if number == self.sites.len() {
            self.sites.push((site, leak(SiteStats::new())));
        }
        self.sites[number].1
    }
}
