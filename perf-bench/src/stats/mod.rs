//! What samples say: pure functions over nanoseconds per call, none of which measures or judges.
//!
//! | file | what |
//! |---|---|
//! | `summary` | samples in short |
//! | `interval` | what holds the true median |
//! | `outliers` | what lies far from the others, and how far they lie apart |
//! | `series` | whether samples depend on those before them: drift, autocorrelation |
//! | `random` | numbers drawn with a seed, for tests |

mod interval;
mod outliers;
#[cfg(test)]
mod random;
mod series;
mod summary;

pub(crate) use summary::{Sample, Summary, least};
