//! Gathers a [`Report`] from all collectors, and remembers what to leave out of the next ones.

use crate::clock;
use crate::snapshot::{CacheRow, FunctionRow, PoolRow, Report};
use crate::sync::Mutex;
use crate::{cache, first_use, order, pool, profile};

/// What caches and pools had counted at a moment.
#[derive(Clone)]
struct Base {
    caches: Vec<CacheRow>,
    pools: Vec<PoolRow>,
    /// In ticks; 0 for the beginning.
    since: u64,
}

impl Base {
    fn now() -> Self {
        Base { caches: cache::rows(), pools: pool::rows(), since: clock::now() }
    }
}

/// At the last [`reset`]. The profiler remembers its own.
static BASE: Mutex<Base> = Mutex::new(Base { caches: Vec::new(), pools: Vec::new(), since: 0 });

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
    let base = BASE.lock().clone();
    gather(now, profile::rows(), &base)
}

/// Runs `operation` and reports what was measured meanwhile: the twenty functions that took longest in themselves, and the ten that allocated most
/// (where the program's allocator is an [`Alloc`](crate::memory::Alloc)).
///
/// That is what all threads measured meanwhile. Reports of the whole run have it in them as well, and [`reset`] is not needed.
///
/// ```
/// # use perf_runtime::session as perfkit;
/// let (sum, report) = perfkit::profile_operation(|| (0..100).sum::<u32>());
/// assert_eq!(sum, 4950);
/// println!("{report}");
/// ```
///
/// A panic of `operation` is passed on, and then there is no report.
pub fn profile_operation<R>(operation: impl FnOnce() -> R) -> (R, Report) {
    first_use::announce();
    let mut base = Base::now();
    let mark = profile::Mark::now();
    base.since = clock::now();
    let result = operation();
    let now = clock::now();
    let mut report = gather(now, profile::rows_since(Some(&mark)), &base);
    keep_the_largest(&mut report);
    report.caches.retain(|row| row.hits + row.misses > 0);
    report.pools.retain(|row| row.borrowed > 0);
    (result, report)
}

/// Of the functions, which are sorted by their self time.
fn keep_the_largest(report: &mut Report) {
    const LONGEST: usize = 20;
    const ALLOCATORS: usize = 10;
    let bytes = |row: &FunctionRow| row.memory.map_or(0, |memory| memory.own.bytes);
    let mut sizes: Vec<u64> = report.functions.iter().map(bytes).collect();
    order::sort(&mut sizes, |a, b| b.cmp(a));
    let least = sizes.get(ALLOCATORS - 1).map_or(1, |size| (*size).max(1));
    let mut place = 0;
    report.functions.retain(|row| {
        place += 1;
        place <= LONGEST || bytes(row) >= least
    });
}

/// What was measured up to `now`, without what `base` and whoever made `rows` leave out.
fn gather(now: u64, rows: profile::Rows, base: &Base) -> Report {
    let since = base.since.max(clock::origin());
    let wall = clock::rate().duration(now.saturating_sub(since));
    let mut functions = rows.functions;
    // A profile knows what was measured. What part of the run that is can only be said here.
    for row in &mut functions {
        row.share = if wall.is_zero() { 0.0 } else { row.self_time.div_duration_f64(wall) };
    }
    order::sort(&mut functions, |a, b| {
        b.self_time.cmp(&a.self_time).then_with(|| b.calls.cmp(&a.calls)).then_with(|| a.name.cmp(&b.name))
    });
    let mut futures = rows.futures;
    order::sort(&mut futures, |a, b| b.busy.cmp(&a.busy).then_with(|| a.name.cmp(&b.name)));
    let mut caches = cache::rows();
    for cache in &mut caches {
        if let Some(earlier) = base.caches.iter().find(|row| row.is_same(cache)) {
            cache.subtract(earlier);
        }
    }
    let mut pools = pool::rows();
    for pool in &mut pools {
        if let Some(earlier) = base.pools.iter().find(|row| row.is_same(pool)) {
            pool.subtract(earlier);
        }
    }
    let lookups = |row: &CacheRow| row.hits + row.misses;
    order::sort(&mut caches, |a, b| lookups(b).cmp(&lookups(a)).then_with(|| a.name.cmp(&b.name)));
    order::sort(&mut pools, |a, b| b.borrowed.cmp(&a.borrowed).then_with(|| a.name.cmp(&b.name)));
    Report {
        wall,
        overhead: rows.overhead,
        threads: rows.threads,
        truncated: rows.truncated,
        functions,
        futures,
        calls: rows.calls,
        caches,
        pools,
    }
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
    let base = Base::now();
    profile::reset();
    *BASE.lock() = Base { since: clock::now(), ..base };
}
