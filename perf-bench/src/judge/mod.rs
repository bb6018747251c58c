//! What is to be said of samples: each judge takes them and gives a verdict, and none of them measures.

mod allocations;
mod leak;
mod target;

pub(crate) use allocations::{Promise, exceeded, judge_usage, megabytes};
pub(crate) use leak::{Growth, Kept, is_over, judge_growth, judge_resident};
pub(crate) use target::{Verdict, judge};
