//! Which thread owns which tree: every tree there is, and the ones whose thread has ended.
//!
//! A tree is handed on, not folded: the next thread continues in it, which costs nothing and loses nothing.

use core::cell::Cell;
use core::ptr;

use super::frame::is_off;
use super::tree::{NOWHERE, Node, SiteStats, Tree};
use crate::site::Site;
use crate::sync::{AtomicU64, LocalKey, Mutex, Ordering, thread_local};
use crate::{clock, first_use};

/// All trees, for reports.
static TREES: Mutex<Vec<&'static Tree>> = Mutex::new(Vec::new());
/// Those without a thread.
static IDLE: Mutex<Vec<&'static Tree>> = Mutex::new(Vec::new());
/// Threads that ever got a tree.
static STARTED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Where this thread is in its tree; [`NOWHERE`] while it has none. Without a destructor, as the ones below, so that it is there for as long as
    /// the thread is, and reading it is one instruction.
    static CURRENT: Cell<&'static Node> = const { Cell::new(&NOWHERE) };
    /// Gives the tree back when the thread ends.
    static OWNER: Owner = const { Owner { tree: Cell::new(None) } };
    /// The profiler itself is at work. Its allocations may come back here when the program profiles its allocator.
    static BUSY: Cell<bool> = const { Cell::new(false) };
    /// The tree is given back after the outermost frame, as the thread is past its own destructors and nobody could do it later.
    static VISITOR: Cell<bool> = const { Cell::new(false) };
    /// This thread is among those [`STARTED`].
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

struct Owner {
    tree: Cell<Option<&'static Tree>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(tree) = self.tree.take() {
            let at_rest = is_root(current()) || is_nowhere(current());
            set_current(&NOWHERE);
            // A thread that was ended inside a frame (`pthread_exit`) leaves it open; nobody may close it any more.
            if at_rest {
                release(tree);
            }
        }
    }
}

#[inline]
pub(super) fn current() -> &'static Node {
    CURRENT.try_with(Cell::get).unwrap_or(&NOWHERE)
}

#[inline]
pub(super) fn set_current(node: &'static Node) {
    // It has no destructor, so it is there for as long as the thread is.
    let _ = CURRENT.try_with(|current| current.set(node));
}

/// Sets a flag of this thread, and returns what it was.
fn switch(flag: &'static LocalKey<Cell<bool>>, to: bool) -> bool {
    flag.try_with(|flag| flag.replace(to)).unwrap_or(false)
}

fn is_nowhere(node: &'static Node) -> bool {
    ptr::eq(node, &raw const NOWHERE)
}

fn is_root(node: &'static Node) -> bool {
    let root = node.tree().and_then(Tree::root);
    root.is_some_and(|root| ptr::eq(root, node))
}

/// Where this thread is, in a tree that it is given if it has none. `None` inside of the profiler's own work, or when measuring was
/// just switched off.
pub(super) fn current_or_begin() -> Option<&'static Node> {
    let current = current();
    if is_nowhere(current) { begin() } else { Some(current) }
}

#[cold]
#[inline(never)]
fn begin() -> Option<&'static Node> {
    let root = unless_busy(|| {
        first_use::announce();
        // The first reading allocates, which must not come back here and wait for itself.
        let _ = clock::now();
        if is_off() {
            return None;
        }
        let tree = acquire();
        let kept = OWNER.try_with(|owner| owner.tree.set(Some(tree))).is_ok();
        switch(&VISITOR, !kept);
        tree.root()
    })??;
    set_current(root);
    Some(root)
}

/// Whether this thread only borrows its tree.
pub(super) fn is_visitor() -> bool {
    VISITOR.try_with(Cell::get).unwrap_or(false)
}

/// Gives back the tree of a thread that only borrows it, after its outermost frame.
pub(super) fn end_visit() {
    let node = current();
    if is_visitor() && is_root(node) {
        switch(&VISITOR, false);
        set_current(&NOWHERE);
        if let Some(tree) = node.tree() {
            release(tree);
        }
    }
}

/// Runs `write` with the stats of `site` in this thread's tree, outside of any frame of it.
pub(super) fn with_stats(site: &'static Site, write: impl FnOnce(&'static SiteStats)) {
    let Some(tree) = current_or_begin().and_then(Node::tree) else { return };
    if let Some(stats) = unless_busy(|| tree.stats(site)) {
        write(stats);
    }
    end_visit();
}

/// Runs `f`, unless this thread is inside of it already. Whatever allocates under a lock of the profiler's runs in it.
pub(super) fn unless_busy<R>(f: impl FnOnce() -> R) -> Option<R> {
    if switch(&BUSY, true) {
        return None;
    }
    let result = f();
    switch(&BUSY, false);
    Some(result)
}

/// Runs `f` as the profiler's own work, be it inside of that already or not: what it allocates is nobody's.
pub(super) fn in_own_work<R>(f: impl FnOnce() -> R) -> R {
    let before = switch(&BUSY, true);
    let result = f();
    switch(&BUSY, before);
    result
}

/// Whether the profiler itself is at work on this thread.
#[inline]
pub(super) fn is_busy() -> bool {
    BUSY.try_with(Cell::get).unwrap_or(false)
}

fn acquire() -> &'static Tree {
    if !switch(&COUNTED, true) {
        STARTED.fetch_add(1, Ordering::Relaxed);
    }
    if let Some(tree) = IDLE.lock().pop() {
        return tree;
    }
    let tree = Tree::new();
    TREES.lock().push(tree);
    tree
}

fn release(tree: &'static Tree) {
    unless_busy(|| IDLE.lock().push(tree));
}

/// All trees, in the order of their making.
pub(super) fn trees() -> Vec<&'static Tree> {
    TREES.lock().clone()
}

/// How many threads ever ran a profiled function.
pub(super) fn started() -> u64 {
    STARTED.load(Ordering::Relaxed)
}

/// Runs `f` with a tree that no report sees and that belongs to nobody, and gives it that tree.
pub(super) fn with_private_tree<R>(f: impl FnOnce(&'static Tree) -> R) -> R {
    let tree = Tree::new();
    let before = (current(), switch(&VISITOR, false));
    if let Some(root) = tree.root() {
        set_current(root);
    }
    let result = f(tree);
    set_current(before.0);
    switch(&VISITOR, before.1);
    result
}
