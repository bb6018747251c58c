//! What a cache counted, as its user reads it.

use core::time::Duration;

/// The counters of one cached function.
///
/// Every lookup is a hit or a miss, and every miss waits for another caller's computation or runs the body.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Lookups answered from the cache.
    pub hits: u64,
    /// Lookups that were not.
    pub misses: u64,
    /// Misses answered by another caller's run of the body.
    pub waits: u64,
    /// Runs of the body that ended, in whatever way.
    pub loads: u64,
    /// Those of them whose result was not kept (an `Err`, a `None`), or that panicked or were cancelled.
    pub load_errors: u64,
    /// Time in the body.
    pub load_time: Duration,
    /// What one hit takes, from one in 1024 of them; 0 before the first.
    pub hit_cost: Duration,
    /// Entries that gave way to others because there were `max_size`.
    pub evicted: u64,
    /// Entries that gave way because all of them took too much memory.
    pub evicted_for_memory: u64,
    /// Entries removed because their time was up.
    pub expired: u64,
    /// Entries removed by `invalidate` and `clear`, replaced by `prime` and `insert`, or computed from what was.
    pub invalidated: u64,
    /// Entries held now.
    pub len: u64,
    /// Entries held at most.
    pub max_size: u64,
    /// Bytes of the entries held now, by estimate.
    pub memory: u64,
}

impl CacheStats {
    /// Hits as a share of all lookups, 0 to 1; `None` before the first.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        let lookups = self.hits + self.misses;
        (lookups > 0).then(|| self.hits as f64 / lookups as f64)
    }

    /// What the hits would have taken in the body, at the mean load time, less what they took.
    #[must_use]
    pub fn time_saved(&self) -> Duration {
        let nanos = |duration: Duration| duration.as_nanos() as f64;
        if self.loads == 0 {
            return Duration::ZERO;
        }
        let mean = nanos(self.load_time) / self.loads as f64;
        Duration::from_nanos((self.hits as f64 * (mean - nanos(self.hit_cost))).max(0.0) as u64)
    }

    /// Adds what another instance of the same function counted.
    pub(super) fn add(&mut self, other: &CacheStats) {
        let hits = self.hits + other.hits;
        if hits > 0 {
            let cost = |stats: &CacheStats| stats.hit_cost.as_nanos() as f64 * stats.hits as f64;
            self.hit_cost = Duration::from_nanos(((cost(self) + cost(other)) / hits as f64) as u64);
        }
        self.hits = hits;
        self.misses += other.misses;
        self.waits += other.waits;
        self.loads += other.loads;
        self.load_errors += other.load_errors;
        self.load_time += other.load_time;
        self.evicted += other.evicted;
        self.evicted_for_memory += other.evicted_for_memory;
        self.memory += other.memory;
        self.expired += other.expired;
        self.invalidated += other.invalidated;
        self.len += other.len;
        self.max_size += other.max_size;
    }
}
