//! When a report is made and where it goes: on request, at the end of a scope, at the end of the process.
//!
//! | how | when |
//! |---|---|
//! | [`report()`] | now, as data |
//! | [`session()`] | at the end of the scope, as tables on standard error |
//! | `PERFKIT=table,json=PATH` | at the end of the process, with no change to its code |
//!
//! # `PERFKIT`
//!
//! Words between commas, in any order:
//!
//! | word | what it does |
//! |---|---|
//! | `table` | prints the tables to standard error when the process ends; `table:all` prints every row |
//! | `table=PATH`, `table:all=PATH` | writes them to a file |
//! | `json=PATH` | writes the report as JSON |
//! | `off` | measures nothing; caches and pools go on working |
//!
//! `%p` in a path stands for the process's number. It is read when the first instrumented function runs. A word that means nothing is
//! reported on standard error once, and the others are obeyed; so is a file that cannot be written. The program's own exit
//! code is never changed.
//!
//! The end of the process is `main` returning or `std::process::exit`, also after a panic; a process that is killed or aborts says
//! nothing. This needs the C library's `atexit`, which perfkit uses on Unix; elsewhere, use [`session()`].

mod environment;
mod exit;
mod output;
mod report;
mod scope;
mod terminal;

pub use output::{ReportError, complain};
pub use report::{report, reset};
pub use scope::{Session, session};
pub use terminal::{page_of_stderr, page_of_stdout};
