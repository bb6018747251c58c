//! Gathers a [`Report`] from all collectors, and remembers what to leave out of the next ones.

use crate::clock;
use crate::snapshot::{CacheRow, PoolRow, Report};
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::{cache, first_use, pool, profile};

/// What stood in the rows at the last [`reset`].
struct Base {
    caches: Vec<CacheRow>,
    pools: Vec<PoolRow>,
}

static BASE: Mutex<Base> = Mutex::new(Base { caches: Vec::new(), pools: Vec::new() });
/// Ticks at the last reset; 0 for the beginning.
static SINCE: AtomicU64 = AtomicU64::new(0);

/// Everything measured since the process began, or since [`reset`], as it stands now.
///
/// Threads go on while it is made. It takes some microseconds per function; the first one takes a few milliseconds more, in which the
/// profiler measures itself.
///
/// ```
/// # use perf_runtime::session as perfkit;
/// let report = perfkit::report();
/// println!("{report}");
/// ```
#[must_use]
pub fn report() -> Report {
    first_use::announce();
    let now = clock::now();
    let rows = profile::rows();
    let since = SINCE.load(Ordering::Relaxed).max(clock::origin());
    let wall = clock::rate().duration(now.saturating_sub(since));
    let mut functions = rows.functions;
    // A profile knows what was measured. What part of the run that is can only be said here.
    for row in &mut functions {
        row.share = if wall.is_zero() { 0.0 } else { row.self_time.div_duration_f64(wall) };
    }
    functions.sort_by(|a, b| {
        b.self_time.cmp(&a.self_time).then_with(|| b.calls.cmp(&a.calls)).then_with(|| a.name.cmp(&b.name))
    });
    let mut futures = rows.futures;
    futures.sort_by(|a, b| b.busy.cmp(&a.busy).then_with(|| a.name.cmp(&b.name)));
    let mut caches = cache::rows();
    let mut pools = pool::rows();
    {
        let base = BASE.lock();
        for cache in &mut caches {
            if let Some(earlier) = base.caches.iter().find(|row| row.is_same(cache)) {
                cache.subtract(earlier);
            }
        }
        for pool in &mut pools {
            if let Some(earlier) = base.pools.iter().find(|row| row.is_same(pool)) {
                pool.subtract(earlier);
            }
        }
    }
    let lookups = |row: &CacheRow| row.hits + row.misses;
    caches.sort_by(|a, b| lookups(b).cmp(&lookups(a)).then_with(|| a.name.cmp(&b.name)));
    pools.sort_by(|a, b| b.borrowed.cmp(&a.borrowed).then_with(|| a.name.cmp(&b.name)));
    Report { wall, threads: rows.threads, truncated: rows.truncated, functions, futures, caches, pools }
}

/// Begins anew: later reports leave out what was measured up to now. What caches and pools hold stays, and is shown.
///
/// Of a call that is running, self and total time begin anew, too; when it ends it counts among the calls. Threads go on meanwhile.
///
/// ```
/// # use perf_runtime::session as perfkit;
/// // … what the program does to begin …
/// perfkit::reset();
/// // … what is to be measured …
/// println!("{}", perfkit::report());
/// ```
pub fn reset() {
    let base = Base { caches: cache::rows(), pools: pool::rows() };
    profile::reset();
    *BASE.lock() = base;
    SINCE.store(clock::now(), Ordering::Relaxed);
}
