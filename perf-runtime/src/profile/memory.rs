//! Memory by call path: what its function allocated and freed, and the most that a call of it held.
//!
//! An allocator calls this from anywhere, so nothing here allocates, locks or panics. As for time, only the thread that owns the tree writes,
//! with plain stores.
//!
//! The most that a call held is found without any work at its beginning and end. A thread has a *balance* of what it allocated and freed; a call
//! held as much as the balance rose since the call began. The first request in a call finds, by the call's own mark, that the node's last one was in
//! another call, and notes the balance: nothing can have changed since the call began. It does so for the callers too, up to the first that knows already.

use core::cell::Cell;

use super::threads;
use super::tree::Node;
use crate::sync::{AtomicBool, AtomicU64, Ordering, thread_local};

/// An allocator tells what it does: nodes that are made from now on have a [`Memory`].
static TOLD: AtomicBool = AtomicBool::new(false);

/// Raised by each reset, with which the calls under way begin anew.
static EPOCH: AtomicU64 = AtomicU64::new(0);

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

/// A number that only one thread writes.
#[derive(Debug, Default)]
struct AtomicI64(AtomicU64);

impl AtomicI64 {
    fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed).cast_signed()
    }

    fn set(&self, value: i64) {
        self.0.store(value.cast_unsigned(), Ordering::Relaxed);
    }
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

/// Notes that so many bytes were allocated on this thread.
#[inline]
pub fn allocated(bytes: usize) {
    let node = threads::current();
    let Some(memory) = node.memory else { return not_yet() };
    if threads::is_busy() {
        return;
    }
    add(&memory.allocations, 1);
    add(&memory.allocated, bytes as u64);
    let before = balance();
    let after = before.wrapping_add_unsigned(bytes as u64);
    set_balance(after);
    if after > memory.highest.get() || memory.call.load(Ordering::Relaxed) != mark(node) {
        rise(node, before, after);
    }
}

/// Notes that so many bytes were freed on this thread.
#[inline]
pub fn freed(bytes: usize) {
    let node = threads::current();
    let Some(memory) = node.memory else { return not_yet() };
    if threads::is_busy() {
        return;
    }
    add(&memory.freed, bytes as u64);
    let before = balance();
    let after = before.wrapping_sub_unsigned(bytes as u64);
    set_balance(after);
    if memory.call.load(Ordering::Relaxed) != mark(node) {
        rise(node, before, after);
    }
}

/// Tells the call that runs, since it began or since a reset, from others of its node.
#[inline]
fn mark(node: &Node) -> u64 {
    node.call_mark() ^ EPOCH.load(Ordering::Relaxed).rotate_right(32)
}

#[cold]
#[inline(never)]
fn not_yet() {
    if !is_told() {
        TOLD.store(true, Ordering::Relaxed);
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

/// The balance went from `before` to `after`, which is new to the call that runs, and maybe to its callers.
#[cold]
#[inline(never)]
fn rise(node: &'static Node, before: i64, after: i64) {
    let epoch = EPOCH.load(Ordering::Relaxed);
    let mut node = node;
    while let Some(memory) = node.memory {
        let call = mark(node);
        if memory.call.load(Ordering::Relaxed) != call {
            memory.call.store(call, Ordering::Relaxed);
            memory.before.set(before);
            memory.highest.set(before.max(after));
        } else if after > memory.highest.get() {
            memory.highest.set(after);
        } else {
            // The callers saw what this call saw.
            return;
        }
        let held = memory.highest.get().saturating_sub(memory.before.get()).max(0).cast_unsigned();
        if memory.epoch.load(Ordering::Relaxed) != epoch || held > memory.peak.load(Ordering::Relaxed) {
            memory.epoch.store(epoch, Ordering::Relaxed);
            memory.peak.store(held, Ordering::Relaxed);
        }
        node = node.caller();
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
}

impl Memory {
    pub(super) fn read(&self) -> MemoryReading {
        let is_current = self.epoch.load(Ordering::Relaxed) == EPOCH.load(Ordering::Relaxed);
        MemoryReading {
            allocations: self.allocations.load(Ordering::Relaxed),
            allocated: self.allocated.load(Ordering::Relaxed),
            freed: self.freed.load(Ordering::Relaxed),
            peak: if is_current { self.peak.load(Ordering::Relaxed) } else { 0 },
        }
    }
}

impl MemoryReading {
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
