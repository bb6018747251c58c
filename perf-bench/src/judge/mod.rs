//! What is to be said of samples: each judge takes them and gives a verdict, and none of them measures.

mod complexity;
#[cfg(test)]
mod recorded;
mod target;

pub use complexity::Class;
pub(crate) use complexity::{
    Complexity, Cost, FEWEST, Fit, Growth, JUDGED_RANGE, MOST_SLOPE, Point, judge as judge_complexity,
};
pub(crate) use target::{Target, Verdict, judge};
