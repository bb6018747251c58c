//! One benchmark at a time: in the process, and among the processes of one target directory.
//!
//! `cargo test` runs the tests of a process in parallel, and nextest runs a process for each test. The file that is locked lies in the target directory,
//! which is found from the running program; where it cannot be written, only this process is held to it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static HERE: Mutex<()> = Mutex::new(());

/// Nobody else measures while this lives.
#[derive(Debug)]
pub(crate) struct Measuring {
    _everywhere: Option<File>,
    _here: MutexGuard<'static, ()>,
}

/// Waits for its turn.
pub(crate) fn measuring() -> Measuring {
    // Nothing is guarded but the time, which a panic does not harm.
    let here = HERE.lock().unwrap_or_else(PoisonError::into_inner);
    Measuring { _everywhere: lock_file(), _here: here }
}

fn lock_file() -> Option<File> {
    let program = std::env::current_exe().ok()?;
    let directory = target_directory(&program)?.join("perfkit");
    fs::create_dir_all(&directory).ok()?;
    let file = File::options().create(true).append(true).open(directory.join("measuring.lock")).ok()?;
    file.lock().ok()?;
    Some(file)
}

/// The directory that cargo marked as its own.
fn target_directory(program: &Path) -> Option<PathBuf> {
    program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn one_at_a_time() {
        static INSIDE: AtomicU32 = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _measuring = measuring();
                    assert_eq!(INSIDE.fetch_add(1, Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    INSIDE.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    }

    #[test]
    fn the_file_is_in_the_target_directory() {
        let program = std::env::current_exe().unwrap();
        let directory = target_directory(&program).expect("tests run from a target directory");
        assert!(program.starts_with(&directory));
        drop(measuring());
        assert!(directory.join("perfkit/measuring.lock").is_file());
    }
}
