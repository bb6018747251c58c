//! placeholder

pub use perf_macros::{pooled, profile_block, profiled};
pub use perf_runtime::pool::{Pool, PoolStats, Pooled};
pub use perf_runtime::profile::{pause, resume};

/// What the attributes' expansions name. Not for people: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use perf_runtime::linkme;
    pub use perf_runtime::pool::{POOLS, Pool, PoolEntry, PoolStats, Pooled, PooledDefault, PooledObject};
    pub use perf_runtime::profile::{Frame, Profiled, call};
    pub use perf_runtime::site::{Site, name_of};
}
/// temp
pub fn report() -> perf_runtime::snapshot::Report {
    let rows = perf_runtime::profile::rows();
    let mut r = perf_runtime::snapshot::Report::default();
    r.functions = rows.functions;
    r.futures = rows.futures;
    r.threads = rows.threads;
    r.truncated = rows.truncated;
    r
}
pub use perf_runtime::profile::reset;
pub use perf_runtime::snapshot::{FunctionRow, FutureRow, Report};
