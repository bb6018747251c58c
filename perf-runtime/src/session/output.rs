//! Puts a report where it was asked for.
//!
//! A file is written beside its place and renamed into it, so that a full disk or a second process leaves what was there, or a
//! whole new report, and never half of one. A link stays a link, and leads to the new report.

use core::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::terminal::page_of_stderr;
use crate::show::table::Page;
use crate::show::{AllRows, tables, to_json, to_pstats};
use crate::snapshot::Report;

/// One thing that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Tables; to standard error where there is no path.
    Table(AllRows, Option<PathBuf>),
    File(Format, PathBuf),
}

/// What programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Pstats,
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
                write!(f, "the report cannot be written to `{}`: {source}", path.display())?;
                match source.kind() {
                    io::ErrorKind::NotFound => f.write_str("; its directory has to exist"),
                    io::ErrorKind::PermissionDenied => {
                        f.write_str("; choose a directory in which this process may make files")
                    }
                    // The system's words say all of it.
                    _ => Ok(()),
                }
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
    /// The same for good: `%p` is the number of this process, and a relative path is in the directory where it is now, wherever it
    /// goes later.
    pub(super) fn here(self) -> Self {
        let here = |path: PathBuf| {
            let path = with_process_number(&path);
            std::path::absolute(&path).unwrap_or(path)
        };
        match self {
            Output::Table(all, path) => Output::Table(all, path.map(here)),
            Output::File(format, path) => Output::File(format, here(path)),
        }
    }

    pub(super) fn write(&self, report: &Report) -> Result<(), ReportError> {
        match self {
            Output::Table(all, None) => {
                // Nobody is left to tell when standard error is closed.
                let _ = io::stderr().write_all(tables(report, page_of_stderr(), *all).as_bytes());
                Ok(())
            }
            Output::Table(all, Some(path)) => {
                write_file(path, tables(report, Page::default(), *all).as_bytes())
            }
            Output::File(Format::Json, path) => write_file(path, to_json(report).as_bytes()),
            Output::File(Format::Pstats, path) => write_file(path, &to_pstats(report)),
        }
    }
}

fn with_process_number(path: &Path) -> PathBuf {
    let number = std::process::id().to_string();
    let mut rest = path.as_os_str().as_encoded_bytes();
    let mut bytes = Vec::new();
    while let Some(at) = rest.windows(2).position(|two| two == b"%p") {
        bytes.extend_from_slice(&rest[..at]);
        bytes.extend_from_slice(number.as_bytes());
        rest = &rest[at + 2..];
    }
    bytes.extend_from_slice(rest);
    path_of(&bytes)
}

/// The path of these bytes, be they Unicode or not.
#[cfg(unix)]
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    PathBuf::from(OsStr::from_bytes(bytes))
}

/// The path of these bytes, as far as they are Unicode.
#[cfg(not(unix))]
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    write_or_replace(path, bytes).map_err(|source| ReportError::Write { path: path.to_owned(), source })
}

fn write_or_replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_no_place_of_its_own(path) {
        return OpenOptions::new().append(true).open(path)?.write_all(bytes);
    }
    let place = match fs::canonicalize(path) {
        Ok(place) => place,
        // A link to a file that is still to be made.
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_symlink() => {
            return fs::write(path, bytes);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let mut name = place.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = place.with_file_name(name);
    fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, &place)).inspect_err(|_| {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    })
}

/// What is no regular file, such as a pipe, is written to and not replaced; so is a file that the process has open already and names by
/// `/dev/stdout`, in which other things stand.
fn is_no_place_of_its_own(path: &Path) -> bool {
    let special = |metadata: fs::Metadata| !metadata.is_file() && !metadata.is_dir();
    path.starts_with("/dev") || path.starts_with("/proc") || fs::metadata(path).is_ok_and(special)
}

/// A line on standard error that begins with `perfkit: `, also where a test runner keeps what tests print to itself.
pub fn complain(message: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "perfkit: {message}");
}
