//! A thread for a benchmark's own code: with its name, so that a panic tells it, and with a stack on which large values have room.
//!
//! Code without optimisation copies what it passes on, from one place on the stack to the next: an array of 200 kB by value does not fit on the stack of a
//! test. Memory is not taken before it is written, so a large stack costs nothing.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Eight times what a main thread has.
const STACK: usize = 64 << 20;

/// Starts `run`; an error where the system has no more threads.
pub(crate) fn spawn<R: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> R + Send + 'static,
) -> io::Result<JoinHandle<R>> {
    // A path or a name that the macro let through has no NUL in it, and an argument with one is no name; this must not panic all the same.
    Builder::new().name(name.replace('\0', "")).stack_size(STACK).spawn(run)
}
