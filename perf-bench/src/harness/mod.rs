//! The contract with cargo, libtest and nextest.
//!
//! | file | what |
//! |---|---|
//! | `program` | the program of `bench_main!` |
//! | `libtest` | benchmarks as ordinary tests, without such a program |
//! | `arguments`, `reporter` | libtest's command line, and what it prints |
//! | `progress` | how far a long run is, on a terminal |

pub(crate) mod arguments;
pub(crate) mod libtest;
pub(crate) mod program;
pub(crate) mod progress;
pub(crate) mod reporter;
