//! Runs one benchmark: on a thread of its own, so that a panic ends it alone and one that never ends is left behind.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use perf_runtime::session::complain;
use perf_runtime::show::units::{nanos, percent};

use crate::bencher::Bencher;
use crate::exit::Running;
use crate::judge::{Verdict, judge};
use crate::lock;
use crate::measure::{Measurement, Mode, Plan, Samples};
use crate::own_thread::{self, Ended};
use crate::registry::{Case, Job};
use crate::settings::Settings;
use crate::stats::{Sample, Summary};

/// What became of one case.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) case: Case,
    pub(crate) end: End,
    /// All that were taken.
    #[cfg_attr(not(feature = "bench"), allow(dead_code, reason = "what is saved"))]
    pub(crate) samples: Vec<Sample>,
    /// How long it took, all in all.
    pub(crate) elapsed: Duration,
}

/// How it ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Measured(Summary, Verdict),
    /// Its result is not as it should be: why.
    Refused(String),
    /// With the message.
    Panicked(String),
    /// With what was measured by then.
    TimedOut(Option<Summary>),
    /// It handed over nothing to measure, or more than one thing.
    Misused(usize),
    /// It cannot be run at all: why.
    NotRun(String),
}

impl Outcome {
    /// Why the test fails, in one line that starts with the place; `None` if it does not.
    pub(crate) fn failure(&self) -> Option<String> {
        let Case { entry, name, settings, .. } = &self.case;
        let what = match &self.end {
            End::Measured(summary, Verdict::Missed) => missed(summary, settings),
            End::Measured(..) => return None,
            End::Refused(reason) | End::NotRun(reason) => reason.clone(),
            End::Panicked(message) => format!("panicked: {message}"),
            End::TimedOut(_) => format!(
                "did not end within {:?} and is left running, which disturbs what is measured after it; raise `timeout` if it may take \
                 longer",
                settings.timeout
            ),
            End::Misused(0) => String::from(
                "measured nothing: a function that takes a `Bencher` has to call `iter` or one of its kind",
            ),
            End::Misused(times) => format!("measured {times} things: write a benchmark for each"),
        };
        Some(format!("{}: `{name}` {what}", entry.place()))
    }
}

fn missed(summary: &Summary, settings: &Settings) -> String {
    let target = settings.target.unwrap_or_default();
    let from = settings.target_from.as_ref().map_or_else(String::new, |from| format!(" ({from})"));
    let Summary { samples, calls, best, waited, median, interval, p95, .. } = *summary;
    let of = if calls == 1 { String::new() } else { format!(" of {calls} calls each") };
    let those = if samples == 1 { String::from("1 sample") } else { format!("{samples} samples{of}") };
    let which = if summary.has_interval() { "95 % interval" } else { "all of them" };
    let busy = if summary.waited_much() {
        format!("; it waited for a processor {} of the time, and misses without that too", percent(waited))
    } else {
        String::new()
    };
    format!(
        "missed its target of {}{from}: the best of {those} took {} per call (median {}, {which} {} to {}, p95 {}{busy})",
        nanos(target),
        nanos(best),
        nanos(median),
        nanos(interval.0),
        nanos(interval.1),
        nanos(p95)
    )
}

/// Runs a case when nobody else measures.
pub(crate) fn run(job: Job, mode: Mode) -> Outcome {
    let Job { case, body } = job;
    let start = Instant::now();
    let samples = Arc::new(Samples::default());
    let taken = Arc::clone(&samples);
    let end = body.map_or_else(End::NotRun, |body| {
        let entry = case.entry;
        let judged = judge_always() || (entry.optimised)();
        let Settings { target, iterations, warmup, timeout, .. } = case.settings;
        let plan = Plan {
            mode,
            judged_target: target.filter(|_| judged),
            iterations,
            warmup,
            timeout,
            samples: taken,
        };
        let _measuring = lock::measuring(timeout);
        let _running = Running::new(&case.name);
        let measurements = own_thread::run(&case.name, timeout, move || {
            let mut bencher = Bencher::new(&plan);
            body(&mut bencher);
            bencher.measurements
        });
        match measurements {
            Ok(measurements) => match measurements.as_slice() {
                [Measurement::Summary(summary)] => End::Measured(*summary, judge(summary, target, judged)),
                [.., Measurement::Refused(reason)] => End::Refused(reason.clone()),
                many => End::Misused(many.len()),
            },
            Err(Ended::Panicked(message)) => End::Panicked(message),
            Err(Ended::TimedOut) => End::TimedOut(samples.summary()),
            Err(Ended::NotBegun(reason)) => End::NotRun(reason),
        }
    });
    Outcome { case, end, samples: samples.all(), elapsed: start.elapsed() }
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
