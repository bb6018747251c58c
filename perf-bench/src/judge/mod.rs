//! What is to be said of samples: each judge takes them and gives a verdict, and none of them measures.

#[cfg(feature = "bench")]
mod baseline;
mod target;

#[cfg(feature = "bench")]
pub(crate) use baseline::{Before, Change, ENOUGH_RUNS, Thresholds, Trend, compare};
pub(crate) use target::{Verdict, judge};
