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
//! | file | what |
//! |---|---|
//! | `registry`, `cases` | the benchmarks of the program, and the cases of each |
//! | `bencher`, `loops`, `overhead` | what a benchmark hands over, the timed loops, and what these themselves take |
//! | `plan`, `measure` | how a benchmark is to be run, and how often that is |
//! | `waiting`, `optimised` | when a time says nothing of the code: the machine was busy, the compiler was not |
//! | `footprint`, `resident` | what calls allocate and what they keep, where the allocator tells and where only the system does |
//! | `proc_file` | numbers that Linux tells in files |
//! | `target_features` | what the processor has |
//! | `crew` | one benchmark on several threads at once |
//! | `work` | what a call works off, for throughputs |
//! | `check`, `size` | what a benchmark may return, and how large its input is |
//! | `stats`, `judge` | what samples say, and what is to be said of them |
//! | `growth` | one benchmark at all of its sizes |
//! | `run`, `own_thread`, `lock`, `exit` | one benchmark at a time, on a thread of its own, and none that ends all |
//! | `harness`, `arguments`, `reporter`, `libtest` | the contract with cargo, libtest and nextest |
//! | `interrupt`, `progress` | Ctrl-C, and how far a long run is |
//! | `table`, `growth_report` | the tables of a run |
//! | `chart`, `svg` | times and memory over sizes, drawn |
//! | `driver` | somebody else who says how often a loop runs: |
//! | `worker` | one side of `cargo perfkit compare`, by commands through a pipe |
//! | `instructions`, `instructions_report`, `counters` | counts by callgrind, and by the processor |
//! | `settings` | what holds for one benchmark |
//! | `suite`, `configuration` | `perfkit.toml`, and what becomes of the results of all (feature `bench`; without it, `suite_bare`) |
//! | `results` | runs that were saved (feature `bench`) |
//! | `criterion` | all of them under criterion (feature `criterion`) |
//! | `timeit` | a time in one line, without a benchmark |

mod arguments;
mod bencher;
mod cases;
mod chart;
mod check;
#[cfg(feature = "bench")]
pub mod configuration;
#[cfg_attr(not(all(feature = "perf-event", target_os = "linux")), path = "counters_absent.rs")]
mod counters;
mod crew;
#[cfg(feature = "criterion")]
pub mod criterion;
mod driver;
#[cfg_attr(not(unix), allow(dead_code, unused_imports, reason = "what only exit handlers read"))]
mod exit;
mod footprint;
mod growth;
mod growth_report;
mod harness;
mod instructions;
mod instructions_report;
mod interrupt;
mod judge;
mod libtest;
mod lock;
mod loops;
mod measure;
mod optimised;
mod overhead;
mod own_thread;
mod plan;
#[cfg(target_os = "linux")]
mod proc_file;
mod progress;
mod registry;
mod reporter;
mod resident;
#[cfg(feature = "bench")]
pub mod results;
mod run;
mod settings;
mod size;
mod stats;
#[cfg(feature = "bench")]
mod suite;
#[cfg(not(feature = "bench"))]
#[path = "suite_bare.rs"]
mod suite;
mod svg;
mod table;
mod target_features;
mod timeit;
mod waiting;
mod work;
mod worker;

pub use bencher::Bencher;
pub use harness::main;
pub use plan::{DEFAULT_ITERATIONS, DEFAULT_WARMUP};
pub use registry::{BenchmarkEntry, DEFAULT_TIMEOUT};
pub use timeit::{Timing, timeit};

#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
#[doc(hidden)]
pub use target_features::has_feature;
#[doc(hidden)]
pub use {
    cases::{Cases, set_up},
    check::{Check, LookAny, LookError, LookResult, Looked},
    inventory,
    judge::Class,
    libtest::{Failure, run_as_test},
    loops::Stopwatch,
    size::{LookSize, LookUnsized, Size, size_by, size_of},
    target_features::missing_feature,
    work::{Amount, counted},
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
