//! Runs of the body: each is timed, and counted when it ends, also by a panic or because its future is dropped.

use core::time::Duration;

use super::stats::CacheStats;
use crate::clock;
use crate::sync::{AtomicU64, Ordering};

/// What a cache counts of its misses.
#[derive(Debug)]
pub(super) struct Loads {
    ended: AtomicU64,
    errors: AtomicU64,
    ticks: AtomicU64,
    waits: AtomicU64,
}

/// A run that has not ended.
pub(super) struct Load {
    loads: &'static Loads,
    start: u64,
    kept: bool,
}

impl Loads {
    pub(super) const fn new() -> Self {
        Loads {
            ended: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            waits: AtomicU64::new(0),
        }
    }

    /// The body begins.
    pub(super) fn start(&'static self) -> Load {
        Load { loads: self, start: clock::now(), kept: false }
    }

    /// A miss was answered by another caller's run.
    pub(super) fn count_wait(&self) {
        self.waits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_to(&self, stats: &mut CacheStats) {
        stats.waits = self.waits.load(Ordering::Relaxed);
        stats.loads = self.ended.load(Ordering::Relaxed);
        stats.load_errors = self.errors.load(Ordering::Relaxed);
        stats.load_time = match self.ticks.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            ticks => clock::rate().duration(ticks),
        };
    }
}

impl Load {
    /// The body returned; `kept` tells whether its result is kept.
    pub(super) fn end(mut self, kept: bool) {
        self.kept = kept;
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let ticks = clock::now().saturating_sub(self.start);
        self.loads.ticks.fetch_add(ticks, Ordering::Relaxed);
        self.loads.ended.fetch_add(1, Ordering::Relaxed);
        if !self.kept {
            self.loads.errors.fetch_add(1, Ordering::Relaxed);
        }
    }
}
