//! Runs one benchmark: on a thread of its own, so that a panic ends it alone and one that never ends is left behind.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use perf_runtime::session::complain;
use perf_runtime::show::units::{nanos, percent};

use crate::bencher::Bencher;
use crate::exit::{self, Running};
use crate::judge::{Verdict, judge};
use crate::measure::{Measurement, Mode, Plan};
use crate::registry::{Case, Job, message_of};
use crate::stats::Summary;
use crate::{lock, own_thread};

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
    /// Its result is not as it should be, or it cannot be run at all: why.
    Refused(String),
    /// With the message.
    Panicked(String),
    /// With what was measured by then.
    TimedOut(Option<Summary>),
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
            End::Refused(reason) => reason.clone(),
            End::Panicked(message) => format!("panicked: {message}"),
            End::TimedOut(_) => format!(
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

fn missed(summary: &Summary, target: f64) -> String {
    let Summary { samples, calls, best, waited, median, interval, p95, .. } = *summary;
    let of = if calls == 1 { String::new() } else { format!(" of {calls} calls each") };
    let those = if samples == 1 { String::from("1 sample") } else { format!("{samples} samples{of}") };
    let which = if summary.has_interval() { "95 % interval" } else { "all of them" };
    let busy = if waited < WORTH_TELLING {
        String::new()
    } else {
        format!("; it waited for a processor {} of the time, and misses without that too", percent(waited))
    };
    format!(
        "missed its target of {}: the best of {those} took {} per call (median {}, {which} {} to {}, p95 {}{busy})",
        nanos(target),
        nanos(best),
        nanos(median),
        nanos(interval.0),
        nanos(interval.1),
        nanos(p95)
    )
}

/// A share of the time.
const WORTH_TELLING: f64 = 0.01;

/// Runs a case when nobody else measures.
pub(crate) fn run(job: Job, mode: Mode) -> Outcome {
    let Job { case, body } = job;
    let start = Instant::now();
    let end = body.map_or_else(End::Refused, |body| {
        let entry = case.entry;
        let judged = judge_always() || (entry.optimised)();
        let plan = Plan {
            mode,
            judged_target: entry.target.filter(|_| judged),
            iterations: entry.iterations,
            warmup: entry.warmup,
            timeout: entry.timeout,
            samples: Arc::default(),
        };
        let _measuring = lock::measuring(entry.timeout);
        let _running = Running::new(&case.name);
        match in_time(&case.name, body, plan) {
            Ok(measurements) => match measurements.as_slice() {
                [Measurement::Summary(summary)] => {
                    End::Measured(*summary, judge(summary, entry.target, judged))
                }
                [.., Measurement::Refused(reason)] => End::Refused(reason.clone()),
                many => End::Misused(many.len()),
            },
            Err(end) => end,
        }
    });
    Outcome { case, end, elapsed: start.elapsed() }
}

/// Runs a case on its own thread, and gives up on it when its time is up.
fn in_time(
    name: &str,
    body: impl FnOnce(&mut Bencher<'_>) + Send + 'static,
    plan: Plan,
) -> Result<Vec<Measurement>, End> {
    let (sender, receiver) = mpsc::channel();
    let (timeout, samples) = (plan.timeout, Arc::clone(&plan.samples));
    let benchmark = name.to_owned();
    let thread = own_thread::spawn(name, move || {
        exit::this_thread_runs(benchmark);
        let mut bencher = Bencher::new(&plan);
        body(&mut bencher);
        // Nobody listens any more if this took too long.
        let _ = sender.send(bencher.measurements);
    });
    let thread = thread.map_err(|error| End::NoThread(error.to_string()))?;
    match receiver.recv_timeout(timeout) {
        Ok(measurements) => Ok(measurements),
        Err(RecvTimeoutError::Timeout) => Err(End::TimedOut(samples.summary())),
        // The thread dropped its end without a word.
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => Err(End::Panicked(message_of(&*panic))),
            Ok(()) => Ok(Vec::new()),
        },
    }
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
