//! Tables at the end of a scope.

use super::output::Output;
use super::report::report;
use crate::first_use;
use crate::show::AllRows;

/// Prints the tables to standard error when the returned guard is dropped, also when that is by a panic.
///
/// ```
/// # use perf_runtime::session as perfkit;
/// let _session = perfkit::session();
/// // … the program …
/// ```
///
/// It cannot print when the process ends by `std::process::exit`, which drops nothing; `PERFKIT=table` can. Neither can where the process
/// aborts, as it does by a panic under `panic = "abort"`, or is ended by a signal.
pub fn session() -> Session {
    first_use::announce();
    Session { _private: () }
}

/// See [`session()`].
#[must_use = "the tables are printed when this is dropped; bind it as `let _session = …`"]
#[derive(Debug)]
pub struct Session {
    _private: (),
}

impl Drop for Session {
    fn drop(&mut self) {
        // Standard error cannot fail to be written in a way that there is somebody left to tell.
        let _ = Output::Table(AllRows::No, None).write(&report());
    }
}
