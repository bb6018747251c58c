//! Which thread owns which tree: every tree there is, and the ones whose thread has ended.
//!
//! A tree is handed on, not folded: the next thread continues in it, which costs nothing and loses nothing.

use core::cell::Cell;
use core::ptr;

use super::tree::{NOWHERE, Node, SiteStats, Tree};
use crate::first_use;
use crate::site::Site;
use crate::sync::{AtomicU64, Mutex, Ordering, thread_local};

/// All trees, for reports.
static TREES: Mutex<Vec<&'static Tree>> = Mutex::new(Vec::new());
/// Those without a thread.
static IDLE: Mutex<Vec<&'static Tree>> = Mutex::new(Vec::new());
/// Threads that ever got a tree.
static STARTED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Where this thread is in its tree; [`NOWHERE`] while it has none. Without a destructor, so that reading it is one instruction.
    static CURRENT: Cell<&'static Node> = const { Cell::new(&NOWHERE) };
    /// Gives the tree back when the thread ends.
    static OWNER: Owner = const { Owner { tree: Cell::new(None) } };
    /// A new path is being made. Its allocations may come back here when the program profiles its allocator.
    static BUSY: Cell<bool> = const { Cell::new(false) };
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

fn is_nowhere(node: &'static Node) -> bool {
    ptr::eq(node, &raw const NOWHERE)
}

fn is_root(node: &'static Node) -> bool {
    let root = node.tree().and_then(Tree::root);
    root.is_some_and(|root| ptr::eq(root, node))
}

/// Where this thread is, in a tree that it is given if it has none. `None` when called from within itself, or when measuring was just
/// switched off.
pub(super) fn current_or_begin() -> Option<&'static Node> {
    let current = current();
    if is_nowhere(current) { begin() } else { Some(current) }
}

#[cold]
#[inline(never)]
fn begin() -> Option<&'static Node> {
    let root = unless_busy(|| {
        first_use::announce();
        if super::paused() {
            return None;
        }
        let tree = acquire();
        // Past its destructors, a thread keeps no tree: whoever asked for it gives it back.
        let _ = OWNER.try_with(|owner| owner.tree.set(Some(tree)));
        tree.root()
    })??;
    set_current(root);
    Some(root)
}

/// Whether the thread is past its own destructors, so that nobody gives its tree back when it is gone.
pub(super) fn is_homeless() -> bool {
    OWNER.try_with(|_| ()).is_err()
}

/// Gives back the tree of a thread that could not keep it, after its outermost frame.
pub(super) fn end_if_homeless() {
    let node = current();
    if is_root(node) && is_homeless() {
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
    end_if_homeless();
}

/// Runs `f`, unless this thread is inside of it already.
pub(super) fn unless_busy<R>(f: impl FnOnce() -> R) -> Option<R> {
    if BUSY.with(|busy| busy.replace(true)) {
        return None;
    }
    let result = f();
    BUSY.with(|busy| busy.set(false));
    Some(result)
}

fn acquire() -> &'static Tree {
    STARTED.fetch_add(1, Ordering::Relaxed);
    if let Some(tree) = IDLE.lock().pop() {
        return tree;
    }
    let tree = Tree::new();
    TREES.lock().push(tree);
    tree
}

fn release(tree: &'static Tree) {
    IDLE.lock().push(tree);
}

/// All trees, in the order of their making.
pub(super) fn trees() -> Vec<&'static Tree> {
    TREES.lock().clone()
}

/// How many threads ever ran a profiled function.
pub(super) fn started() -> u64 {
    STARTED.load(Ordering::Relaxed)
}

/// Runs `f` with a tree that no report sees, and gives it that tree.
pub(super) fn with_private_tree<R>(f: impl FnOnce(&'static Tree) -> R) -> R {
    let tree = Tree::new();
    let before = current();
    if let Some(root) = tree.root() {
        set_current(root);
    }
    let result = f(tree);
    set_current(before);
    result
}
