//! Runs one benchmark: on a thread of its own, so that a panic ends it alone and one that never ends is left behind.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use perf_runtime::session::complain;
use perf_runtime::show::units::{nanos, per_second, percent};

use crate::exit::Running;
use crate::judge::{Target, Verdict, judge};
use crate::lock;
use crate::measure::{Measurement, Mode, Plan, Samples};
use crate::own_thread::{self, Ended};
use crate::registry::{Case, Job};
use crate::stats::Summary;
use crate::work::Work;

/// What became of one case.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) case: Case,
    pub(crate) end: End,
    /// How long it took, all in all.
    pub(crate) elapsed: Duration,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    pub(crate) summary: Summary,
    pub(crate) work: Work,
    /// That ran it at once.
    pub(crate) threads: usize,
    /// The nanoseconds that a call may take.
    pub(crate) limit: Option<f64>,
}

/// How it ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Measured(Figures, Verdict),
    /// Its result is not as it should be: why.
    Refused(String),
    /// With the message.
    Panicked(String),
    /// With what was measured by then.
    TimedOut(Option<Summary>),
    /// By Ctrl-C, with what was measured by then.
    Interrupted(Option<Summary>),
    /// It handed over nothing to measure, or more than one thing.
    Misused(usize),
    /// It cannot be run at all: why.
    NotRun(String),
}

impl Outcome {
    /// Why the test fails, in one line that starts with the place; `None` if it does not.
    pub(crate) fn failure(&self) -> Option<String> {
        let Case { entry, name, .. } = &self.case;
        let what = match &self.end {
            End::Measured(figures, Verdict::Missed) => missed(figures, entry.target),
            End::Measured(..) => return None,
            End::Refused(reason) | End::NotRun(reason) => reason.clone(),
            End::Panicked(message) => format!("panicked: {message}"),
            End::TimedOut(_) => format!(
                "did not end within {:?} and is left running, which disturbs what is measured after it; raise `timeout` if it may take \
                 longer",
                entry.timeout
            ),
            End::Interrupted(_) => String::from("was interrupted"),
            End::Misused(0) => String::from(
                "measured nothing: a function that takes a `Bencher` has to call `iter` or one of its kind",
            ),
            End::Misused(times) => format!("measured {times} things: write a benchmark for each"),
        };
        Some(format!("{}: `{name}` {what}", entry.place()))
    }
}

fn missed(figures: &Figures, target: Option<Target>) -> String {
    let Figures { summary, work, limit, .. } = figures;
    let Summary { samples, calls, best, waited, median, interval, p95, .. } = *summary;
    let of = if calls == 1 { String::new() } else { format!(" of {calls} calls each") };
    let those = if samples == 1 { String::from("1 sample") } else { format!("{samples} samples{of}") };
    let which = if summary.has_interval() { "95 % interval" } else { "all of them" };
    let busy = if summary.waited_much() {
        format!("; it waited for a processor {} of the time, and misses without that too", percent(waited))
    } else {
        String::new()
    };
    let limit = nanos(limit.unwrap_or_default());
    let promised = match target {
        Some(Target::PerSecond(rate)) => {
            let what = if work.items.is_some() { "items" } else { "calls" };
            format!("{} ({what}), which is {limit} per call", per_second(rate))
        }
        _ => limit,
    };
    format!(
        "missed its target of {promised}: the best of {those} took {} per call (median {}, {which} {} to {}, p95 {}{busy})",
        nanos(best),
        nanos(median),
        nanos(interval.0),
        nanos(interval.1),
        nanos(p95)
    )
}

/// Runs a case when nobody else measures. `watch` is shown the samples that will be taken; what it returns lives as long as the benchmark runs.
pub(crate) fn run<W>(job: Job, mode: Mode, watch: impl FnOnce(Arc<Samples>) -> W) -> Outcome {
    let Job { case, body } = job;
    let start = Instant::now();
    let end = body.map_or_else(End::NotRun, |body| {
        let entry = case.entry;
        let judged = judge_always() || (entry.optimised)();
        let plan = Plan {
            mode,
            target: entry.target.filter(|_| judged),
            threads: body.threads(),
            iterations: entry.iterations,
            warmup: entry.warmup,
            timeout: entry.timeout,
            samples: Arc::default(),
            driver: None,
        };
        let _measuring = lock::measuring(entry.timeout);
        let _running = Running::new(&case.name);
        let samples = Arc::clone(&plan.samples);
        let threads = plan.threads;
        let _watching = watch(Arc::clone(&samples));
        let ended = own_thread::run(&case.name, entry.timeout, move || body.run(&plan));
        match ended {
            Ok((measurements, work)) => match measurements.as_slice() {
                [Measurement::Summary(summary)] => {
                    let limit = entry.target.map(|target| target.limit(work, threads));
                    let figures = Figures { summary: *summary, work, threads, limit };
                    End::Measured(figures, judge(summary, limit, judged))
                }
                [.., Measurement::Refused(reason)] => End::Refused(reason.clone()),
                many => End::Misused(many.len()),
            },
            Err(Ended::Panicked(message)) => End::Panicked(message),
            Err(Ended::TimedOut) => End::TimedOut(samples.summary()),
            Err(Ended::Interrupted) => End::Interrupted(samples.summary()),
            Err(Ended::NotBegun(reason)) => End::NotRun(reason),
        }
    });
    Outcome { case, end, elapsed: start.elapsed() }
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
