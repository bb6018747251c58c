//! What holds for one benchmark: what its attribute says, and what stands above and below that.

use core::time::Duration;

use crate::judge::Target;
use crate::registry::BenchmarkEntry;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) target: Option<Target>,
    /// Where the target is from, if not from the attribute: "perfkit.toml, instead of 1 ms".
    pub(crate) target_from: Option<String>,
    pub(crate) iterations: Option<u64>,
    pub(crate) warmup: Option<u64>,
    pub(crate) timeout: Duration,
}

impl Settings {
    /// As the attribute says.
    #[inline]
    pub(crate) fn of_attribute(entry: &BenchmarkEntry) -> Self {
        Settings {
            target: entry.target,
            target_from: None,
            iterations: entry.iterations,
            warmup: entry.warmup,
            timeout: entry.timeout,
        }
    }
}
