//! A run of all benchmarks with the feature `bench`: what `perfkit.toml`, the environment and the command line say of it, and what is done with its results.
//!
//! | file | what |
//! |---|---|
//! | `file` | what `perfkit.toml` says |
//! | `units` | times and sizes as a person writes them |
//! | `options` | what the environment and the command line say |
//! | `config` | all of it together, and the one place where a benchmark's settings are made of it |
//! | `session` | from the first benchmark to the saved results |
//! | `compared` | the table of changes |
//! | `counting` | the same way of what `--instructions` counts |
//! | `strict` | what strict mode holds the process to |

mod compared;
mod config;
mod counting;
mod file;
mod options;
mod session;
mod strict;
mod units;

pub(crate) use config::{check, settings};
pub(crate) use options::{HELP, Options};
pub(crate) use session::Suite;
