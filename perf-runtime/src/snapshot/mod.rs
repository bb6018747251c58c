//! The merged view of everything measured, as plain data: no clocks, no locks, nothing that changes under the reader.
//!
//! A [`Report`] is made by [`report()`](crate::session::report) and read by everything in [`show`](crate::show).

mod cache;
mod function;
mod name;
mod pool;

pub use cache::CacheRow;
pub use function::{FunctionRow, FutureRow, Latency};
pub use name::Name;
pub use pool::PoolRow;

use core::time::Duration;

/// Everything measured up to one moment.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// How long the run is, by the clock on the wall: since the first measurement of the process, or since the last
    /// [`reset`](crate::session::reset). What the program did before its first instrumented call is not in it.
    pub wall: Duration,
    /// Threads that ran a profiled function.
    pub threads: u64,
    /// Whether call paths were merged because there were too many of them.
    pub truncated: bool,
    /// Profiled functions and blocks, by time spent in themselves, the largest first.
    pub functions: Vec<FunctionRow>,
    /// Profiled futures, by their busy time, the largest first.
    pub futures: Vec<FutureRow>,
    /// Caches, the busiest first.
    pub caches: Vec<CacheRow>,
    /// Pools, the busiest first.
    pub pools: Vec<PoolRow>,
}

/// What rows of functions can be sorted by; the largest first, names from A to Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the columns")]
pub enum SortBy {
    Name,
    Calls,
    SelfTime,
    TotalTime,
    Mean,
    P95,
    Max,
    Cyclomatic,
}

impl Report {
    /// Sorts the functions by a column.
    pub fn sort_by(&mut self, column: SortBy) -> &mut Self {
        let key = |row: &FunctionRow| -> u128 {
            match column {
                SortBy::Name => 0,
                SortBy::Calls => row.calls.into(),
                SortBy::SelfTime => row.self_time.as_nanos(),
                SortBy::TotalTime => row.total_time.as_nanos(),
                SortBy::Mean => row.latency.mean.as_nanos(),
                SortBy::P95 => row.latency.p95.as_nanos(),
                SortBy::Max => row.latency.max.as_nanos(),
                SortBy::Cyclomatic => row.cyclomatic.unwrap_or(0).into(),
            }
        };
        self.functions.sort_by(|a, b| key(b).cmp(&key(a)).then_with(|| a.name.cmp(&b.name)));
        self
    }

    /// Keeps the rows, of every kind, whose name contains `part`.
    pub fn filter(&mut self, part: &str) -> &mut Self {
        self.functions.retain(|row| row.name.contains(part));
        self.futures.retain(|row| row.name.contains(part));
        self.caches.retain(|row| row.name.contains(part));
        self.pools.retain(|row| row.name.contains(part));
        self
    }

    /// Keeps the first `rows` of each kind.
    pub fn limit(&mut self, rows: usize) -> &mut Self {
        self.functions.truncate(rows);
        self.futures.truncate(rows);
        self.caches.truncate(rows);
        self.pools.truncate(rows);
        self
    }
}

/// Where something stands in the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// As the compiler was given it: relative to the workspace for a crate of the workspace.
    pub file: &'static str,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}
