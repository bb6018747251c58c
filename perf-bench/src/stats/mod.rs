//! What samples say: pure functions over nanoseconds per call, none of which measures or judges.
//!
//! | file | what |
//! |---|---|
//! | `summary` | samples in short |
//! | `interval` | what holds the true median |
//! | `outliers` | what lies far from the others, and how far they lie apart |
//! | `series` | whether samples depend on those before them: drift, autocorrelation |
//! | `ratio` | two sets of samples, compared (feature `bench`) |
//! | `random` | numbers drawn with a seed |

mod interval;
mod outliers;
#[cfg(any(test, feature = "bench"))]
mod random;
#[cfg(feature = "bench")]
mod ratio;
mod series;
mod summary;

#[cfg(all(test, feature = "bench"))]
pub(crate) use random::Random;
#[cfg(feature = "bench")]
pub(crate) use ratio::ratio_of_medians;
pub(crate) use summary::{Sample, Summary};
