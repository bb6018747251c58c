//! Objects used again instead of made again: what `#[pooled]` generates calls into.
//!
//! A [`Pool`] keeps idle objects, a [`Pooled`] is one of them on loan. A pool is a `static` and lives as long as the
//! process; its objects live until they are taken, discarded or [shrunk](Pool::shrink) away. It never calls a user's
//! function (factory, `reset`, `validate`, `Drop`) with a lock held, and never keeps more than `max_size` idle objects.

mod demands;
mod guard;
#[expect(clippy::module_inception, reason = "the module is the subsystem, the file is the data structure")]
mod pool;
mod registry;
mod shard;
mod stats;

#[doc(hidden)]
pub use demands::{PooledDefault, PooledObject};
pub use guard::Pooled;
pub use pool::{DEFAULT_MAX_SIZE, Pool};
pub use registry::{PoolEntry, rows};
pub use stats::PoolStats;
