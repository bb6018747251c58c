//! Runs one benchmark: on a thread of its own, so that a panic ends it alone and one that never ends is left behind.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use perf_runtime::session::complain;
use perf_runtime::show::units::{nanos, per_second, percent};

use crate::judge::{Complexity, Target, Verdict, exceeded, judge};
use crate::measure::footprint::{self, Look};
use crate::measure::plan::{Mode, Plan, Samples};
use crate::measure::sampling::Measurement;
use crate::measure::work::Work;
use crate::registry::cases::{Body, StillRuns};
use crate::registry::entry::{BenchmarkEntry, Case, Job, Task};
use crate::registry::settings::Settings;
use crate::run::exit::Running;
use crate::run::growth;
use crate::run::lock;
use crate::run::own_thread::{self, Ended};
use crate::stats::{Sample, Summary};

/// What became of one case.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) case: Case,
    pub(crate) end: End,
    /// All that were taken.
    #[cfg_attr(not(feature = "bench"), allow(dead_code, reason = "what is saved"))]
    pub(crate) samples: Vec<Sample>,
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
    /// The nanoseconds that a call may take; `None` too where a target is of items, and there are none.
    pub(crate) limit: Option<f64>,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum End {
    Measured(Figures, Verdict),
    /// Of all sizes: how it grows with them.
    Grew(Complexity),
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
    /// Why the test fails, in a line that starts with the place, and a chart below it where there is one; `None` if it does not.
    #[inline]
    pub(crate) fn failure(&self) -> Option<String> {
        let Case { entry, name, settings, .. } = &self.case;
        let what = match &self.end {
            End::Measured(figures, verdict) => faults(entry, settings, figures, *verdict)?,
            End::Grew(complexity) => growth::failure(complexity)?,
            End::Refused(reason) | End::NotRun(reason) => reason.clone(),
            End::Panicked(message) => format!("panicked: {message}"),
            End::TimedOut(_) => format!(
                "did not end within {:?} and is left running, which disturbs what is measured after it; raise `timeout` if it may take \
                 longer",
                settings.timeout
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

/// All that is wrong with what was measured.
#[inline]
fn faults(
    entry: &BenchmarkEntry,
    settings: &Settings,
    figures: &Figures,
    verdict: Verdict,
) -> Option<String> {
    let slow = (verdict == Verdict::Missed).then(|| missed(figures, settings));
    let memory = &figures.summary.memory;
    let large = memory.usage.as_ref().into_iter().flat_map(|usage| exceeded(usage, entry.promise));
    let faults: Vec<String> = slow.into_iter().chain(large).chain(memory.growth.failure()).collect();
    (!faults.is_empty()).then(|| faults.join("; and "))
}

#[inline]
fn missed(figures: &Figures, settings: &Settings) -> String {
    let Figures { summary, work, limit, .. } = figures;
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
    let limit = nanos(limit.unwrap_or_default());
    let promised = match settings.target {
        Some(Target::PerSecond(rate)) => {
            let what = if work.items.is_some() { "items" } else { "calls" };
            format!("{} ({what}), which is {limit} per call", per_second(rate))
        }
        _ => limit,
    };
    format!(
        "missed its target of {promised}{from}: the best of {those} took {} per call (median {}, {which} {} to {}, p95 {}{busy})",
        nanos(best),
        nanos(median),
        nanos(interval.0),
        nanos(interval.1),
        nanos(p95)
    )
}

/// Runs a job when nobody else measures. `watch` is shown the samples that will be taken; what it returns lives as long as the benchmark runs.
#[inline]
pub(crate) fn run<W>(job: Job, mode: Mode, watch: impl FnOnce(Arc<Samples>) -> W) -> Outcome {
    let Job { case, task } = job;
    let start = Instant::now();
    let mut samples = Vec::new();
    let end = match task {
        Ok(Task::Case(body)) => {
            let taken = Arc::new(Samples::default());
            let end = run_case(&case, &body, mode, &taken, watch);
            samples = taken.all();
            end
        }
        Ok(Task::Growth(cost, declared, sizes)) => growth::run(&case, cost, declared, &sizes),
        Err(reason) => End::NotRun(reason),
    };
    Outcome { case, end, samples, elapsed: start.elapsed() }
}

#[inline]
fn run_case<W>(
    case: &Case,
    body: &Body,
    mode: Mode,
    samples: &Arc<Samples>,
    watch: impl FnOnce(Arc<Samples>) -> W,
) -> End {
    let entry = case.entry;
    let Settings { target, iterations, warmup, timeout, .. } = case.settings;
    let judged = judge_always() || (entry.optimised)();
    let threads = body.threads();
    let plan = Plan {
        mode,
        target: target.filter(|_| judged),
        threads,
        iterations,
        warmup,
        timeout,
        look: Look::at(entry, timeout, mode, threads),
        samples: Arc::clone(samples),
        driver: None,
    };
    match measure(case, body, plan, watch) {
        Ok((summary, work)) => {
            let limit = target.and_then(|target| target.limit(work, threads));
            let verdict = match (target, limit) {
                (Some(_), None) => Verdict::NotJudged,
                _ => judge(&summary, limit, judged),
            };
            End::Measured(Figures { summary, work, threads, limit }, verdict)
        }
        Err(end) => end,
    }
}

/// Measures one thing, or says how it ended without a figure.
#[allow(clippy::result_large_err, reason = "once for each benchmark")]
#[inline]
pub(crate) fn measure<W>(
    case: &Case,
    body: &Body,
    plan: Plan,
    watch: impl FnOnce(Arc<Samples>) -> W,
) -> Result<(Summary, Work), End> {
    let _measuring = lock::measuring(plan.timeout);
    let _running = Running::new(&case.name);
    let _watching = watch(Arc::clone(&plan.samples));
    match run_beside_others(case, body, plan)? {
        (Measurement::Summary(summary), work) => Ok((summary, work)),
        // There is nothing else without a driver.
        _ => Err(End::Misused(1)),
    }
}

/// Runs it on a thread of its own, whoever else measures, and gives the one thing that came of it.
#[allow(clippy::result_large_err, reason = "once for each benchmark")]
#[inline]
pub(crate) fn run_beside_others(case: &Case, body: &Body, plan: Plan) -> Result<(Measurement, Work), End> {
    let (body, timeout, samples) = (body.clone(), plan.timeout, Arc::clone(&plan.samples));
    match own_thread::run(&case.name, timeout, move || body.run(&plan)) {
        Ok(Ok((measurements, work))) => match measurements.as_slice() {
            [.., Measurement::Refused(reason)] => Err(End::Refused(reason.clone())),
            [one] => Ok((one.clone(), work)),
            many => Err(End::Misused(many.len())),
        },
        Ok(Err(StillRuns)) => Err(End::NotRun(String::from(
            "is still running, since its case of this size did not end in time",
        ))),
        Err(Ended::Panicked(message)) => Err(End::Panicked(message)),
        Err(Ended::TimedOut) => {
            footprint::one_is_left_behind();
            Err(End::TimedOut(samples.summary()))
        }
        Err(Ended::Interrupted) => Err(End::Interrupted(samples.summary())),
        Err(Ended::NotBegun(reason)) => Err(End::NotRun(reason)),
    }
}

/// Whether targets are judged in unoptimised code too: `PERFKIT_JUDGE=always`.
#[inline]
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
