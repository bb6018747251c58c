//! One profiled function, and one profiled future.

use core::time::Duration;

use super::{Location, Name};

/// What is known of one profiled function or block, over all threads.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FunctionRow {
    /// Crate, modules, type, trait and function; or the label given by `name = "…"`.
    pub name: Name,
    /// Where it is defined.
    pub location: Location,
    /// McCabe's cyclomatic complexity; `None` for a block.
    pub cyclomatic: Option<u32>,
    /// Calls that ended, in whatever way.
    pub calls: u64,
    /// Those of them that were not made, directly or indirectly, by the function itself.
    pub primitive_calls: u64,
    /// Calls still running; their time up to now is in `self_time` and `total_time`.
    pub in_flight: u64,
    /// Calls that ended by a panic.
    pub panics: u64,
    /// Calls that returned `Err`, of functions whose outcome is counted.
    pub errors: u64,
    /// Time in the function itself, without the profiled functions it called.
    pub self_time: Duration,
    /// Time in the function and all it called; the outermost frame of a recursion counts once.
    pub total_time: Duration,
    /// `self_time` as a share of the run, that is of [`Report::wall`](super::Report::wall): 0.5 for half of it. Threads that run at once each
    /// add theirs, so it can be above 1; where the shares of all rows add up to little, little of the run is profiled.
    pub share: f64,
    /// How long one call took.
    pub latency: Latency,
    /// How sure the times are, where not every call was timed, of the function or of what it calls; `None` where they are exact.
    pub estimate: Option<Estimate>,
    /// What it allocated; `None` unless the program's global allocator is an [`Alloc`](crate::memory::Alloc).
    pub memory: Option<MemoryUse>,
}

/// How sure times are that are estimated from a sample of the calls. Each interval holds the truth in 95 of 100 cases, if the calls that were timed
/// are like the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Estimate {
    /// Calls that were timed, of all. The latencies are theirs.
    pub timed_calls: u64,
    /// The self time is within so much of the one given.
    pub self_error: Duration,
    /// The total time is within so much of the one given.
    pub total_error: Duration,
}

/// What a function allocated, over all threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryUse {
    /// By the function itself.
    pub own: Requests,
    /// By the function and all it called; the outermost frame of a recursion counts once.
    pub total: Requests,
    /// The most that one call held at a time, with all it called and the calls that it made to itself directly: how far what was allocated less what
    /// was freed rose above what it was when the call began, or at a reset since then. Since the last reset; of a future, in one poll. In the report of one
    /// operation, where a call held more before: what was allocated meanwhile, at most.
    pub peak_bytes: u64,
}

/// Requests to the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requests {
    /// Allocations, and reallocations that grew.
    pub allocations: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Bytes allocated less bytes freed: what was still there when the calls ended. Less than zero where more was freed than allocated, such as
    /// what others allocated.
    pub net_bytes: i64,
}

/// One profiled future, over all threads.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FutureRow {
    /// As in [`FunctionRow`].
    pub name: Name,
    /// Where it is defined.
    pub location: Location,
    /// Futures polled at least once.
    pub started: u64,
    /// Futures that ran to their end.
    pub completed: u64,
    /// Futures dropped after their first poll and before their end.
    pub dropped: u64,
    /// Polls of all of them.
    pub polls: u64,
    /// The sum of the times of all polls.
    pub busy: Duration,
    /// From the first poll to completion, of those that completed.
    pub wall: Latency,
}

/// The distribution of a duration. Percentiles are within 1/32 of the truth, the rest is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
#[non_exhaustive]
pub struct Latency {
    pub min: Duration,
    pub mean: Duration,
    pub p50: Duration,
    pub p95: Duration,
    pub p99: Duration,
    pub p999: Duration,
    pub max: Duration,
}
