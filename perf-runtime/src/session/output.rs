//! Puts a report where it was asked for.
//!
//! A file is written beside its place and renamed into it, so that a full disk or a second process leaves what was there, or a
//! whole new report, and never half of one.

use core::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::terminal::page_of_stderr;
use crate::show::table::Page;
use crate::show::{AllRows, tables, to_json};
use crate::snapshot::Report;

/// One thing that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Tables; to standard error where there is no path.
    Table(AllRows, Option<PathBuf>),
    Json(PathBuf),
}

/// Why a report could not be put where it was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReportError {
    /// A file could not be written.
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReportError::Write { path, source } => {
                write!(
                    f,
                    "the report cannot be written to `{}`: {source}; choose a path in a directory that exists and is writable",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for ReportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ReportError::Write { source, .. } => Some(source),
        }
    }
}

impl Output {
    pub(super) fn write(&self, report: &Report) -> Result<(), ReportError> {
        match self {
            Output::Table(all, None) => {
                // Nobody is left to tell when standard error is closed.
                let _ = io::stderr().write_all(tables(report, page_of_stderr(), *all).as_bytes());
                Ok(())
            }
            Output::Table(all, Some(path)) => write_file(path, &tables(report, Page::default(), *all)),
            Output::Json(path) => write_file(path, &to_json(report)),
        }
    }
}

fn write_file(path: &Path, text: &str) -> Result<(), ReportError> {
    let path = PathBuf::from(path.to_string_lossy().replace("%p", &std::process::id().to_string()));
    let write = || {
        // What is no regular file, such as `/dev/stdout` or a pipe, is written to and not replaced.
        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            return fs::write(&path, text);
        }
        let mut name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(name);
        fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, &path)).inspect_err(|_| {
            // The first error is the one to report.
            let _ = fs::remove_file(&temporary);
        })
    };
    write().map_err(|source| ReportError::Write { path: path.clone(), source })
}

/// A line on standard error that begins with `perfkit: `, also where a test runner keeps what tests print to itself.
pub fn complain(message: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "perfkit: {message}");
}
