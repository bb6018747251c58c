//! What a cache met at its backend.

macro_rules! remote_row {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What this process counted of the backend of one cached function.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct RemoteRow {
            /// `memcached`, `redis` or `disk`.
            pub backend: &'static str,
            $($(#[$doc])* pub $name: u64,)*
        }

        impl RemoteRow {
            /// Takes away what an earlier row of the same cache counted.
            pub(crate) fn subtract(&mut self, earlier: &RemoteRow) {
                $(self.$name = self.$name.saturating_sub(earlier.$name);)*
            }

            /// Each count, and what it is called.
            pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }
        }
    };
}

remote_row! {
    /// Results that came from the backend.
    hits,
    /// Calls for which it had none.
    misses,
    /// Results that it took.
    stores,
    /// Requests that failed. Without timeouts.
    errors,
    /// Requests that were not answered in time.
    timeouts,
    /// Requests that were not made, because the last ones failed.
    skipped,
    /// Values found that another program, version or key had put there.
    foreign,
    /// Values found that were damaged, or that could not be decoded.
    corrupt,
    /// Results larger than the backend takes.
    too_large,
    /// Keys or results that cannot be serialized.
    unencodable,
    /// Calls that waited for another process that was computing the same result.
    lease_waits,
    /// Those of them that got the result from it.
    lease_hits,
}

impl RemoteRow {
    /// What went wrong in any way; the body ran instead.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.errors
            + self.timeouts
            + self.skipped
            + self.foreign
            + self.corrupt
            + self.too_large
            + self.unencodable
    }

    /// Results that came from the backend as a share of those asked for, 0 to 1; `None` before the first.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        let calls = self.hits + self.misses;
        (calls > 0).then(|| self.hits as f64 / calls as f64)
    }
}
