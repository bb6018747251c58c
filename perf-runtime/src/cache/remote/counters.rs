//! What a function counts of its backend.

use crate::snapshot::RemoteRow;
use crate::sync::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What the calls of one function met at its backend.
        ///
        /// The body runs in every case but a hit; what else goes wrong, the result is right and is told here.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct RemoteStats {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl RemoteStats {
            /// The same as reports have it.
            pub(super) fn row(self, backend: &'static str) -> RemoteRow {
                RemoteRow { backend, $($name: self.$name,)* }
            }
        }

        #[derive(Debug)]
        pub(super) struct Counters {
            $(pub(super) $name: Counter,)*
        }

        impl Counters {
            pub(super) const fn new() -> Self {
                Counters { $($name: Counter(AtomicU64::new(0)),)* }
            }

            pub(super) fn read(&self) -> RemoteStats {
                RemoteStats { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Results that came from the backend.
    hits,
    /// Calls for which it had none.
    misses,
    /// Results that it took.
    stores,
    /// Requests that failed: no connection, an answer that makes no sense, a refusal, no runtime. Without timeouts.
    errors,
    /// Requests that were not answered in time.
    timeouts,
    /// Requests that were not made, because the last ones failed and the time to try again had not come.
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

#[derive(Debug)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
