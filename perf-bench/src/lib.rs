//! The benchmark harness of [perfkit](https://docs.rs/perfkit): finds the benchmarks that `#[benchmark]` submitted, runs them, judges them.
//!
//! Users depend on `perfkit`, which re-exports what they need. Two ways lead in, and both speak libtest's language:
//!
//! * in any crate, with nothing in its `Cargo.toml`: the `#[test]` that each `#[benchmark]` brings with it runs it under `cargo test`;
//! * in a target with `harness = false`, [`bench_main!`] is the program: `cargo bench` measures, `cargo test` judges.
//!
//! | file | what |
//! |---|---|
//! | `registry` | the benchmarks of the program |
//! | `bencher`, `measure` | the timed loops, and how often they run |
//! | `waiting`, `optimised` | when a time says nothing of the code: the machine was busy, the compiler was not |
//! | `target_features` | what the processor has |
//! | `check` | what a benchmark may return |
//! | `stats`, `judge` | what samples say, and what is to be said of them |
//! | `run`, `own_thread`, `lock`, `exit` | one benchmark at a time, on a thread of its own, and none that ends all |
//! | `harness`, `arguments`, `reporter`, `libtest` | the contract with cargo, libtest and nextest |
//! | `table` | the table of a run |
//! | `settings` | what holds for one benchmark |
//! | `suite`, `configuration` | `perfkit.toml`, and what becomes of the results of all (feature `bench`; without it, `suite_bare`) |
//! | `results` | runs that were saved (feature `bench`) |
//! | `criterion` | all of them under criterion (feature `criterion`) |
//! | `timeit` | a time in one line, without a benchmark |

mod arguments;
mod bencher;
mod check;
#[cfg(feature = "bench")]
pub mod configuration;
#[cfg(feature = "criterion")]
pub mod criterion;
#[cfg_attr(not(unix), allow(dead_code, unused_imports, reason = "what only exit handlers read"))]
mod exit;
mod harness;
mod judge;
mod libtest;
mod lock;
mod measure;
mod optimised;
mod own_thread;
mod registry;
mod reporter;
#[cfg(feature = "bench")]
pub mod results;
mod run;
mod settings;
mod stats;
#[cfg(feature = "bench")]
mod suite;
#[cfg(not(feature = "bench"))]
#[path = "suite_bare.rs"]
mod suite;
mod table;
mod target_features;
mod timeit;
mod waiting;

pub use bencher::Bencher;
pub use harness::main;
pub use measure::{DEFAULT_ITERATIONS, DEFAULT_WARMUP};
pub use registry::{BenchmarkEntry, DEFAULT_TIMEOUT};
pub use timeit::{Timing, timeit};

#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
#[doc(hidden)]
pub use target_features::has_feature;
#[doc(hidden)]
pub use {
    bencher::Stopwatch,
    check::{Check, LookAny, LookError, LookResult, Looked},
    inventory,
    libtest::{Failure, run_as_test},
    registry::{Cases, set_up},
    target_features::missing_feature,
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
/// targets. `cargo bench -- --help` tells the options. A package that has only a `main.rs` has no crate to name: its benchmarks go into a
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
