//! What threads count of a cache that each of them has for itself: each for itself, too, and a report adds it up.

use std::sync::Arc;

use super::super::stats::CacheStats;
use crate::sync::{AtomicU64, Ordering};

/// Those who count.
#[derive(Default)]
pub(super) struct Threads {
    pub(super) running: Vec<Arc<Counts>>,
    pub(super) ended: CacheStats,
    pub(super) ended_ticks: u64,
}

/// What one thread counted; written by it alone.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) hits: Count,
    pub(super) misses: Count,
    pub(super) loads: Count,
    pub(super) load_errors: Count,
    pub(super) load_ticks: Count,
    pub(super) evicted: Count,
    pub(super) expired: Count,
    pub(super) invalidated: Count,
    pub(super) len: Count,
}

#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    #[inline]
    pub(super) fn add(&self, number: u64) {
        self.0.store(self.get().wrapping_add(number), Ordering::Relaxed);
    }

    pub(super) fn set(&self, number: usize) {
        self.0.store(number as u64, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counts {
    /// Without the time, which is kept in ticks until it is asked for.
    pub(super) fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.get(),
            misses: self.misses.get(),
            loads: self.loads.get(),
            load_errors: self.load_errors.get(),
            evicted: self.evicted.get(),
            expired: self.expired.get(),
            invalidated: self.invalidated.get(),
            len: self.len.get(),
            ..CacheStats::default()
        }
    }
}
