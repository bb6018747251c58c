//! What is to be said of samples: each judge takes them and gives a verdict, and none of them measures.

mod target;

pub(crate) use target::{Target, Verdict, judge};
