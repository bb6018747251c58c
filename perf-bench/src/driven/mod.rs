//! Benchmarks whose loops somebody else drives: who says how often they run, and takes what comes of it.
//!
//! | file | what |
//! |---|---|
//! | `driver` | what the others have in common |
//! | `worker` | one side of `cargo perfkit compare`, by commands through a pipe |
//! | `instructions`, `instructions_report` | counts by callgrind, and what is shown of them |
//! | `counters` | counts by the processor (`counters_absent` where it cannot be asked) |
//! | `criterion` | all benchmarks under criterion (feature `criterion`) |

#[cfg_attr(not(all(feature = "perf-event", target_os = "linux")), path = "counters_absent.rs")]
pub(crate) mod counters;
#[cfg(feature = "criterion")]
pub mod criterion;
pub(crate) mod driver;
pub(crate) mod instructions;
pub(crate) mod instructions_report;
pub(crate) mod worker;
