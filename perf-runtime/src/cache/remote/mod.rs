//! Results shared between processes, or kept on disk: the layer below `#[cached(backend = …)]`.
//!
//! [`Shared`] is what a cached function holds. It asks its backend for the result, and runs the body if there is none, or none that is good, or
//! no answer in time. **Whatever a server does, the result is that of the body**: a server that is dead, slow, restarted, somebody else's, or
//! that answers nonsense costs at most the deadline of a request, then nothing for a while, and is told in the
//! [counters](RemoteStats).
//!
//! | file | what |
//! |---|---|
//! | `front` | what generated code calls: the store of this process, and behind it the backend |
//! | `fit` | which keys and results may go there, and what the compiler says of others |
//! | `shared` | a function's results: look up, compute, store; the generation that clears them |
//! | `lease` | leave to compute while other processes wait, given back whatever happens |
//! | `key`, `envelope`, `codec` | the name under which a result is kept, what is kept there, and in which form |
//! | `client`, `breaker`, `counters` | a backend with a deadline and patience, and what comes of it |
//! | `config` | where the backends are |
//! | `backend` | what each of them can do |
//! | `memcached`, `redis`, `disk`, `net` | each of them, and what the two servers have in common |
//!
//! Everything up to `client` is written once, as futures: a blocking call polls them, and they are ready at once because the backend blocks.
//!
//! # In front of it
//! A result of a server costs tens of microseconds, one in memory tens of nanoseconds. The store in this process goes in front by taking the
//! call to [`Shared`] for its body; its `ttl` is how stale a result may get that another process has replaced.
//!
//! # Futures
//! With a server they must be polled within a tokio runtime that has its time and its network enabled. Elsewhere the body runs and
//! [`RemoteStats::errors`] goes up. A file makes the thread that polls wait, as files do.

mod backend;
mod breaker;
mod client;
mod codec;
mod config;
mod counters;
#[cfg(feature = "disk")]
mod disk;
mod envelope;
mod fit;
mod front;
mod key;
mod lease;
#[cfg(feature = "memcached")]
mod memcached;
#[cfg(any(feature = "memcached", feature = "redis"))]
mod net;
#[cfg(feature = "redis")]
mod redis;
mod shared;

pub use client::Kind;
pub use codec::Codec;
pub use config::{Remote, remote};
pub use counters::RemoteStats;
pub use fit::{
    SharedErr, SharedKey, SharedNone, SharedValue, Transferable, by_shared, shared_argument,
    shared_expression,
};
pub use front::{Later, SharedBinding, SharedCacheHandle, SharedPrimer};
pub use shared::Shared;
