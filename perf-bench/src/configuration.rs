//! A page without code: the reference of `perfkit.toml`, of what goes above it, and of strict mode (feature `bench`).
//!
//! The feature is for those who build benchmarks, so it stands with the dependencies of tests:
//!
//! ```toml
//! [dependencies]
//! perfkit = "0.1"
//!
//! [dev-dependencies]
//! perfkit = { version = "0.1", features = ["bench"] }
//! ```
//!
//! # The file
//!
//! `perfkit.toml` is looked for beside the package's `Cargo.toml`, and then where its workspace has its `Cargo.lock`; the first that is there is read, and no other. (Cargo and nextest
//! tell a benchmark its package, by the variable `CARGO_MANIFEST_DIR`. Of a program that is run by hand it is the current directory.) Without the feature it is not read, and a line on standard error says so.
//!
//! All of it may be left out; these are the defaults, but for the targets:
//!
//! ```toml
//! strict = false
//!
//! [defaults]                     # for benchmarks whose attribute does not say
//! iterations = 100               # samples of `cargo bench`; without this line, fewer where calls are slow
//! warmup = 10                    # calls before the first sample; without this line, more where that is over in no time
//! timeout = "30s"                # of one benchmark
//!
//! [targets]                      # by name, of a benchmark or of one of its cases; above what the attribute says
//! "my_crate::parse" = "2 ms"
//! "my_crate::sort/1000" = "40 us"
//! "my_crate::start" = "start_up" # a default target
//!
//! [default_targets]
//! start_up = "1000 ms"
//! simple_call = "1 ms"
//! complex_call = "100 ms"
//! throughput = 10_000            # calls in a second
//! memory_idle = "50MB"
//! memory_peak = "500MB"
//! cache_hit_ratio = 0.85
//!
//! [suite]
//! timeout = "300s"               # of all benchmarks of a program; those that are left then fail
//!
//! [results]
//! directory = "target/perfkit"   # below this file; without this line, in the target directory, wherever that is
//! keep = 100                     # runs of a program; of 64 MiB at most
//! save = true                    # what `cargo bench` measures
//!
//! [baseline]                     # per cent
//! regression = 20
//! high_regression = 50
//! improvement = 10
//! outside = 10                   # beyond all of the last runs by so much, or by what they differ by
//! instructions = 1               # counted by `--instructions`: so many more than in a baseline fail
//! runs = 10                      # the last runs
//! ```
//!
//! What is not understood, such as a key that there is not, is an error with its line and column, and nothing is run. A target for a benchmark that there is not is told of, where its crate's benchmarks are in
//! the program. A target that stands above another is told of below the table.
//!
//! # What stands above what
//!
//! `[defaults]` < the attribute < `[targets]` < the environment < the command line. The environment and the command line have the same words:
//!
//! | command line | environment | |
//! |---|---|---|
//! | `--iterations N` | `PERFKIT_ITERATIONS` | samples of a benchmark |
//! | `--warmup N` | `PERFKIT_WARMUP` | calls before the first sample |
//! | `--timeout TIME` | `PERFKIT_TIMEOUT` | of a benchmark |
//! | `--suite-timeout TIME` | `PERFKIT_SUITE_TIMEOUT` | of all of them |
//! | `--strict` | `PERFKIT_STRICT=1` | strict mode |
//! | `--results DIR` | `PERFKIT_RESULTS` | where results are saved |
//! | `--fail-above PERCENT` | `PERFKIT_FAIL_ABOVE` | of counted instructions, with its `%`: see below |
//! | `--no-save` | | do not save this run |
//! | `--save-baseline NAME`, `--baseline NAME`, `--list-baselines` | | see below |
//!
//! A time is a number with its unit (`ns`, `us`, `ms`, `s`, `m`, `h`), or of seconds. `cargo bench --bench speed -- --strict`: options are for one target, since others may not know them. Where libtest runs the
//! benchmarks, under plain `cargo test`, there is no command line, and what concerns all of them together (the suite's timeout, saved results, strict mode but for targets) is left out.
//!
//! # Baselines
//!
//! Each `cargo bench` is saved, and compared with the last runs of the same program, profile and machine: with the one of them whose median is the middle one. A second table has the change of the median, its 95 % interval (by
//! bootstrap of the samples of both), and from where to where the medians of the last runs were. `--save-baseline NAME` gives the run a name, and keeps with it what the runs before it were;
//! `--baseline NAME` compares with that one. Saving again replaces it.
//!
//! | verdict | when |
//! |---|---|
//! | regression, high regression | more than 20 %, 50 % slower |
//! | improvement | more than 10 % quicker |
//! | too few runs | fewer than five to compare with, the baseline's own included |
//!
//! and only if the interval excludes that nothing has changed, and both the median and the best sample are beyond those of all the last runs by more than 10 %. Two runs of the same code differ by more than the interval of
//! either knows, so the verdicts **inform, and fail nothing**. A baseline of another machine gives none; a machine is its processor, cores, system and host.
//! Under `cargo nextest bench` each benchmark is a run of its own, so that fewer of each are kept.
//! What fails a run is what it promises (`target_ms`), or counts. To compare two revisions, `cargo perfkit compare` measures them in turn.
//!
//! Counts repeat. `--instructions --save-baseline NAME` saves what a call takes, and `--instructions --baseline NAME` **fails** each benchmark that takes more than 1 % more: `--fail-above 0.5%` for one run, or
//! `instructions = 0.5` below `[baseline]`. Without `--baseline` the run is compared with the last one, which informs. All of that lies beside the times, in a directory of its own, so that a baseline of times and one of counts may
//! have the same name, and neither takes the other's place. Counts are of a kind of processor, for which the C library has its own code, and of a profile: beside a baseline of another kind or profile nothing fails, and the table says
//! so. The same kind in another machine will do. A baseline of another compiler is compared, and the table says that too.
//!
//! # Strict mode
//!
//! * A benchmark without a target is held to `complex_call`. A higher target that is meant is written: in the attribute, or in `[targets]`.
//! * `memory_idle` is held before the first benchmark, `memory_peak` over the whole run (Linux tells both), and `cache_hit_ratio` by each cache that was asked a thousand times and more.
//! * What is otherwise only told fails the run: a target for no benchmark, a saved run that cannot be read, a run that cannot be saved.
//!
//! In unoptimised code times are not judged in strict mode either. A change of times since a baseline fails nothing in strict mode either.
