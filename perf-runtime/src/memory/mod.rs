//! Memory: what the program's allocator is asked for, told to the profiler.

mod alloc;

pub use alloc::Alloc;
