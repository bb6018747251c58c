//! Results kept: what `#[cached]` generates calls into.
//!
//! A call hashes its arguments where they are, looks in one shard, and clones the value out: a hit takes one lock for a few
//! instructions and owns nothing. A miss owns the key, joins the computation of that key that is under way or begins one, runs the
//! body with no lock held, and keeps the result.
//!
//! | file | what |
//! |---|---|
//! | `handle` | what a cached function holds: look up, compute, store |
//! | `key` | arguments as a key: hashed and compared by reference, owned on a miss |
//! | `keep` | which results are kept: an `Err` and a `None` are not |
//! | `store`, `shard`, `index`, `policy` | the entries, how they are found, which of them gives way |
//! | `flight`, `aloft`, `waits` | one computation per key, and no waiting in a ring |
//! | `registry`, `stats`, `load` | all caches of the program, and what they count |
//! | `remote` | results shared between processes or kept on disk |
//!
//! No user code (`Hash`, `Eq`, `Clone`, `Drop`, a waker, the body) runs while a lock is held: under a lock, entries are told apart by their
//! hash and handed out by reference count.

mod aloft;
mod flight;
mod handle;
mod index;
mod keep;
mod key;
mod load;
mod policy;
mod registry;
#[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
pub mod remote;
mod shard;
mod stats;
mod store;
mod waits;

pub use handle::{Binding, Bound, CacheHandle, Found, Miss, Primer, look_up};
pub use keep::{
    CacheErr, CacheNone, CacheValue, ErrProbe, Keep, KeepAny, KeepOk, KeepOkShareErr, KeepSome, NoneProbe,
    Probe, Shareable, Sorted, by, probe, probe_err, probe_none,
};
pub use key::{ByOption, ByRef, ByValue, CacheKey, Hashable, Key, argument, expression};
pub use policy::Policy;
pub use registry::{CacheSite, DEFAULT_MAX_SIZE, Instance, rows};
pub use stats::CacheStats;
