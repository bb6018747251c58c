//! All pools of the program, also those never used.
//!
//! The linker collects the entries (`inventory`), so there is nothing to lock and nothing to initialise.

use super::PoolStats;
use crate::site::Site;
use crate::snapshot::{Location, PoolRow};

inventory::collect!(PoolEntry);

/// One pool, with its type erased. Built by generated code as a `static`.
#[derive(Debug)]
pub struct PoolEntry {
    site: &'static Site,
    stats: fn() -> PoolStats,
}

impl PoolEntry {
    /// The pool at `site`, whose counters `stats` reads.
    #[must_use]
    pub const fn new(site: &'static Site, stats: fn() -> PoolStats) -> Self {
        Self { site, stats }
    }

    fn row(&self) -> PoolRow {
        let Self { site, stats } = self;
        let stats = stats();
        PoolRow {
            name: site.name(),
            location: Location { file: site.file(), line: site.line(), column: site.column() },
            borrowed: stats.borrowed,
            reused: stats.reused,
            created: stats.created,
            returned: stats.returned,
            discarded: stats.discarded,
            taken: stats.taken,
            idle: stats.idle,
            in_use: stats.in_use,
            peak_in_use: stats.peak_in_use,
            max_size: stats.max_size,
        }
    }
}

/// What all pools counted since the program started, in no particular order.
#[must_use]
pub fn rows() -> Vec<PoolRow> {
    inventory::iter::<PoolEntry>().map(PoolEntry::row).collect()
}
