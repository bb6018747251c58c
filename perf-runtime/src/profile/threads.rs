//! Which thread owns which tree: every tree there is, and the ones whose thread has ended.
//!
//! A tree is handed on, not folded: the next thread continues in it, which costs nothing and loses nothing.

use core::cell::Cell;

use super::tree::{Node, SiteStats, Tree};
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
    /// Where this thread is in its tree. Without a destructor, so that reading it is one instruction.
    static CURRENT: Cell<Option<&'static Node>> = const { Cell::new(None) };
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
            let at_rest =
                current().is_none_or(|node| tree.root().is_some_and(|root| core::ptr::eq(root, node)));
            set_current(None);
            // A thread that was ended inside a frame (`pthread_exit`) leaves it open; nobody may close it any more.
            if at_rest {
                release(tree);
            }
        }
    }
}

#[inline]
pub(super) fn current() -> Option<&'static Node> {
    CURRENT.try_with(Cell::get).unwrap_or(None)
}

#[inline]
pub(super) fn set_current(node: Option<&'static Node>) {
    // It has no destructor, so it is there for as long as the thread is.
    let _ = CURRENT.try_with(|current| current.set(node));
}

/// Where a thread begins: at the root of a tree that is now its own.
pub(super) struct Beginning {
    pub(super) root: &'static Node,
    /// The thread is past its own destructors, so nobody will give the tree back when it is gone: whoever asked for it must,
    /// by [`end`].
    pub(super) homeless: bool,
}

/// Gives this thread a tree. `None` when called from within itself.
#[cold]
#[inline(never)]
pub(super) fn begin() -> Option<Beginning> {
    let (root, homeless) = unless_busy(|| {
        first_use::announce();
        // It may just have been switched off.
        if super::paused() {
            return None;
        }
        let tree = acquire();
        let homeless = OWNER.try_with(|owner| owner.tree.set(Some(tree))).is_err();
        Some((tree.root()?, homeless))
    })??;
    set_current(Some(root));
    Some(Beginning { root, homeless })
}

/// Gives back the tree of a thread that could not keep it.
#[cold]
#[inline(never)]
pub(super) fn end(tree: &'static Tree) {
    set_current(None);
    release(tree);
}

/// Runs `write` with the stats of `site` in this thread's tree, outside of any frame of it.
pub(super) fn with_stats(site: &'static Site, write: impl FnOnce(&'static SiteStats)) {
    let (node, homeless) = match current() {
        Some(node) => (node, false),
        None => match begin() {
            Some(beginning) => (beginning.root, beginning.homeless),
            None => return,
        },
    };
    if let Some(stats) = unless_busy(|| node.tree().stats(site)) {
        write(stats);
    }
    if homeless {
        end(node.tree());
    }
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

/// Runs `f` with a tree that no report sees.
pub(super) fn with_private_tree<R>(f: impl FnOnce() -> R) -> R {
    let tree = Tree::new();
    let before = current();
    set_current(tree.root());
    let result = f();
    set_current(before);
    result
}
