//! A thread for a benchmark's own code: with its name, so that a panic tells it, with a stack on which large values have room, and with an end to waiting for it.
//!
//! Code without optimisation copies what it passes on, from one place on the stack to the next: an array of 200 kB by value does not fit on the stack of a
//! test. Memory is not taken before it is written, so a large stack costs nothing. A thread that does not end in time is left behind, as threads cannot be
//! stopped.

use std::any::Any;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder, JoinHandle, Thread};
use std::time::{Duration, Instant};

use crate::run::exit::this_thread_runs;
use crate::run::interrupt;

/// Of a thread that runs nobody's code but ours.
pub(crate) const LITTLE_STACK: usize = 256 << 10;
/// Eight times what a main thread has.
const STACK: usize = 64 << 20;

/// Why code gave no value.
#[derive(Debug, PartialEq)]
pub(crate) enum Ended {
    /// With the message.
    Panicked(String),
    TimedOut,
    /// By Ctrl-C.
    Interrupted,
    /// There is no thread to run it on.
    NotBegun(String),
}

/// What `code` of the benchmark `name` gives.
#[inline]
pub(crate) fn run<R: Send + 'static>(
    name: &str,
    timeout: Duration,
    code: impl FnOnce() -> R + Send + 'static,
) -> Result<R, Ended> {
    let result = Arc::new(Mutex::new(None));
    let place = Arc::clone(&result);
    let code = move || {
        let given = code();
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
    };
    wait_for(name, timeout, Box::new(code))?;
    let given = result.lock().unwrap_or_else(PoisonError::into_inner).take();
    given.ok_or_else(|| Ended::NotBegun(String::from("gave nothing")))
}

/// Runs it, and waits until it has ended or its time is up.
#[inline]
fn wait_for(name: &str, timeout: Duration, code: Box<dyn FnOnce() + Send>) -> Result<(), Ended> {
    let begun = Instant::now();
    interrupt::this_thread_waits();
    let is_done = Arc::new(AtomicBool::new(false));
    let wake = Wake { waits: thread::current(), is_done: Arc::clone(&is_done) };
    let benchmark = name.to_owned();
    let code = Box::new(move || {
        let _wake = wake;
        this_thread_runs(benchmark);
        code();
    });
    let thread = begin(name, STACK, code)
        .map_err(|error| Ended::NotBegun(format!("could not be run on a thread of its own: {error}")))?;
    while !thread.is_finished() {
        let left = timeout.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(Ended::TimedOut);
        }
        if interrupt::is_interrupted() {
            return Err(Ended::Interrupted);
        }
        // Once it is done it ends any moment. Before, nothing may disturb what it measures, so whoever was woken for something else sleeps on.
        let nap = if is_done.load(Ordering::Acquire) { Duration::from_micros(100) } else { left };
        thread::park_timeout(left.min(nap));
    }
    thread.join().map_err(|panic| Ended::Panicked(message_of(&*panic)))
}

/// Begins a thread. Here alone, as each kind of code that a thread is begun with is compiled anew with all that beginning one takes.
#[inline]
pub(crate) fn begin(name: &str, stack: usize, code: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
    // No name that comes here has a NUL in it; if one had, this must not panic.
    Builder::new().name(name.replace('\0', "")).stack_size(stack).spawn(code)
}

/// Wakes who waits for the thread, when that has done all but end.
struct Wake {
    waits: Thread,
    is_done: Arc<AtomicBool>,
}

impl Drop for Wake {
    #[inline]
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::Release);
        self.waits.unpark();
    }
}

#[inline]
pub(crate) fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| String::from("with something that is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_it_ends() {
        let soon = Duration::from_secs(60);
        assert_eq!(run("one", soon, || thread::current().name().map(str::to_owned)), Ok(Some("one".into())));
        assert_eq!(run("a\0b", soon, || 1), Ok(1));
        let panicked = |message: &str| Err(Ended::Panicked(message.to_owned()));
        assert_eq!(run("two", soon, || -> u8 { panic!("of {}", 7) }), panicked("of 7"));
        assert_eq!(run("three", soon, || -> u8 { panic!("text") }), panicked("text"));
        let other = || -> u8 { std::panic::panic_any(7) };
        assert_eq!(run("four", soon, other), panicked("with something that is no text"));
        assert_eq!(run("for ever", Duration::MAX, || 1), Ok(1));
        let never = || thread::sleep(Duration::from_secs(600));
        assert_eq!(run("five", Duration::from_millis(1), never), Err(Ended::TimedOut));
    }

    /// Whoever was woken for something else, as by a run that had ended before anybody waited, must sleep while the code runs.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_wake_up_of_before_disturbs_nothing() {
        fn naps() -> u32 {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            line.unwrap().trim().parse().unwrap()
        }
        thread::current().unpark();
        let before = naps();
        run("six", Duration::from_secs(60), || thread::sleep(Duration::from_millis(100))).unwrap();
        let naps = naps() - before;
        assert!(naps < 50, "{naps}");
    }
}
