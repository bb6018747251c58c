//! How far a long run is: a line behind the name of the benchmark that runs, on a terminal only, gone when that ends.
//!
//! It is written seldom, and not at all of a benchmark that is over soon, so that it disturbs nothing. Must never be part of what a program reads.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::harness::reporter::say;
use crate::measure::plan::Samples;
use crate::run::own_thread;

/// See the module. Dropped, it takes away what it wrote.
#[derive(Debug)]
pub(crate) struct Progress {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How often it is written.
const EVERY: Duration = Duration::from_millis(500);
/// Saves where the cursor is, and goes back there after all to the right of it is erased.
const SAVE: &str = "\u{1b}7";
const BACK: &str = "\u{1b}8\u{1b}[K";

impl Progress {
    /// Of the benchmark of this number, from 1, of so many; `samples` are those it has taken.
    #[inline]
    pub(crate) fn of(number: usize, count: usize, samples: Arc<Samples>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        if !io::stdout().is_terminal() {
            return Progress { is_over, thread: None };
        }
        let stops = Arc::clone(&is_over);
        let draw = Box::new(move || draw(number, count, &samples, &stops));
        let thread = own_thread::begin("perfkit-progress", own_thread::LITTLE_STACK, draw).ok();
        Progress { is_over, thread }
    }
}

/// Writes it until that is over.
#[inline]
fn draw(number: usize, count: usize, samples: &Samples, is_over: &AtomicBool) {
    let mut is_drawn = false;
    let mut next = Instant::now() + EVERY;
    loop {
        // Whoever ends it wakes this thread.
        thread::park_timeout(next.saturating_duration_since(Instant::now()));
        if is_over.load(Ordering::Acquire) {
            break;
        }
        if Instant::now() < next {
            continue;
        }
        next += EVERY;
        let bar = bar(number, count, samples.count());
        say(&if is_drawn { format!("{BACK}{bar}") } else { format!("{SAVE}{bar}") });
        is_drawn = true;
    }
    if is_drawn {
        say(BACK);
    }
}

impl Drop for Progress {
    #[inline]
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It says nothing that would matter.
            let _ = thread.join();
        }
    }
}

/// `[=====>              ] 3 of 12, 37 samples`.
#[inline]
fn bar(number: usize, count: usize, samples: usize) -> String {
    const WIDTH: usize = 20;
    let done = (number.saturating_sub(1) * WIDTH / count.max(1)).min(WIDTH - 1);
    let samples = if samples == 1 { String::from("1 sample") } else { format!("{samples} samples") };
    format!("[{}>{}] {number} of {count}, {samples}", "=".repeat(done), " ".repeat(WIDTH - 1 - done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        assert_eq!(bar(1, 4, 0), "[>                   ] 1 of 4, 0 samples");
        assert_eq!(bar(3, 4, 1), "[==========>         ] 3 of 4, 1 sample");
        assert_eq!(bar(9, 4, 7).len(), bar(4, 4, 7).len());
    }

    #[test]
    fn where_there_is_no_terminal_there_is_none() {
        let progress = Progress::of(1, 1, Arc::default());
        assert!(progress.thread.is_none() || io::stdout().is_terminal());
    }
}
