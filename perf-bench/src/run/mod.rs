//! One benchmark from its begin to its end, and what came of it: no benchmark runs beside another one, and none ends all.
//!
//! | file | what |
//! |---|---|
//! | `outcome` | a benchmark is measured and judged |
//! | `growth` | the same at all of its sizes |
//! | `own_thread`, `lock` | on a thread of its own, one at a time |
//! | `exit`, `interrupt` | a benchmark that ends the process, and Ctrl-C |

#[cfg_attr(not(unix), allow(dead_code, unused_imports, reason = "what only exit handlers read"))]
pub(crate) mod exit;
pub(crate) mod growth;
pub(crate) mod interrupt;
pub(crate) mod lock;
pub(crate) mod outcome;
pub(crate) mod own_thread;
