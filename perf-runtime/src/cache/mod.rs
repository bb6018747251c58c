//! Results kept: what `#[cached]` generates calls into.
//!
//! A call hashes its arguments where they are, looks in one shard, and clones the value out: a hit takes no lock and owns nothing. A miss
//! owns the key, joins the computation of that key that is under way or begins one, runs the body with no lock held, and keeps the result.
//!
//! | file | what |
//! |---|---|
//! | `handle` | what a cached function holds: look up, compute, store; ahead of time in the background (`ahead`), or whatever is there (`primer`, `prime`) |
//! | `key` | arguments as a key: hashed (`hash`) and compared by reference, owned on a miss (`text`) |
//! | `keep` | which results are kept: an `Err` and a `None` are not |
//! | `store` | the entries of a cache and the computations under way, in shards |
//! | `shard` | one of them: how an entry is found (`table`), where it lies (`node`), its `lock`, what is looked at with that let go of (`held`), what waits for readers (`limbo`) |
//! | `readers` | who reads without a lock, and when a place may be used again (`barrier`) |
//! | `policy` | which entry gives way |
//! | `flight` | one computation per key, and no waiting in a ring (`waits`) |
//! | `dependency`, `cascade` | what was computed from what, and what follows from an invalidation in other caches |
//! | `weigh` | how many bytes keys and values take |
//! | `refresh`, `sweeper` | when a result is computed again, and when it leaves though nobody asks |
//! | `worker` | threads for what nobody waits for |
//! | `adaptive` | whether a cache grows: how many lookups another size would answer (`curve`), of some of them (`sampler`) |
//! | `local` | the same for each thread by itself |
//! | `registry`, `stats` | all caches of the program, what may be done with them (`caches`), and what they count |
//! | `remote` | results shared between processes or kept on disk |
//!
//! No user code (`Hash`, `Eq`, `Clone`, `Drop`, a waker, the body) runs while a lock is held: under a lock, entries are told apart by their
//! hash and handed out by reference count.

mod adaptive;
mod cascade;
mod dependency;
mod flight;
mod handle;
mod keep;
mod key;
mod local;
mod policy;
mod readers;
mod refresh;
mod registry;
#[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
pub mod remote;
mod shard;
mod stats;
mod store;
#[cfg_attr(shuttle, allow(dead_code))]
mod sweeper;
mod weigh;
mod worker;

pub use cascade::{depends_on_tag, invalidate_tag};
pub use handle::ahead::{
    CacheBackground, FoundAhead, Refresh, background, look_up_ahead, look_up_ahead_unless,
};
pub use handle::prime::prime_all;
pub use handle::primer::Primer;
pub use handle::{
    Binding, Bound, CacheHandle, Found, Miss, Seen, apart, glance, look_up, look_up_seen, look_up_unless,
};
pub use keep::{
    CacheErr, CacheFallible, CacheNone, CacheValue, ErrProbe, FallibleProbe, Keep, KeepAny, KeepOk,
    KeepOkShareErr, KeepSome, NoneProbe, Probe, Shareable, Sorted, by, probe, probe_err, probe_fallible,
    probe_none,
};
pub use key::text::Text;
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
pub use registry::caches::{CacheRef, Caches, caches};
pub use registry::{CacheSite, Instance, rows};
pub use stats::CacheStats;
pub use store::{DEFAULT_MAX_MEMORY, DEFAULT_MAX_SIZE, set_adaptive};
pub use weigh::{
    Buffer, ByBuffer, ByContent, Weigh, WeighedBy, WeighedWith, Weigher, WeightProbe, probe_weight, weigh_by,
    weighed_with,
};
pub use worker::refresh_with;
