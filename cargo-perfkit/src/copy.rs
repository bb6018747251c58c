//! A copy of a program, made for one launch: which pages of memory a file lies in is chance, and decides which parts of its code are in each other's way in the
//! caches. Two files with the same content stay up to a percent apart for as long as the system keeps them in memory. A new copy has new pages, so that
//! this is drawn anew in each launch, as all else is.
//!
//! It lies beside the program, where that finds what it looks for by its own path. Must never fail: without a copy the program itself is run.

use std::fs;
use std::path::{Path, PathBuf};

/// The copy goes with this value.
#[derive(Debug)]
pub(crate) struct Copy {
    path: PathBuf,
    /// Whether it is one, and not the program itself.
    is_own: bool,
}

impl Copy {
    /// One for each side, or the second would be in the way of the first.
    pub(crate) fn of(program: &Path, side: usize) -> Self {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let path = program.with_file_name(format!("perfkit-launch-{side}-{name}"));
        // Never over one that another program still runs.
        let _ = fs::remove_file(&path);
        match fs::copy(program, &path) {
            Ok(_) => Copy { path, is_own: true },
            Err(_) => Copy { path: program.to_owned(), is_own: false },
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if self.is_own {
            let _ = fs::remove_file(&self.path);
        }
    }
}
