//! What strict mode holds the process to beside its benchmarks: memory before and during the run, and what its caches answer.
//!
//! Where the system does not tell, nothing is held and that is said.

use perf_runtime::cache::caches;
use perf_runtime::show::units::{bytes, percent};

use super::file::DefaultTargets;

/// Lookups before a cache's ratio says anything.
const ENOUGH_LOOKUPS: u64 = 1_000;

/// Memory of the process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Resident {
    now: u64,
    peak: u64,
}

impl Resident {
    /// As the system tells it.
    pub(super) fn read() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/self/status").ok()?)
    }

    fn parse(status: &str) -> Option<Self> {
        let kilobytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        Some(Resident { now: kilobytes("VmRSS:")? << 10, peak: kilobytes("VmHWM:")? << 10 })
    }
}

/// What is not as the default targets say.
pub(super) fn failures(
    idle: Option<Resident>,
    end: Option<Resident>,
    targets: &DefaultTargets,
) -> Vec<String> {
    let mut failures = Vec::new();
    let size = |size: u64| bytes(i64::try_from(size).unwrap_or(i64::MAX));
    match (idle, end) {
        (Some(idle), Some(end)) => {
            let taken = [
                ("before the first benchmark", idle.now, "memory_idle", targets.memory_idle),
                ("at its most", end.peak, "memory_peak", targets.memory_peak),
            ];
            for (when, taken, name, most) in taken {
                if taken > most {
                    failures.push(format!(
                        "the program took {} of memory {when}, and `{name}` is {}",
                        size(taken),
                        size(most)
                    ));
                }
            }
        }
        _ => failures.push(
            "this system does not tell how much memory the program takes, so that cannot be held".to_owned(),
        ),
    }
    for cache in caches().list() {
        let stats = cache.stats();
        if let Some(ratio) = stats.hit_ratio()
            && stats.hits + stats.misses >= ENOUGH_LOOKUPS
            && ratio < targets.cache_hit_ratio
        {
            failures.push(format!(
                "the cache `{}` answered {} of its lookups, and `cache_hit_ratio` is {}",
                cache.name(),
                percent(ratio),
                percent(targets.cache_hit_ratio)
            ));
        }
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_of_memory() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t     1024 kB\n";
        assert_eq!(Resident::parse(status), Some(Resident { now: 1 << 20, peak: 2 << 20 }));
        assert_eq!(Resident::parse("Name: x\n"), None);
    }

    #[test]
    fn memory_is_held() {
        let targets =
            DefaultTargets { memory_idle: 1 << 20, memory_peak: 4 << 20, ..DefaultTargets::DEFAULT };
        let taken = |now, peak| Some(Resident { now, peak });
        assert!(failures(taken(1 << 20, 1 << 20), taken(1 << 20, 4 << 20), &targets).is_empty());
        let failures = failures(taken(2 << 20, 2 << 20), taken(1, 5 << 20), &targets);
        assert_eq!(failures.len(), 2, "{failures:?}");
        assert!(
            failures[0]
                .contains("2.00 MiB of memory before the first benchmark, and `memory_idle` is 1.00 MiB")
        );
        assert!(failures[1].contains("5.00 MiB of memory at its most"));
    }
}
