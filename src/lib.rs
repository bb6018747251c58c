//! placeholder

pub use perf_macros::{profile_block, profiled};
pub use perf_runtime::profile::{pause, resume};

/// What the attributes' expansions name. Not for people: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use perf_runtime::profile::{Frame, Profiled, call};
    pub use perf_runtime::site::{Site, name_of};
}
