//! One execution of a profiled function: enter, leave.

use core::marker::PhantomData;

use super::threads;
use super::tree::Node;
use crate::clock;
use crate::site::Site;
use crate::sync::{AtomicU8, Ordering};

/// Zero while frames are measured in the common way: with the processor's counter. One load tells.
static MODE: AtomicU8 = AtomicU8::new(OTHER_CLOCK);
/// By [`pause`].
const PAUSED: u8 = 1;
/// By [`switch_off`].
const OFF: u8 = 2;
/// The clock is not known to be the counter: before the first frame, and for ever where it is not.
const OTHER_CLOCK: u8 = 4;

/// Stops measuring: functions entered from now on are not counted, until [`resume`]. Calls under way are.
pub fn pause() {
    MODE.fetch_or(PAUSED, Ordering::Relaxed);
}

/// Goes on measuring after [`pause`].
pub fn resume() {
    MODE.fetch_and(!PAUSED, Ordering::Relaxed);
}

/// Whether measuring is stopped.
#[inline]
#[must_use]
pub fn paused() -> bool {
    MODE.load(Ordering::Relaxed) & (PAUSED | OFF) != 0
}

/// Stops measuring for good; [`resume`] does not undo it.
pub(crate) fn switch_off() {
    MODE.fetch_or(OFF, Ordering::Relaxed);
}

/// Whether [`switch_off`] was called.
pub(super) fn is_off() -> bool {
    MODE.load(Ordering::Relaxed) & OFF != 0
}

/// A place in the tree that has been entered and must be left: the way that is right in every case.
pub(super) struct Entered {
    pub(super) node: &'static Node,
    pub(super) start: u64,
}

impl Entered {
    /// Also while measuring is paused; `None` when it is switched off, and inside of the profiler's own work.
    pub(super) fn new(site: &'static Site) -> Option<Self> {
        if is_off() {
            return None;
        }
        let caller = threads::current_or_begin()?;
        let tree = caller.tree()?;
        let node = match caller.last_child(site) {
            Some(child) => child,
            None => threads::unless_busy(|| caller.child(tree, site))?,
        };
        if node.is_merged() {
            threads::unless_busy(|| tree.push_merged_caller(caller))?;
        }
        threads::set_current(node);
        // The last thing before the body.
        let start = clock::now();
        if node.is_open() {
            node.open_inner();
        } else {
            node.open(start);
        }
        Some(Entered { node, start })
    }

    /// Leaves the place and returns how long it was, in ticks. `calls` is 1, or 0 for one poll among others.
    pub(super) fn leave(&self, calls: u64) -> u64 {
        // The first thing after the body.
        let end = clock::now().max(self.start);
        let ticks = end - self.start;
        let mut caller = self.node.close(end, calls);
        if self.node.is_merged() {
            caller = self.node.close_merged(ticks).unwrap_or(caller);
        }
        threads::set_current(caller);
        ticks
    }
}

/// The guard that generated code holds while the body of a `#[profiled]` function runs.
///
/// The common way in is inline: the caller's last callee again, no panic under way, the counter as the clock. Another callee that is known takes
/// one call more; every other way goes through `Entered`. What remains of that is in the same two words, so that the common way carries nothing it does not need.
#[must_use = "the call ends when this is dropped"]
pub struct Frame {
    /// Where it was entered in the common way.
    node: Option<&'static Node>,
    /// The moment it began; without a node, that and the flags, or 0 where nothing is measured.
    word: u64,
    /// Closed on the thread that opened it.
    _not_send: PhantomData<*const ()>,
}

/// Of a word without a node.
const MEASURED: u64 = 1;
/// The thread was unwinding already, so the end of the frame says nothing about its own body.
const UNWINDING: u64 = 2;
/// It stands for others that are not timed.
const SAMPLED: u64 = 4;
const FLAGS: u32 = 3;
/// The word of a frame that is not timed.
const UNTIMED: u64 = SAMPLED;

impl Frame {
    /// Begins a call of `site` on this thread.
    #[inline]
    pub fn enter(site: &'static Site) -> Frame {
        let mode = MODE.load(Ordering::Relaxed);
        if mode & (PAUSED | OFF) != 0 {
            return Frame::of(None, 0);
        }
        if mode == 0 && !std::thread::panicking() {
            let caller = threads::current();
            if let Some(node) = caller.last_child(site)
                && node.skip() == 0
            {
                threads::set_current(node);
                // The last thing before the body.
                let start = clock::counter();
                node.open(start);
                return Frame::of(Some(node), start);
            }
            return Frame::enter_otherwise(site);
        }
        Frame::enter_slow(site)
    }

    /// The other ways that are not slow; out of line, or every function would be larger by them.
    #[inline(never)]
    fn enter_otherwise(site: &'static Site) -> Frame {
        let caller = threads::current();
        if caller.is_of(site) {
            caller.open_inner();
            if caller.skip() > 0 {
                return Frame::of(None, UNTIMED);
            }
            return Frame::of(Some(caller), clock::counter());
        }
        let Some(node) = caller.last_child(site).or_else(|| caller.other_child(site)) else {
            return Frame::enter_slow(site);
        };
        threads::set_current(node);
        match node.skip() {
            0 => {
                let start = clock::counter();
                node.open(start);
                Frame::of(Some(node), start)
            }
            1 => {
                // What stands for many others is to have its own time and nothing of its caller's, and there is time for that.
                let start = clock::counter();
                clock::fence();
                node.open(start);
                Frame::of(None, start << FLAGS | MEASURED | SAMPLED)
            }
            skip => {
                node.open_untimed(skip);
                Frame::of(None, UNTIMED)
            }
        }
    }

    #[inline]
    const fn of(node: Option<&'static Node>, word: u64) -> Frame {
        Frame { node, word, _not_send: PhantomData }
    }

    #[cold]
    #[inline(never)]
    fn enter_slow(site: &'static Site) -> Frame {
        let unwinding = std::thread::panicking();
        if !unwinding && Frame::skipped(site) {
            return Frame::of(None, UNTIMED);
        }
        let Some(Entered { node, start }) = Entered::new(site) else { return Frame::of(None, 0) };
        if clock::is_counter() {
            MODE.fetch_and(!OTHER_CLOCK, Ordering::Relaxed);
            if !unwinding && !node.is_merged() && !threads::is_visitor() {
                return Frame::of(Some(node), start);
            }
        }
        let flag = match node.skip() {
            _ if unwinding => UNWINDING,
            // Here it was not found out before whose turn it is.
            1 => SAMPLED,
            _ => 0,
        };
        Frame::of(None, start << FLAGS | MEASURED | flag)
    }

    /// Enters without timing, where the path is known and samples: on a clock that is not the counter, for there the common way is not taken.
    fn skipped(site: &'static Site) -> bool {
        let caller = threads::current();
        if caller.is_of(site) && caller.skip() > 0 {
            caller.open_inner();
            return true;
        }
        let Some(node) = caller.last_child(site).or_else(|| caller.other_child(site)) else { return false };
        let skip = node.skip();
        if skip > 1 {
            threads::set_current(node);
            node.open_untimed(skip);
        }
        skip > 1
    }

    /// Looks at what the body returned, and counts it if it is an `Err`.
    #[inline]
    pub fn returned<R: ReturnsResult>(frame: &Frame, result: &R) {
        if result.is_failure() && (frame.node.is_some() || frame.word != 0) {
            // A frame that is open is where the thread is.
            threads::current().stats.errors.increment();
        }
    }

    #[cold]
    #[inline(never)]
    fn leave_slow(word: u64) {
        let entered = Entered { node: threads::current(), start: word >> FLAGS };
        let ticks = entered.leave(1);
        if !entered.node.stats.durations.has_recorded(ticks) {
            Frame::record_in_full(entered.node, ticks);
        }
        if word & SAMPLED != 0 {
            entered.node.sampled(ticks);
        }
        if std::thread::panicking() && word & UNWINDING == 0 {
            entered.node.stats.panics.increment();
        }
        threads::end_visit();
    }

    #[inline(never)]
    fn leave_untimed() {
        // A frame that is open is where the thread is.
        let node = threads::current();
        threads::set_current(node.close_untimed());
        if std::thread::panicking() {
            node.stats.panics.increment();
        }
    }

    #[cold]
    #[inline(never)]
    fn record_in_full(node: &'static Node, ticks: u64) {
        let mean = node.stats.durations.record_in_full(ticks);
        if !node.is_merged() && node.skip() == 0 {
            node.adapt(mean);
        }
    }
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        let Some(node) = self.node else {
            match self.word {
                0 => {}
                UNTIMED => Frame::leave_untimed(),
                word => Frame::leave_slow(word),
            }
            return;
        };
        // The first thing after the body. Two cores may disagree by a few ticks.
        let end = clock::counter().max(self.word);
        threads::set_current(node.close(end, 1));
        let ticks = end - self.word;
        if !node.stats.durations.has_recorded(ticks) {
            Frame::record_in_full(node, ticks);
        }
        if std::thread::panicking() {
            node.stats.panics.increment();
        }
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
