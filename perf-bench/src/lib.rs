//! The benchmark harness of [perfkit](https://docs.rs/perfkit): finds the benchmarks that `#[benchmark]` submitted, runs them, judges them.
//!
//! Users depend on `perfkit`, which re-exports what they need. Two ways lead in, and both speak libtest's language:
//!
//! * in any crate, with nothing in its `Cargo.toml`: the `#[test]` that each `#[benchmark]` brings with it runs it under `cargo test`;
//! * in a target with `harness = false`, [`bench_main!`] is the program: `cargo bench` measures, `cargo test` judges.
//!
//! Everything here is `#[inline]`, which is not for speed: it is then compiled in the programs that run benchmarks, and not for all who depend on perfkit. It was a tenth of what their build
//! took.
//!
//! A benchmark goes through these from above to below:
//!
//! | folder | what |
//! |---|---|
//! | `harness` | the contract with cargo, libtest and nextest: what is to be run, and what is said |
//! | `registry` | the benchmarks of the program, the cases of each, what their attributes say |
//! | `run` | one benchmark at a time, on a thread of its own, at all of its sizes |
//! | `measure` | the timed loops, samples, allocations, memory that is kept |
//! | `stats`, `judge` | what samples say, and what is to be said of them |
//! | `show` | tables and charts |
//! | `suite`, `configuration` | `perfkit.toml`, and what becomes of the results of all (feature `bench`; without it, `suite_bare`) |
//! | `results` | runs that were saved (feature `bench`) |
//! | `driven` | somebody else says how often a loop runs: `cargo perfkit compare`, callgrind, the processor's counters, criterion |
//! | `timeit` | a time in one line, without a benchmark |

#[cfg(feature = "bench")]
pub mod configuration;
mod driven;
mod harness;
mod judge;
mod measure;
mod registry;
#[cfg(feature = "bench")]
pub mod results;
mod run;
mod show;
mod stats;
#[cfg(feature = "bench")]
mod suite;
#[cfg(not(feature = "bench"))]
#[path = "suite_bare.rs"]
mod suite;
mod timeit;

#[cfg(feature = "criterion")]
pub use driven::criterion;
pub use harness::program::main;
pub use measure::bencher::Bencher;
pub use measure::plan::{DEFAULT_ITERATIONS, DEFAULT_WARMUP};
pub use registry::entry::{BenchmarkEntry, DEFAULT_TIMEOUT};
pub use timeit::{Timing, timeit};

#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
#[doc(hidden)]
pub use registry::target_features::has_feature;
#[doc(hidden)]
pub use {
    harness::libtest::{Failure, run_as_test},
    inventory,
    judge::Class,
    measure::{
        check::{Check, LookAny, LookError, LookResult, Looked},
        loops::Stopwatch,
        work::{Amount, counted},
    },
    registry::{
        cases::{Cases, set_up},
        size::{LookSize, LookUnsized, Size, size_by, size_of},
        target_features::missing_feature,
    },
};

/// The whole program of a benchmark target.
///
/// In `Cargo.toml`:
///
/// ```toml
/// [[bench]]
/// name = "speed"
/// harness = false
/// ```
///
/// and in `benches/speed.rs`:
///
/// ```no_run
/// use perf_runtime as _; // the crates whose benchmarks are to run, named or they are not linked
///
/// perf_bench::bench_main!();
/// ```
///
/// `cargo bench` measures all benchmarks of the crates named, and those in the file itself. `cargo test --benches` judges their
/// targets. `cargo bench --bench speed -- --help` tells the options. A package that has only a `main.rs` has no crate to name: its benchmarks go into a
/// `lib.rs` that `main.rs` uses, or into the file itself.
#[macro_export]
macro_rules! bench_main {
    () => {
        // Only libtest's harness compiles this, and with that one `main` would never run.
        #[::core::prelude::v1::test]
        fn bench_main_needs_harness_false() {
            const _: () = ::core::panic!(
                "`bench_main!` is a whole program: write `harness = false` below `[[bench]]` in Cargo.toml"
            );
        }

        fn main() -> ::std::process::ExitCode {
            $crate::main()
        }
    };
}
