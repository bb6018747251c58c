//! Attributes that profile, cache, pool and benchmark a function, and print the tables.
//!
//! ```
//! use perfkit::profiled;
//!
//! #[profiled]
//! fn parse(line: &str) -> Result<u32, std::num::ParseIntError> {
//!     line.trim().parse()
//! }
//!
//! for line in ["1", "2", "three"] {
//!     let _ = parse(line);
//! }
//! println!("{}", perfkit::report());
//! ```
//!
//! Or leave the program as it is and run it with `PERFKIT=table`: the tables come when it ends.
//!
//! | attribute | gives |
//! |---|---|
//! | [`#[profiled]`](macro@profiled) | calls, self and total time, percentiles, panics, errors, McCabe's complexity; futures by polls |
//! | [`#[cached]`](macro@cached) | results kept, one computation per key |
//! | [`#[pooled]`](macro@pooled) | objects used again instead of made again |
//! | [`#[benchmark]`](macro@benchmark) | a promise of speed that `cargo test` holds |
//!
//! and [`profile_block!`] for a part of a function. Reports come
//!
//! * when they are asked for: [`report()`], as data, [table](Report::to_table) or [JSON](Report::to_json);
//! * of one operation: [`profile_operation()`];
//! * at the end of a scope: [`session()`];
//! * at the end of the process: `PERFKIT=table`, whose reference is at [`environment`].
//!
//! [`timeit()`] tells how long a piece of code takes, in one line.
//!
//! [`caches()`] are all caches of the program, to look at, clear and resize; [`cache`] has what concerns several of them.
//!
//! [`pause`] and [`resume`] leave a part of the run out, [`reset`] leaves out all of it up to now.
//!
//! # Features
//!
//! * `profile` (on by default): without it `#[profiled]` and `profile_block!` leave the code as it was.
//! * `bench`: what `cargo bench` measures is saved and compared with the last runs; baselines; `perfkit.toml`. See `configuration` and `results`. For
//!   `[dev-dependencies]`, since it brings serde.
//! * `criterion`: every benchmark under criterion, too, for its plots. See `criterion`.
//! * `perf-event`: `cargo bench -- --counters` shows what the processor counts in a call, where Linux lets it.
//! * `regex`: [`Report`] has `matching`, which keeps the rows that a regular expression matches.
//! * `memcached`, `redis`: results shared between processes through a server; futures need a tokio runtime. See `remote`.
//! * `disk`: results kept in a file.
//! * `all-sites`: reports list the profiled functions that were never called, too. It costs a second of compile time for each thousand of them.

pub mod cache;
pub mod environment;
mod profile_block;

#[cfg(feature = "criterion")]
pub use perf_bench::criterion;
pub use perf_bench::{Bencher, Timing, bench_main, timeit};
#[cfg(feature = "bench")]
pub use perf_bench::{configuration, results};
pub use perf_macros::{benchmark, cached, pooled, profiled};
#[cfg(any(feature = "memcached", feature = "redis", feature = "disk"))]
pub use perf_runtime::cache::remote::{Remote, RemoteStats, SharedCacheHandle, remote};
pub use perf_runtime::cache::{CacheHandle, CacheRef, CacheStats, Caches, LocalCacheHandle, Weigh, caches};
pub use perf_runtime::memory::Alloc;
pub use perf_runtime::pool::{Pool, PoolStats, Pooled};
pub use perf_runtime::profile::{pause, paused, resume, set_budget};
pub use perf_runtime::session::{ReportError, Session, profile_operation, report, reset, session};
#[cfg(feature = "regex")]
pub use perf_runtime::snapshot::PatternError;
pub use perf_runtime::snapshot::{
    CacheRow, CallEdge, CallNode, CallTree, Estimate, Function, FunctionRow, FutureRow, Latency, Location,
    MemoryUse, Name, PoolRow, RemoteRow, Report, Requests, SortBy, UnknownColumn,
};

// Runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

/// What the attributes' expansions name. Not for people: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use perf_bench::{
        Amount, BenchmarkEntry, Cases, Class, Failure, LookAny, LookError, LookResult, LookSize, LookUnsized,
        Looked, Size, counted, has_feature, inventory, missing_feature, optimised, run_as_test, set_up,
        size_by, size_of,
    };
    pub use perf_macros::profile_block;
    #[cfg(any(feature = "memcached", feature = "redis", feature = "disk"))]
    pub use perf_runtime::cache::remote::{
        Codec, Kind, Later, RemoteStats, Shared, SharedBinding, SharedCacheHandle, by_shared,
        shared_argument, shared_expression,
    };
    pub use perf_runtime::cache::{
        Binding, CacheHandle, CacheSite, CacheStats, Found, FoundAhead, Instance, LocalBinding,
        LocalCacheHandle, Policy, apart, argument, background, by, expression, glance, local_ways as local,
        look_up, look_up_ahead, look_up_ahead_unless, look_up_local, look_up_local_unless, look_up_seen,
        look_up_unless, prime_all, probe, probe_err, probe_fallible, probe_none, probe_weight, weigh_by,
        weighed_with,
    };
    #[cfg(feature = "all-sites")]
    pub use perf_runtime::linkme;
    pub use perf_runtime::pool::{Pool, PoolEntry, PoolStats, Pooled, PooledDefault, PooledObject};
    pub use perf_runtime::profile::{Body, Frame, Outcome, Profiled, boxed, call, once, value};
    #[cfg(feature = "all-sites")]
    pub use perf_runtime::site::SITES;
    pub use perf_runtime::site::{Sampling, Site, name_of};
}
