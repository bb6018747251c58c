//! What there is to run: the benchmarks that `#[benchmark]` submitted, and what their own code says of them. Nothing here knows a clock.
//!
//! | file | what |
//! |---|---|
//! | `entry` | the benchmarks of the program |
//! | `cases` | the cases of each: one for each of its `args`, threads, instances |
//! | `settings` | what holds for one benchmark |
//! | `size` | how large an element of `args` is |
//! | `target_features` | what the processor has |

pub(crate) mod cases;
pub(crate) mod entry;
pub(crate) mod settings;
pub(crate) mod size;
pub(crate) mod target_features;
