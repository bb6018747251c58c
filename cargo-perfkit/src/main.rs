//! `cargo perfkit compare REV`: whether the working tree is slower than another revision, benchmark by benchmark; `cargo perfkit history`: each benchmark over commits.
//!
//! | file | what |
//! |---|---|
//! | `options` | the command line |
//! | `compare` | a comparison from end to end |
//! | `revision` | another revision, checked out beside the working tree |
//! | `programs` | the bench targets of one side, built |
//! | `worker`, `affinity`, `copy`, `launch` | two programs that run in turn on one processor |
//! | `verdict`, `student` | what the launches say; pure |
//! | `report` | tables, Markdown, JSON; pure |
//! | `history` | runs that were saved, over commits |
//! | `interrupt`, `random` | Ctrl-C, chance |

mod affinity;
mod compare;
mod copy;
mod history;
mod interrupt;
mod launch;
mod options;
mod programs;
mod random;
mod report;
mod revision;
mod student;
mod verdict;
mod worker;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use perf_runtime::session::complain;

use crate::options::{Cargo, Command};

/// It could not be compared, all or some of it, or there is nothing to show.
const NOT_COMPARED: u8 = 2;
/// Something is slower than it may be.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let options = match Cargo::parse() {
        Cargo::Perfkit(Command::Compare(options)) => options,
        Cargo::Perfkit(Command::History(options)) => return show(history::charts(&options)),
    };
    interrupt::listen();
    match compare::compare(&options) {
        Ok(report) if report.fails() => ExitCode::from(FAILED),
        Ok(report) if report.has_errors() => ExitCode::from(NOT_COMPARED),
        Ok(_) => ExitCode::SUCCESS,
        Err(_) if interrupt::is_wanted() => {
            complain("interrupted");
            ExitCode::from(130)
        }
        Err(error) => {
            complain(error);
            ExitCode::from(NOT_COMPARED)
        }
    }
}

/// Prints it. When nobody reads that any more, there is nobody left to tell.
fn show(text: Result<String, String>) -> ExitCode {
    match text {
        Ok(text) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(error);
            ExitCode::from(NOT_COMPARED)
        }
    }
}
