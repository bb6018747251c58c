//! A benchmark that ends the process, as `std::process::exit(0)` does, must not pass for success: those after it were never run.
//!
//! Known from the C library's exit handlers, so only where there are any (Unix), and not of `_exit` or `abort`. Must never change the exit code of a process that no
//! benchmark was running in.

use std::cell::Cell;
use std::sync::{Mutex, Once, PoisonError};

use perf_runtime::session::complain;

/// The benchmark that is running.
static RUNNING: Mutex<Option<String>> = Mutex::new(None);

thread_local! {
    /// The benchmark that this thread was made for. What has to be dropped would be gone when exit handlers run.
    static OF_THREAD: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// A benchmark runs while this lives.
pub(crate) struct Running(());

impl Running {
    #[inline]
    pub(crate) fn new(name: &str) -> Self {
        set(Some(name.to_owned()));
        Running(())
    }
}

impl Drop for Running {
    #[inline]
    fn drop(&mut self) {
        set(None);
    }
}

#[inline]
fn set(name: Option<String>) {
    *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = name;
}

/// Says that the calling thread runs that benchmark's code and nothing else. Each has a thread or two, so there are no more names to keep.
#[inline]
pub(crate) fn this_thread_runs(name: String) {
    static AT_EXIT: Once = Once::new();
    AT_EXIT.call_once(watch);
    OF_THREAD.set(Some(name.leak()));
}

#[cfg(unix)]
#[inline]
fn watch() {
    // SAFETY: `at_exit` is a function of the type asked for, lives as long as the process, and lets no panic out.
    let result = unsafe { libc::atexit(at_exit) };
    if result != 0 {
        complain(
            "the C library takes no more exit handlers: a benchmark that ends the process will go unnoticed",
        );
    }
}

#[cfg(not(unix))]
#[inline]
fn watch() {}

#[cfg(unix)]
#[inline]
extern "C" fn at_exit() {
    // A panic must not leave a C callback, and there is nothing here to panic.
    let _ = std::panic::catch_unwind(|| {
        let of_thread = OF_THREAD.try_with(Cell::get).ok().flatten();
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let message = match (of_thread, running) {
            (Some(name), _) => format!("the benchmark `{name}` ended the process"),
            (None, Some(name)) => format!("the process ended while the benchmark `{name}` ran"),
            (None, None) => return,
        };
        complain(format_args!(
            "{message}, and with it all that was to be run after it; return from it instead"
        ));
        let _ = std::io::Write::flush(&mut std::io::stdout());
        // SAFETY: it ends the process. The handlers that were registered before this one are left out, none of which this program needs.
        unsafe { libc::_exit(i32::from(crate::harness::program::FAILED)) }
    });
}
