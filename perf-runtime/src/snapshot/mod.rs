//! The merged view of everything measured, as plain data: no clocks, no locks, nothing that changes under the reader.
//!
//! A [`Report`] is made by [`report()`](crate::session::report) and read by everything in [`show`](crate::show).

mod cache;
mod calls;
mod function;
#[cfg(feature = "regex")]
mod matching;
mod name;
mod pool;
mod remote;
mod sort;

pub use cache::CacheRow;
pub use calls::{CallEdge, CallNode, CallTree, Function};
pub use function::{Estimate, FunctionRow, FutureRow, Latency, MemoryUse, Requests};
#[cfg(feature = "regex")]
pub use matching::PatternError;
pub use name::Name;
pub use pool::PoolRow;
pub use remote::RemoteRow;
pub use sort::{SortBy, UnknownColumn};

use core::time::Duration;

/// Everything measured up to one moment.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// How long the run is, by the clock on the wall: since the first measurement of the process, or since the last
    /// [`reset`](crate::session::reset). What the program did before its first instrumented call is not in it.
    pub wall: Duration,
    /// What the profiler itself took of it, on all threads: so many calls at what a call costs on this machine. It is in nobody's time.
    pub overhead: Duration,
    /// Threads that ran a profiled function.
    pub threads: u64,
    /// Whether call paths were merged because there were too many of them.
    pub truncated: bool,
    /// Profiled functions and blocks, by time spent in themselves, the largest first.
    pub functions: Vec<FunctionRow>,
    /// Profiled futures, by their busy time, the largest first.
    pub futures: Vec<FutureRow>,
    /// The paths of all calls: who called whom. What is left out of the rows stays here.
    pub calls: CallTree,
    /// Caches, the busiest first.
    pub caches: Vec<CacheRow>,
    /// Pools, the busiest first.
    pub pools: Vec<PoolRow>,
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
