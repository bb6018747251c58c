//! One execution of a profiled function: enter, leave.

use core::marker::PhantomData;

use super::threads;
use super::tree::Node;
use crate::clock;
use crate::site::Site;
use crate::sync::{AtomicU8, Ordering};

/// Not zero while nothing is measured: by [`pause`], by [`switch_off`], or both.
static STOPPED: AtomicU8 = AtomicU8::new(0);
const PAUSED: u8 = 1;
const OFF: u8 = 2;

/// Stops measuring: functions entered from now on are not counted, until [`resume`]. Calls under way are.
pub fn pause() {
    STOPPED.fetch_or(PAUSED, Ordering::Relaxed);
}

/// Goes on measuring after [`pause`].
pub fn resume() {
    STOPPED.fetch_and(!PAUSED, Ordering::Relaxed);
}

/// Whether measuring is stopped.
#[inline]
#[must_use]
pub fn paused() -> bool {
    STOPPED.load(Ordering::Relaxed) != 0
}

/// Stops measuring for good; [`resume`] does not undo it.
pub(crate) fn switch_off() {
    STOPPED.fetch_or(OFF, Ordering::Relaxed);
}

/// A place in the tree that has been entered and must be left.
pub(super) struct Entered {
    pub(super) node: &'static Node,
    /// `None` where the thread has its tree for the time of this frame only.
    caller: Option<&'static Node>,
    pub(super) start: u64,
}

impl Entered {
    /// `None` while measuring is paused.
    #[inline]
    pub(super) fn new(site: &'static Site) -> Option<Self> {
        if paused() {
            return None;
        }
        let caller = threads::current();
        match caller.and_then(|caller| caller.child_fast(site)) {
            Some(node) => Some(Self::at(node, caller)),
            None => Self::new_slow(site),
        }
    }

    #[inline]
    fn at(node: &'static Node, caller: Option<&'static Node>) -> Self {
        threads::set_current(Some(node));
        // The last thing before the body.
        let start = clock::now();
        node.open(start);
        Entered { node, caller, start }
    }

    /// A path taken for the first time, or not the one taken last.
    #[cold]
    #[inline(never)]
    fn new_slow(site: &'static Site) -> Option<Self> {
        let (caller, homeless) = if let Some(node) = threads::current() {
            (node, false)
        } else {
            let beginning = threads::begin()?;
            (beginning.root, beginning.homeless)
        };
        let node = threads::unless_busy(|| caller.child_slow(site))?;
        Some(Self::at(node, (!homeless).then_some(caller)))
    }

    /// Leaves the place and returns how long it was, in ticks.
    #[inline]
    pub(super) fn leave(&self, calls: u64) -> u64 {
        // The first thing after the body.
        let ticks = clock::now().saturating_sub(self.start);
        self.node.close(self.caller, ticks, calls);
        threads::set_current(self.caller);
        ticks
    }

    /// To be called when nothing more is written to the tree.
    #[inline]
    pub(super) fn end(&self) {
        if self.caller.is_none() {
            threads::end(self.node.tree());
        }
    }
}

/// The guard that generated code holds while the body of a `#[profiled]` function runs.
#[must_use = "the call ends when this is dropped"]
pub struct Frame {
    entered: Option<Entered>,
    /// The thread was unwinding already, so the end of the frame says nothing about its own body.
    unwinding: bool,
    /// Closed on the thread that opened it.
    _not_send: PhantomData<*const ()>,
}

impl Frame {
    /// Begins a call of `site` on this thread.
    #[inline]
    pub fn enter(site: &'static Site) -> Frame {
        Frame { unwinding: std::thread::panicking(), entered: Entered::new(site), _not_send: PhantomData }
    }

    /// Looks at what the body returned, and counts it if it is an `Err`.
    #[inline]
    pub fn returned<R: ReturnsResult>(frame: &Frame, result: &R) {
        if let Some(entered) = &frame.entered
            && result.is_failure()
        {
            entered.node.stats.errors.increment();
        }
    }
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        let Some(entered) = &self.entered else { return };
        let ticks = entered.leave(1);
        entered.node.stats.durations.record(ticks);
        if std::thread::panicking() && !self.unwinding {
            entered.node.stats.panics.increment();
        }
        entered.end();
    }
}

/// What `err` can look at.
#[diagnostic::on_unimplemented(
    message = "`err` counts the `Err`s of functions that return a `Result`, and this one returns `{Self}`",
    label = "remove `err`"
)]
pub trait ReturnsResult {
    /// Whether it is an `Err`.
    fn is_failure(&self) -> bool;
}

impl<T, E> ReturnsResult for Result<T, E> {
    #[inline]
    fn is_failure(&self) -> bool {
        self.is_err()
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> ReturnsResult for core::task::Poll<Result<T, E>> {
    #[inline]
    fn is_failure(&self) -> bool {
        matches!(self, core::task::Poll::Ready(Err(_)))
    }
}

/// Calls a body wrapped in a closure. A function, so that the closure is known to be called once and may move what it took.
#[inline]
pub fn call<R>(body: impl FnOnce() -> R) -> R {
    body()
}
