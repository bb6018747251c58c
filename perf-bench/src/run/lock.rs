//! One benchmark at a time: in the process, and among the processes of one target directory.
//!
//! `cargo test` runs the tests of a process in parallel, and nextest runs a process for each test. The file that is locked lies in the target directory,
//! which is found from the running program; where it cannot be written, only this process is held to it.
//!
//! Who holds the lock writes into the file who it is and how long it may take. Who waits tells so after a second, and must never wait for
//! longer than that: a process that was stopped holds its lock until somebody wakes it.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use perf_runtime::session::complain;

static HERE: Mutex<()> = Mutex::new(());

/// Nobody else measures while this lives.
#[derive(Debug)]
pub(crate) struct Measuring {
    _everywhere: Option<File>,
    _here: MutexGuard<'static, ()>,
}

/// Waits for its turn, to take at most `timeout` then.
#[inline]
pub(crate) fn measuring(timeout: Duration) -> Measuring {
    // Nothing is guarded but the time, which a panic does not harm.
    let here = HERE.lock().unwrap_or_else(PoisonError::into_inner);
    let everywhere = path().and_then(|path| lock_file(&path, timeout, &mut |message| complain(message)));
    Measuring { _everywhere: everywhere, _here: here }
}

#[inline]
fn path() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let directory = target_directory(&program)?.join("perfkit");
    fs::create_dir_all(&directory).ok()?;
    Some(directory.join("measuring.lock"))
}

/// How often to look whether the lock is free: seldom enough not to disturb who measures.
const POLL: Duration = Duration::from_millis(20);
/// When to tell that one waits.
const TELL: Duration = Duration::from_secs(1);
/// What a holder is given beyond what it said.
const GRACE: Duration = Duration::from_secs(2);

/// `None` where there is nothing to lock, or whoever holds it does not let go.
#[inline]
fn lock_file(path: &Path, timeout: Duration, tell: &mut dyn FnMut(String)) -> Option<File> {
    let mut file = File::options().create(true).read(true).append(true).open(path).ok()?;
    let begun = Instant::now();
    let mut told = false;
    // Who holds it, and since when this process has known.
    let mut known: Option<(Holder, Instant)> = None;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(fs::TryLockError::WouldBlock) => {}
            Err(fs::TryLockError::Error(_)) => return None,
        }
        let holder = Holder::read(&mut file);
        let (holder, since) = match &known {
            Some((known, since)) if *known == holder => (holder, *since),
            _ => (holder, Instant::now()),
        };
        let others = format!("process {} to end its benchmark (lock: {})", holder.pid, path.display());
        if !told && begun.elapsed() >= TELL {
            told = true;
            tell(format!("waiting for {others}"));
        }
        if since.elapsed() >= holder.timeout.saturating_add(GRACE) {
            tell(format!("waited too long for {others}; measuring beside it, which disturbs both"));
            return None;
        }
        known = Some((holder, since));
        thread::sleep(POLL);
    }
    // Where it cannot be written, the others wait as long as for any benchmark.
    let _ = file.set_len(0).and_then(|()| file.write_all(Holder::this(timeout).text().as_bytes()));
    Some(file)
}

/// Who holds the lock, as the file says.
#[derive(Debug, PartialEq)]
struct Holder {
    pid: u32,
    /// Tells one benchmark of a process from the next.
    begun: u128,
    timeout: Duration,
}

impl Holder {
    #[inline]
    fn this(timeout: Duration) -> Self {
        let begun = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        Holder { pid: process::id(), begun, timeout }
    }

    #[inline]
    fn text(&self) -> String {
        format!("{} {} {}\n", self.pid, self.begun, self.timeout.as_millis())
    }

    /// A file that says nothing, because its holder is about to write it, is of one with the usual timeout.
    #[inline]
    fn read(file: &mut File) -> Self {
        let mut text = String::new();
        let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
        Self::parse(&text).unwrap_or(Holder { pid: 0, begun: 0, timeout: crate::DEFAULT_TIMEOUT })
    }

    #[inline]
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        Some(Holder {
            pid: words.next()?.parse().ok()?,
            begun: words.next()?.parse().ok()?,
            timeout: Duration::from_millis(words.next()?.parse().ok()?),
        })
    }
}

/// The directory that cargo marked as its own.
#[inline]
pub(crate) fn target_directory(program: &Path) -> Option<PathBuf> {
    program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn one_at_a_time() {
        static INSIDE: AtomicU32 = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _measuring = measuring(Duration::from_secs(1));
                    assert_eq!(INSIDE.fetch_add(1, Ordering::SeqCst), 0);
                    thread::yield_now();
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
        drop(measuring(Duration::from_secs(1)));
        assert!(directory.join("perfkit/measuring.lock").is_file());
    }

    /// A holder that does not let go, such as a process that was stopped: told once, and then done without.
    #[test]
    fn waiting_has_an_end() {
        let path = std::env::temp_dir().join(format!("perfkit-lock-{}", process::id()));
        let said = |timeout| {
            let mut said = Vec::new();
            let held = lock_file(&path, timeout, &mut |message| said.push(message));
            (held, said)
        };
        let (held, nothing) = said(Duration::ZERO);
        assert!(held.is_some() && nothing.is_empty());
        let (none, told) = said(Duration::from_secs(9));
        assert!(none.is_none());
        let of_me = format!("process {} to end its benchmark", process::id());
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().all(|message| message.contains(&of_me)), "{told:?}");
        assert!(told[0].starts_with("waiting for") && told[1].starts_with("waited too long"), "{told:?}");
        drop(held);
        let (held, nothing) = said(Duration::ZERO);
        assert!(held.is_some() && nothing.is_empty());
        let _ = fs::remove_file(path);
    }
}
