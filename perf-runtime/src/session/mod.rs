//! When a report is made and where it goes: on request, at the end of a scope, at the end of the process.
//!
//! | how | when |
//! |---|---|
//! | [`report()`] | now, as data |
//! | [`profile_operation()`] | when one operation has ended, as data |
//! | [`session()`] | at the end of the scope, as tables on standard error |
//! | `PERFKIT=table,json=PATH` | at the end of the process, with no change to its code |
//!
//! What the variable may hold, which ends of a process it sees and which not, is written for users at
//! [`perfkit::environment`](https://docs.rs/perfkit/latest/perfkit/environment/index.html).

mod environment;
mod exit;
mod output;
mod report;
mod scope;
mod terminal;

pub use output::{ReportError, complain};
pub use report::{profile_operation, report, reset};
pub use scope::{Session, session};
pub use terminal::{page_of_stderr, page_of_stdout};
