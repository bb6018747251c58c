//! Runs of benchmarks that were saved, and what they say of the past: feature `bench`.
//!
//! `cargo bench` saves each run as one file of JSON under `target/perfkit`:
//!
//! ```text
//! target/perfkit/runs/PROGRAM/1764288000123-4711.json    the last 100 runs of a program, by the time and the process
//! target/perfkit/baselines/NAME/PROGRAM.json             a run that was given a name: --save-baseline NAME
//! target/perfkit/instructions/                           the same two of what `--instructions` counted
//! ```
//!
//! A *program* is a benchmark target, such as `my_crate-speed`: the package and the target.
//!
//! # The schema, version 1
//!
//! One object, of which a reader needs no more than it knows: within a version members are only added, and those that it does not know are to be
//! skipped. What is marked "maybe" is left out where it is not known. All times are nanoseconds per call.
//!
//! | member | type | meaning |
//! |---|---|---|
//! | `format` | text | `"perfkit-run"`: what kind of file this is |
//! | `schema` | number | 1 |
//! | `perfkit` | text | the version of perfkit that wrote it |
//! | `unix_ms` | number | when the run ended, in milliseconds since 1970 |
//! | `program` | text | what ran |
//! | `mode` | text | `"measure"` (`cargo bench`), `"test"` or `"instructions"` |
//! | `machine` | object | `cpu`, `cores`, `os`, `kernel`, `host` (a hash that tells one machine from another and not which it is) |
//! | `build` | object | `rustc` (maybe), `profile` (maybe) |
//! | `commit` | object, maybe | `id`, `dirty`: what `git` says of the package's directory |
//! | `benchmarks` | list | |
//! | `.name`, `.file`, `.line` | | which benchmark, or which case of one |
//! | `.calls` | number | calls in each sample; this and what follows of times is not there in a run of `--instructions` |
//! | `.samples` | list | each sample, from which all that follows can be computed again |
//! | `.waited` | list, maybe | of each sample, how long its thread waited for a processor |
//! | `.summary` | object | `samples`, `median`, `low` and `high` (the 95 % interval of the median), `best`, `p95` |
//! | `.target` | number, maybe | how long a call may take |
//! | `.verdict` | text, maybe | `"met"`, `"inconclusive"`, `"missed"` or `"not judged"` |
//! | `.allocations` | number, maybe | allocations of a call |
//! | `.bytes` | number, maybe | bytes allocated by a call |
//! | `.instructions` | number, maybe | instructions of a call: in a run of `--instructions`, which has nothing else |
//! | `.earlier` | list, maybe | in a baseline: `median` and `best` of runs before it on that machine, oldest first |
//!
//! A file that is broken, that some other program wrote, or that a newer perfkit wrote is an error that names it, and is never overwritten.
//! A file is written beside its place and then put there as a whole, so that nobody ever reads half of one.

mod history;
mod machine;
mod record;
mod revision;
mod store;

pub use history::history;
pub use record::{Benchmark, Build, Commit, Machine, Mode, Past, Record, SCHEMA, Short};
pub(crate) use store::program;
pub use store::{Store, StoreError};
