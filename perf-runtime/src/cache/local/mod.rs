//! A store for each thread: no locks, and nothing in it need be `Send` or `Sync`.
//!
//! What all threads share of an instance is its place in every thread's list of stores, and the counters: each thread has its own,
//! which only it writes, and a report adds them up.
//!
//! No store is borrowed while the user's code runs (`Hash`, `Eq`, `Clone`, `Drop`, the body).
//!
//! | file | what |
//! |---|---|
//! | `call`, `handle` | one call of such a function, and what may be done with its cache |
//! | `store`, `table` | what a thread finds, keeps and removes, and where it lies |
//! | `cache`, `counts` | what threads share: the place of the stores, and what each counts |
//! | `keep`, `ways` | which results and keys |
//! | `demand` | what the compiler says of others |

mod cache;
mod call;
mod counts;
mod demand;
mod handle;
mod keep;
mod store;
mod table;
pub mod ways;

pub use self::call::{LocalMiss, look_up_local, look_up_local_unless};
pub use self::demand::{LocalErr, LocalKey, LocalNone, LocalValue};
pub use self::handle::{LocalBinding, LocalCacheHandle, LocalPrimer};
pub use self::keep::LocalKeep;
