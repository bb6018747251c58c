//! Memory by call path: what its function allocated and freed, and the most that a call of it held.
//!
//! An allocator calls this from anywhere, so nothing here allocates, locks or panics. As for time, only the thread that owns the tree writes,
//! with plain stores.
//!
//! The most that a call held is found without any work at its beginning and end. A thread has a *balance* of what it allocated and freed; a call
//! held as much as the balance rose since the call began. The first request in a call finds, by the call's own mark, that the node's last one was in
//! another call, and notes the balance: nothing can have changed since the call began. It does so for the callers too, up to the first that knows already.
//!
//! How high the balance rose is noted where it rose, and not in all callers, which may be thousands. The tree knows the node that was last noted in; what its
//! callers do not know is found from there upwards. It goes up when a request comes from elsewhere, as far as calls have ended meanwhile, so that
//! each call is gone over once; and a report goes all the way.
//!
//! While somebody watches all requests ([`Watch`](crate::memory::Watch)), no call's mark is the current one, so that each request takes the way
//! that is out of line and is told there. That there may be a watch costs the others nothing.

use core::cell::Cell;

use super::threads;
use super::tree::{Node, Tree};
use crate::memory::note;
use crate::sync::{AtomicBool, AtomicI64, AtomicU64, Ordering, thread_local};

/// An allocator tells what it does: nodes that are made from now on have a [`Memory`].
static TOLD: AtomicBool = AtomicBool::new(false);

/// Raised by each reset, with which the calls under way begin anew; with [`WATCHED`] in it or not.
static EPOCH: AtomicU64 = AtomicU64::new(0);

/// More resets than there will be, and in no mark that is stored.
const WATCHED: u64 = 1 << 31;

thread_local! {
    /// Bytes allocated less bytes freed in profiled functions on this thread.
    static BALANCE: Cell<i64> = const { Cell::new(0) };
}

/// What is counted of one node.
#[derive(Debug, Default)]
pub(super) struct Memory {
    allocations: AtomicU64,
    allocated: AtomicU64,
    freed: AtomicU64,
    /// The mark of the call that the last request was in.
    call: AtomicU64,
    /// The balance when that call began.
    before: AtomicI64,
    /// The highest balance since.
    highest: AtomicI64,
    /// The most that a call held.
    peak: AtomicU64,
    /// When that was measured.
    epoch: AtomicU64,
}

fn add(counter: &AtomicU64, bytes: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(bytes), Ordering::Relaxed);
}

/// Whether nodes are to have a [`Memory`].
pub(super) fn is_told() -> bool {
    TOLD.load(Ordering::Relaxed)
}

/// Later readings leave out the highest balances up to now.
pub(super) fn begin_anew() {
    EPOCH.fetch_add(1, Ordering::Relaxed);
}

/// Whether [`note`] is to be told of each request from now on.
pub(crate) fn set_watched(watched: bool) {
    if watched {
        EPOCH.fetch_or(WATCHED, Ordering::Relaxed);
    } else {
        EPOCH.fetch_and(!WATCHED, Ordering::Relaxed);
    }
}

/// Notes that a block of so many bytes was allocated on this thread.
#[inline]
pub fn allocated(bytes: usize) {
    more(bytes, 1);
}

/// Notes that a block of this thread's became so many bytes larger.
#[inline]
pub fn grown(bytes: usize) {
    more(bytes, 0);
}

/// Notes that a block of so many bytes was freed on this thread.
#[inline]
pub fn freed(bytes: usize) {
    less(bytes, 1);
}

/// Notes that a block of this thread's became so many bytes smaller.
#[inline]
pub fn shrunk(bytes: usize) {
    less(bytes, 0);
}

#[inline]
fn more(bytes: usize, blocks: i64) {
    let node = threads::current();
    let Some(memory) = node.memory else { return not_yet(bytes.cast_signed() as i64, blocks) };
    if threads::is_busy() {
        return;
    }
    add(&memory.allocations, 1);
    add(&memory.allocated, bytes as u64);
    let before = balance();
    let after = before.wrapping_add_unsigned(bytes as u64);
    set_balance(after);
    if after > memory.highest.load(Ordering::Relaxed) || !memory.is_in_last_call(node, epoch()) {
        rise(node, before, after, blocks);
    }
}

#[inline]
fn less(bytes: usize, blocks: i64) {
    let node = threads::current();
    let Some(memory) = node.memory else { return not_yet(-(bytes.cast_signed() as i64), -blocks) };
    if threads::is_busy() {
        return;
    }
    add(&memory.freed, bytes as u64);
    let before = balance();
    let after = before.wrapping_sub_unsigned(bytes as u64);
    set_balance(after);
    if !memory.is_in_last_call(node, epoch()) {
        rise(node, before, after, -blocks);
    }
}

/// Tells the call that runs, since it began or since a reset, from others of its node.
#[inline]
fn mark(node: &Node, epoch: u64) -> u64 {
    node.call_mark() ^ epoch.rotate_right(32)
}

#[inline]
fn epoch() -> u64 {
    EPOCH.load(Ordering::Relaxed)
}

#[cold]
#[inline(never)]
fn not_yet(bytes: i64, blocks: i64) {
    if !is_told() {
        TOLD.store(true, Ordering::Relaxed);
    }
    if epoch() & WATCHED != 0 && !threads::is_busy() {
        note(bytes, blocks);
    }
}

#[inline]
fn balance() -> i64 {
    // Without a destructor, it is there for as long as the thread is.
    BALANCE.try_with(Cell::get).unwrap_or(0)
}

#[inline]
fn set_balance(to: i64) {
    let _ = BALANCE.try_with(|balance| balance.set(to));
}

/// The balance went from `before` to `after`, which is new to the call that runs, and maybe to its callers; or somebody watches.
#[cold]
#[inline(never)]
fn rise(node: &'static Node, before: i64, after: i64, blocks: i64) {
    let epoch = epoch();
    if epoch & WATCHED == 0 {
        rise_in(node, before, after, epoch);
    } else {
        watched(node, before, after, blocks);
    }
}

/// The same while somebody watches, also where it is not new.
#[cold]
#[inline(never)]
fn watched(node: &'static Node, before: i64, after: i64, blocks: i64) {
    note(after.wrapping_sub(before), blocks);
    let epoch = epoch() & !WATCHED;
    let is_new = |memory: &Memory| {
        after > memory.highest.load(Ordering::Relaxed) || !memory.is_in_last_call(node, epoch)
    };
    if node.memory.is_some_and(is_new) {
        rise_in(node, before, after, epoch);
    }
}

#[inline]
fn rise_in(node: &'static Node, before: i64, after: i64, epoch: u64) {
    let (Some(tree), Some(memory)) = (node.tree(), node.memory) else { return };
    // As long as it is the same call that holds more and more, its callers need not be looked at.
    if tree.risen().is_some_and(|risen| core::ptr::eq(risen, node)) && memory.is_in_last_call(node, epoch) {
        return memory.rise_to(after);
    }
    settle(tree, epoch);
    let mut begun = node;
    while let Some(memory) = begun.memory
        && !memory.is_in_last_call(begun, epoch)
    {
        memory.call.store(mark(begun, epoch), Ordering::Relaxed);
        memory.before.store(before, Ordering::Relaxed);
        memory.highest.store(before, Ordering::Relaxed);
        if memory.epoch.load(Ordering::Relaxed) != epoch {
            memory.peak.store(0, Ordering::Relaxed);
            memory.epoch.store(epoch, Ordering::Relaxed);
        }
        begun = begun.caller();
    }
    memory.rise_to(after);
    // A merged node knows no callers.
    if node.caller().memory.is_some() {
        tree.set_risen(node);
    }
}

/// Tells callers how high the balance rose in calls that have ended, up to one that has not.
fn settle(tree: &'static Tree, epoch: u64) {
    let Some(risen) = tree.risen() else { return };
    let mut node = risen;
    while let Some(memory) = node.memory
        && let Some(caller) = node.caller().memory
        && !memory.is_in_last_call(node, epoch)
    {
        caller.rise_to(memory.highest.load(Ordering::Relaxed));
        node = node.caller();
    }
    if !core::ptr::eq(node, risen) {
        tree.set_risen(node);
    }
}

impl Memory {
    /// Whether the call in which the last request was still runs, and there was no reset.
    #[inline]
    fn is_in_last_call(&self, node: &Node, epoch: u64) -> bool {
        self.call.load(Ordering::Relaxed) == mark(node, epoch)
    }

    fn rise_to(&self, balance: i64) {
        if balance > self.highest.load(Ordering::Relaxed) {
            self.highest.store(balance, Ordering::Relaxed);
            let held = balance.saturating_sub(self.before.load(Ordering::Relaxed)).max(0).cast_unsigned();
            self.peak.store(self.peak.load(Ordering::Relaxed).max(held), Ordering::Relaxed);
        }
    }
}

/// What a [`Memory`] holds, as plain data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MemoryReading {
    pub(super) allocations: u64,
    pub(super) allocated: u64,
    pub(super) freed: u64,
    /// Since the last reset.
    pub(super) peak: u64,
    /// Of the last call, since that reset: the balance when it began, and the highest.
    last: Option<(i64, i64)>,
}

impl Memory {
    pub(super) fn read(&self) -> MemoryReading {
        let is_current = self.epoch.load(Ordering::Relaxed) == epoch() & !WATCHED;
        MemoryReading {
            allocations: self.allocations.load(Ordering::Relaxed),
            allocated: self.allocated.load(Ordering::Relaxed),
            freed: self.freed.load(Ordering::Relaxed),
            peak: if is_current { self.peak.load(Ordering::Relaxed) } else { 0 },
            last: is_current
                .then(|| (self.before.load(Ordering::Relaxed), self.highest.load(Ordering::Relaxed))),
        }
    }
}

impl MemoryReading {
    /// Counts that the balance rose as high as that in callees of the last call, and returns how high it rose in all of that.
    pub(super) fn rise_to(&mut self, balance: i64) -> Option<i64> {
        let (before, highest) = self.last?;
        let highest = highest.max(balance);
        self.peak = self.peak.max(highest.saturating_sub(before).max(0).cast_unsigned());
        Some(highest)
    }

    pub(super) fn subtract(&mut self, earlier: &MemoryReading) {
        self.allocations = self.allocations.saturating_sub(earlier.allocations);
        self.allocated = self.allocated.saturating_sub(earlier.allocated);
        self.freed = self.freed.saturating_sub(earlier.freed);
    }

    /// Of one call path, and of another: what they held at most is what one of them held.
    pub(super) fn add(&mut self, other: &MemoryReading) {
        self.allocations += other.allocations;
        self.allocated += other.allocated;
        self.freed += other.freed;
        self.peak = self.peak.max(other.peak);
    }
}
