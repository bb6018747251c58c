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
//! | `bencher`, `measure` | the timed loop, and how often it runs |
//! | `stats`, `judge` | what samples say, and what is to be said of them |
//! | `run`, `lock` | one benchmark at a time, on a thread of its own |
//! | `harness`, `arguments`, `reporter`, `libtest` | the contract with cargo, libtest and nextest |
//! | `table` | the table of a run |

mod arguments;
mod bencher;
mod harness;
mod judge;
mod libtest;
mod lock;
mod measure;
mod registry;
mod reporter;
mod run;
mod stats;
mod table;
mod timeit;

pub use bencher::Bencher;
pub use harness::main;
pub use libtest::{Failure, run_as_test};
pub use registry::{BenchmarkEntry, DEFAULT_TIMEOUT, argument, case_name};
pub use stats::Summary;
pub use timeit::{Timing, timeit};

#[doc(hidden)]
pub use inventory;

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
