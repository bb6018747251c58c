//! Results kept: what `#[cached]` generates calls into.
//!
//! A call hashes its arguments where they are, looks in one shard, and clones the value out: a hit takes no lock and owns nothing. A miss
//! owns the key, joins the computation of that key that is under way or begins one, runs the body with no lock held, and keeps the result.
//!
//! | file | what |
//! |---|---|
//! | `handle`, `ahead` | what a cached function holds: look up, compute, store; and the same where results are computed anew in the background |
//! | `key`, `hash`, `text` | arguments as a key: hashed and compared by reference, owned on a miss |
//! | `keep` | which results are kept: an `Err` and a `None` are not |
//! | `store`, `shard`, `lock` | the entries and the computations under way; what is read without a lock, and what is written under one |
//! | `held` | what is looked at with the lock let go of |
//! | `table`, `node` | how an entry is found, and where it lies |
//! | `readers`, `barrier`, `limbo` | who reads, and when a place may be used again |
//! | `policy` | which entry gives way |
//! | `flight`, `waits` | one computation per key, and no waiting in a ring |
//! | `dependency` | what was computed from what: an invalidation removes all that came of it |
//! | `weigh`, `weight` | how many bytes keys and values take |
//! | `cascade` | what follows from an invalidation, in other caches |
//! | `refresh`, `sweeper` | when a result is computed again, and when it leaves though nobody asks |
//! | `worker`, `spawn` | threads for what nobody waits for |
//! | `sampler`, `curve`, `adaptive` | how many lookups another size would answer, and whether a cache grows |
//! | `local` | the same for each thread by itself |
//! | `primer`, `prime` | a run of the body whatever is there; results computed before they are asked for |
//! | `registry`, `caches`, `stats` | all caches of the program, what may be done with them, and what they count |
//! | `remote` | results shared between processes or kept on disk |
//!
//! No user code (`Hash`, `Eq`, `Clone`, `Drop`, a waker, the body) runs while a lock is held: under a lock, entries are told apart by their
//! hash and handed out by reference count.

mod adaptive;
mod ahead;
mod barrier;
mod caches;
mod cascade;
mod curve;
mod dependency;
mod flight;
mod handle;
mod hash;
mod held;
mod keep;
mod key;
mod limbo;
mod local;
mod lock;
mod node;
mod policy;
mod prime;
mod primer;
mod readers;
mod refresh;
mod registry;
#[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
pub mod remote;
mod sampler;
mod shard;
mod spawn;
mod stats;
mod store;
#[cfg_attr(shuttle, allow(dead_code))]
mod sweeper;
mod table;
mod text;
mod waits;
mod weigh;
mod weight;
mod worker;

pub use ahead::{CacheBackground, FoundAhead, Refresh, background, look_up_ahead, look_up_ahead_unless};
pub use caches::{CacheRef, Caches, caches};
pub use cascade::{depends_on_tag, invalidate_tag};
pub use handle::{
    Binding, Bound, CacheHandle, Found, Miss, Seen, apart, glance, look_up, look_up_seen, look_up_unless,
};
pub use keep::{
    CacheErr, CacheFallible, CacheNone, CacheValue, ErrProbe, FallibleProbe, Keep, KeepAny, KeepOk,
    KeepOkShareErr, KeepSome, NoneProbe, Probe, Shareable, Sorted, by, probe, probe_err, probe_fallible,
    probe_none,
};
pub use key::{
    ByOption, ByRef, ByText, ByValue, CacheKey, Hashable, HashableHere, Key, SharedKey, Weighed, argument,
    expression,
};
pub use local::ways as local_ways;
pub use local::{
    LocalBinding, LocalCacheHandle, LocalErr, LocalKeep, LocalKey, LocalMiss, LocalNone, LocalPrimer,
    LocalValue, look_up_local, look_up_local_unless,
};
pub use policy::Policy;
pub use prime::prime_all;
pub use primer::Primer;
pub use registry::{CacheSite, Instance, rows};
pub use stats::CacheStats;
pub use store::{DEFAULT_MAX_MEMORY, DEFAULT_MAX_SIZE, set_adaptive};
pub use text::Text;
pub use weigh::{
    Buffer, ByBuffer, ByContent, Weigh, WeighedBy, WeighedWith, Weigher, WeightProbe, probe_weight, weigh_by,
    weighed_with,
};
pub use worker::refresh_with;
