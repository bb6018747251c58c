//! Runs one benchmark: on a thread of its own, so that a panic ends it alone and one that never ends is left behind.

use core::any::Any;
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use perf_runtime::session::complain;
use perf_runtime::show::units::{duration, nanos};

use crate::bencher::Bencher;
use crate::judge::{Verdict, judge};
use crate::lock;
use crate::measure::{Measurement, Mode, Plan};
use crate::registry::Case;
use crate::stats::Summary;

/// What became of one case.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) case: Case,
    pub(crate) end: End,
    /// How long it took, all in all.
    pub(crate) elapsed: Duration,
}

/// How it ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Measured(Summary, Verdict),
    /// `validate` refused the result.
    Invalid,
    /// With the message.
    Panicked(String),
    TimedOut,
    /// It handed over nothing to measure, or more than one thing.
    Misused(usize),
    /// There is no thread to run it on.
    NoThread(String),
}

impl Outcome {
    /// Why the test fails, in one line that starts with the place; `None` if it does not.
    pub(crate) fn failure(&self) -> Option<String> {
        let Case { entry, name, .. } = &self.case;
        let what = match &self.end {
            End::Measured(summary, Verdict::Missed) => missed(summary, entry.target.unwrap_or_default()),
            End::Measured(..) => return None,
            End::Invalid => String::from("returned a result that `validate` refuses"),
            End::Panicked(message) => format!("panicked: {message}"),
            End::TimedOut => format!(
                "did not end within {:?} and is left running, which disturbs what is measured after it; raise `timeout` if it may take \
                 longer",
                entry.timeout
            ),
            End::Misused(0) => String::from(
                "measured nothing: a function that takes a `Bencher` has to call `iter` or one of its kind",
            ),
            End::Misused(times) => format!("measured {times} things: write a benchmark for each"),
            End::NoThread(error) => format!("could not be run on a thread of its own: {error}"),
        };
        Some(format!("{}: `{name}` {what}", entry.place()))
    }
}

fn missed(summary: &Summary, target: Duration) -> String {
    let Summary { samples, calls, best, median, interval, p95, .. } = *summary;
    let of = if calls == 1 { String::new() } else { format!(" of {calls} calls each") };
    let those = if samples == 1 { String::from("1 sample") } else { format!("{samples} samples{of}") };
    format!(
        "missed its target of {}: the best of {those} took {} per call (median {}, 95 % interval {} to {}, p95 {})",
        duration(target),
        nanos(best),
        nanos(median),
        nanos(interval.0),
        nanos(interval.1),
        nanos(p95)
    )
}

/// Runs a case when nobody else measures.
pub(crate) fn run(case: &Case, mode: Mode) -> Outcome {
    let entry = case.entry;
    let judged = entry.optimised || judge_always();
    let target = entry.target.map(|target| target.as_nanos() as f64);
    let plan = Plan {
        mode,
        judged_target: target.filter(|_| judged),
        iterations: entry.iterations,
        warmup: entry.warmup,
    };
    let _measuring = lock::measuring();
    let start = Instant::now();
    let end = match in_time(case, plan) {
        Ok(measurements) => match measurements.as_slice() {
            [Measurement::Summary(summary)] => End::Measured(*summary, judge(summary, target, judged)),
            [Measurement::Invalid] => End::Invalid,
            many => End::Misused(many.len()),
        },
        Err(end) => end,
    };
    Outcome { case: case.clone(), end, elapsed: start.elapsed() }
}

/// Runs a case on its own thread, and gives up on it when its time is up.
fn in_time(case: &Case, plan: Plan) -> Result<Vec<Measurement>, End> {
    let (sender, receiver) = mpsc::channel();
    let (entry, index) = (case.entry, case.index);
    let body = move || {
        let mut bencher = Bencher::new(&plan);
        (entry.run)(&mut bencher, index);
        // Nobody listens any more if this took too long.
        let _ = sender.send(bencher.measurements);
    };
    let thread = thread::Builder::new().name(case.name.clone()).spawn(body);
    let thread = thread.map_err(|error| End::NoThread(error.to_string()))?;
    match receiver.recv_timeout(entry.timeout) {
        Ok(measurements) => Ok(measurements),
        Err(RecvTimeoutError::Timeout) => Err(End::TimedOut),
        // The thread dropped its end without a word.
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => Err(End::Panicked(message_of(&*panic))),
            Ok(()) => Ok(Vec::new()),
        },
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| String::from("with something that is no text"))
}

/// Whether targets are judged in unoptimised code too: `PERFKIT_JUDGE=always`.
fn judge_always() -> bool {
    static ALWAYS: OnceLock<bool> = OnceLock::new();
    *ALWAYS.get_or_init(|| match std::env::var("PERFKIT_JUDGE").as_deref() {
        Ok("always") => true,
        Ok("") | Err(_) => false,
        Ok(other) => {
            complain(format_args!("PERFKIT_JUDGE does not know `{other}` (known: always)"));
            false
        }
    })
}
