//! One pool.

use super::{Location, Name};

/// What is known of one pool.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PoolRow {
    /// As in [`FunctionRow`](super::FunctionRow).
    pub name: Name,
    /// Where the factory or the type is defined.
    pub location: Location,
    /// Objects handed out.
    pub borrowed: u64,
    /// Borrowings served by an object that was there already.
    pub reused: u64,
    /// Objects made by the factory, those of `prefill` among them.
    pub created: u64,
    /// Objects that came back and were kept.
    pub returned: u64,
    /// Objects that came back and were not kept: the pool was full, they failed `validate`, or
    /// `validate`, `reset` or the borrower panicked.
    pub discarded: u64,
    /// Objects kept by the borrower with `Pooled::take`.
    pub taken: u64,
    /// Objects in the pool now.
    pub idle: u64,
    /// Objects handed out now.
    pub in_use: u64,
    /// The most objects that were out at once.
    pub peak_in_use: u64,
    /// Idle objects kept at most.
    pub max_size: u64,
}

impl PoolRow {
    pub(crate) fn is_same(&self, other: &PoolRow) -> bool {
        (self.location, &self.name) == (other.location, &other.name)
    }

    /// Takes away what an earlier row of the same pool counted. What is held now stays.
    pub(crate) fn subtract(&mut self, earlier: &PoolRow) {
        for (count, earlier) in [
            (&mut self.borrowed, earlier.borrowed),
            (&mut self.reused, earlier.reused),
            (&mut self.created, earlier.created),
            (&mut self.returned, earlier.returned),
            (&mut self.discarded, earlier.discarded),
            (&mut self.taken, earlier.taken),
        ] {
            *count = count.saturating_sub(earlier);
        }
    }

    /// The share of borrowings served by an object already made, 0 to 1; `None` before the first.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        (self.borrowed > 0).then(|| self.reused as f64 / self.borrowed as f64)
    }
}
