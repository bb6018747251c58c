//! What is to be said of samples: each judge takes them and gives a verdict, and none of them measures.

mod allocations;
#[cfg(feature = "bench")]
mod baseline;
mod complexity;
mod leak;
#[cfg(test)]
mod recorded;
mod target;

pub(crate) use allocations::{Promise, exceeded, judge_usage, megabytes};
#[cfg(feature = "bench")]
pub(crate) use baseline::{Before, Change, ENOUGH_RUNS, Thresholds, Trend, compare};
pub use complexity::Class;
pub(crate) use complexity::{
    Complexity, Cost, FEWEST, Fit, Growth, JUDGED_RANGE, MOST_SLOPE, Point, judge as judge_complexity,
};
pub(crate) use leak::{Kept, Leakage, is_over, judge_leakage, judge_resident};
pub(crate) use target::{Target, Verdict, judge};
