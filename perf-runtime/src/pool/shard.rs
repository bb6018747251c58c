//! One stack of idle objects, and what happened at it.
//!
//! Every thread has a home shard, so threads seldom meet at a lock. The counters are plain numbers under the lock that
//! the way in and the way out need anyway: counting costs no further atomic instruction and no shared cache line.

use crate::sync::{AtomicU32, Mutex, Ordering, thread_local};

/// Stacks a pool is split into at most. A power of two.
pub(super) const SHARDS: usize = 16;

/// A [`Stack`] on cache lines of its own. 128 bytes, because Intel's prefetcher fetches lines in pairs.
#[repr(align(128))]
pub(super) struct Shard<T>(pub(super) Mutex<Stack<T>>);

/// Idle objects, the last one back on top: its memory is still warm.
pub(super) struct Stack<T> {
    pub(super) idle: Vec<T>,
    /// This shard's part of the pool's `max_size`; the parts of all shards never add up to more.
    pub(super) limit: usize,
    pub(super) borrowed: u64,
    pub(super) returned: u64,
    pub(super) discarded: u64,
    pub(super) taken: u64,
}

impl<T> Shard<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Stack {
            idle: Vec::new(),
            limit: 0,
            borrowed: 0,
            returned: 0,
            discarded: 0,
            taken: 0,
        }))
    }
}

impl<T> Stack<T> {
    /// Lends the object that came back last.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        let object = self.idle.pop()?;
        self.borrowed += 1;
        Some(object)
    }

    /// Keeps `object`, or hands it back if this shard's part of the pool is full.
    #[inline]
    pub(super) fn push(&mut self, object: T) -> Result<(), T> {
        if self.idle.len() >= self.limit {
            return Err(object);
        }
        self.idle.push(object);
        self.returned += 1;
        Ok(())
    }
}

/// The number of the calling thread: threads count up, so that they spread evenly over any number of shards.
#[inline]
pub(super) fn thread_number() -> usize {
    static THREADS: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed) as usize;
    }
    NUMBER.with(|number| *number)
}
