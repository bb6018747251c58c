//! One cache.

use core::time::Duration;

use super::{Location, Name, RemoteRow};

/// What is known of one cached function, over all instances of its generics.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CacheRow {
    /// As in [`FunctionRow`](super::FunctionRow).
    pub name: Name,
    /// Where the function is defined.
    pub location: Location,
    /// Lookups answered from the cache.
    pub hits: u64,
    /// Lookups that were not.
    pub misses: u64,
    /// Misses that waited for another caller's run of the body instead of running it.
    pub waits: u64,
    /// Runs of the body.
    pub loads: u64,
    /// Runs whose result was not kept (`Err`, `None`) or that panicked or were cancelled.
    pub load_errors: u64,
    /// Time in the body.
    pub load_time: Duration,
    /// Hits times the mean load time, less what the hits cost.
    pub time_saved: Duration,
    /// Entries that gave way to others because there were `max_size`.
    pub evicted: u64,
    /// Entries that gave way because all of them took too much memory.
    pub evicted_for_memory: u64,
    /// Entries removed because their time was up.
    pub expired: u64,
    /// Entries removed by `invalidate` and `clear`, also of what they were computed from.
    pub invalidated: u64,
    /// Entries held now.
    pub len: u64,
    /// Entries held at most.
    pub max_size: u64,
    /// What it met at its backend, if it has one.
    pub remote: Option<RemoteRow>,
}

impl CacheRow {
    pub(crate) fn is_same(&self, other: &CacheRow) -> bool {
        (self.location, &self.name) == (other.location, &other.name)
    }

    /// Takes away what an earlier row of the same cache counted. What is held now stays.
    pub(crate) fn subtract(&mut self, earlier: &CacheRow) {
        for (count, earlier) in [
            (&mut self.hits, earlier.hits),
            (&mut self.misses, earlier.misses),
            (&mut self.waits, earlier.waits),
            (&mut self.loads, earlier.loads),
            (&mut self.load_errors, earlier.load_errors),
            (&mut self.evicted, earlier.evicted),
            (&mut self.evicted_for_memory, earlier.evicted_for_memory),
            (&mut self.expired, earlier.expired),
            (&mut self.invalidated, earlier.invalidated),
        ] {
            *count = count.saturating_sub(earlier);
        }
        if let (Some(remote), Some(earlier)) = (&mut self.remote, &earlier.remote) {
            remote.subtract(earlier);
        }
        self.load_time = self.load_time.saturating_sub(earlier.load_time);
        self.time_saved = self.time_saved.saturating_sub(earlier.time_saved);
    }

    /// Hits as a share of all lookups, 0 to 1; `None` before the first lookup.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        let lookups = self.hits + self.misses;
        (lookups > 0).then(|| self.hits as f64 / lookups as f64)
    }
}
