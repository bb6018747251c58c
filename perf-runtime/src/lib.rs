//! What code instrumented by [perfkit](https://docs.rs/perfkit) calls, and what its reports read.
//!
//! Users depend on `perfkit`, which re-exports everything public here; `perf-macros` generates calls into it.
//!
//! Three layers, each of which may only use the ones above it in this list:
//!
//! * **collect** (on the user's thread, where nanoseconds matter): [`clock`], [`site`], [`profile`], [`memory`], [`cache`], [`pool`];
//! * **understand** (plain data, no clocks, no locks): [`snapshot`];
//! * **show** (pure functions from a report to text): [`show`], and [`session`], which decides when to show.

pub mod cache;
pub mod clock;
mod first_use;
pub mod memory;
#[cfg(all(test, shuttle))]
mod models;
mod numbers;
#[doc(hidden)]
pub mod order;
pub mod pool;
pub mod profile;
pub mod session;
pub mod show;
pub mod site;
pub mod snapshot;
#[doc(hidden)]
pub mod spelling;
mod sync;

#[doc(hidden)]
pub use inventory;
#[cfg(feature = "all-sites")]
#[doc(hidden)]
pub use linkme;
