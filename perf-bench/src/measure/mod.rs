//! From a benchmark to its samples: times of calls, and what calls allocate and keep. Nothing here says whether that is good.
//!
//! | file | what |
//! |---|---|
//! | `plan`, `sampling` | how a benchmark is to be run, and how often that is |
//! | `bencher`, `loops`, `overhead` | what a benchmark hands over, the timed loops, and what these themselves take |
//! | `check`, `work` | what a call may return, and what it works off |
//! | `crew` | one benchmark on several threads at once |
//! | `waiting`, `optimised` | when a time says nothing of the code: the machine was busy, the compiler was not |
//! | `footprint`, `resident` | what calls allocate and what they keep, where the allocator tells and where only the system does |
//! | `proc_file` | numbers that Linux tells in files |

pub(crate) mod bencher;
pub(crate) mod check;
pub(crate) mod crew;
pub(crate) mod footprint;
pub(crate) mod loops;
pub(crate) mod optimised;
pub(crate) mod overhead;
pub(crate) mod plan;
#[cfg(target_os = "linux")]
mod proc_file;
pub(crate) mod resident;
pub(crate) mod sampling;
mod waiting;
pub(crate) mod work;
