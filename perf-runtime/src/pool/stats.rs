//! What a pool counted, as its user reads it.

/// The counters of one [`Pool`](super::Pool), all read at one moment.
///
/// At any moment `borrowed` is `returned + discarded + taken + in_use`, and `created` is at least `idle + in_use`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Objects handed out.
    pub borrowed: u64,
    /// Borrowings served by an object that was there already; the rest had to wait for the factory.
    pub reused: u64,
    /// Objects made by the factory, those of `prefill` among them.
    pub created: u64,
    /// Objects that came back and were kept.
    pub returned: u64,
    /// Objects that came back and were not kept: the pool was full, they failed `validate`, or `validate`, `reset` or
    /// the borrower panicked.
    pub discarded: u64,
    /// Objects kept by the borrower with [`Pooled::take`](super::Pooled::take).
    pub taken: u64,
    /// Objects in the pool now.
    pub idle: u64,
    /// Objects handed out now, and those being made for somebody who waits.
    pub in_use: u64,
    /// The largest `in_use` there ever was.
    pub peak_in_use: u64,
    /// Idle objects kept at most.
    pub max_size: u64,
}

impl PoolStats {
    /// The share of borrowings served by an object already made, 0 to 1; `None` before the first.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        (self.borrowed > 0).then(|| self.reused as f64 / self.borrowed as f64)
    }

    /// The share of the pool's objects that is handed out now, 0 to 1; `None` while there are none.
    #[must_use]
    pub fn utilisation(&self) -> Option<f64> {
        let objects = self.idle + self.in_use;
        (objects > 0).then(|| self.in_use as f64 / objects as f64)
    }
}
