//! Memory: what the program's allocator is asked for, told to the profiler, and counted for who watches.

mod alloc;
mod watch;

pub use alloc::Alloc;
pub(crate) use watch::note;
#[doc(hidden)]
pub use watch::{Counts, Watch};
