//! placeholder

pub use perf_macros::{pooled, profile_block, profiled};
pub use perf_runtime::pool::{Pool, PoolStats, Pooled};
pub use perf_runtime::profile::{pause, resume};
pub use perf_runtime::session::{Session, report, reset, session};
pub use perf_runtime::snapshot::{FunctionRow, FutureRow, Report};

/// What the attributes' expansions name. Not for people: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use perf_runtime::linkme;
    pub use perf_runtime::pool::{POOLS, Pool, PoolEntry, PoolStats, Pooled, PooledDefault, PooledObject};
    pub use perf_runtime::profile::{Frame, Profiled, call};
    pub use perf_runtime::site::{Site, name_of};
}
