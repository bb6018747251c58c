//! How a benchmark's calls grow with the size of its `args`, in time and in memory; the points are for [`judge`](crate::judge) to say something of.
//!
//! For time, all sizes are measured anew, up and down, so that what changes with time (a clock rate, a busy machine) does not look like growth.
//! A class that seems exceeded is measured again, twice, with pauses between, and the least of all counts: as for targets, what disturbs a machine
//! makes some sizes slower, which may look like growth, and nothing faster. Memory is counted, and counts do not vary: each size is looked at once.

use std::fmt::Write as _;
use std::sync::Arc;
use std::thread;

use perf_runtime::show::units::count;

use crate::judge::{Class, Complexity, Cost, Growth, MOST_SLOPE, Point, judge_complexity};
use crate::measure::footprint::Look;
use crate::measure::plan::{Mode, Plan};
use crate::measure::sampling::{PAUSE, ROUNDS};
use crate::registry::cases::Body;
use crate::registry::entry::{BenchmarkEntry, Case};
use crate::run::outcome::{End, Figures, Outcome, measure};
use crate::show::chart;
use crate::stats::Summary;

/// Of a size, in each direction of a round: the least of seven is within some percent of the least of all.
const SAMPLES: u64 = 7;

/// Measures and judges what was declared of that cost.
#[inline]
pub(crate) fn run(case: &Case, cost: Cost, declared: Class, sizes: &[(u64, Body)]) -> End {
    let grown = match cost {
        Cost::Time => time(case, declared, sizes),
        Cost::Memory => memory(case, declared, sizes),
    };
    match grown {
        Ok(complexity) => End::Grew(complexity),
        Err(end) => end,
    }
}

#[allow(clippy::result_large_err, reason = "once for each benchmark")]
#[inline]
fn time(case: &Case, declared: Class, sizes: &[(u64, Body)]) -> Result<Complexity, End> {
    let mut points = Vec::new();
    let mut complexity = judge_complexity(Cost::Time, &points, Some(declared));
    for round in 0..ROUNDS {
        if round > 0 {
            thread::sleep(PAUSE);
        }
        for (size, body) in sizes.iter().chain(sizes.iter().rev()) {
            // The cases were looked at.
            let summary = at_one_size(case, body, Look::none(), SAMPLES, case.settings.warmup)?;
            points.push(Point { size: *size, cost: summary.undisturbed });
        }
        complexity = judge_complexity(Cost::Time, &points, Some(declared));
        if !matches!(complexity.growth, Growth::Worse { .. }) {
            break;
        }
    }
    Ok(complexity)
}

#[allow(clippy::result_large_err, reason = "once for each benchmark")]
#[inline]
fn memory(case: &Case, declared: Class, sizes: &[(u64, Body)]) -> Result<Complexity, End> {
    let mut points = Vec::new();
    for (size, body) in sizes {
        let look = Look::at(case.entry, case.settings.timeout, Mode::Test, body.threads());
        // What calls keep was looked for in the cases.
        let look = Look { may_grow: true, ..look };
        let summary = at_one_size(case, body, look, 1, Some(0))?;
        points.extend(cost_of(Cost::Memory, &summary).map(|cost| Point { size: *size, cost }));
    }
    let mut complexity = judge_complexity(Cost::Memory, &points, Some(declared));
    if points.len() < sizes.len() {
        complexity.growth = Growth::NotCounted;
    }
    Ok(complexity)
}

#[allow(clippy::result_large_err, reason = "once for each size")]
#[inline]
fn at_one_size(
    case: &Case,
    body: &Body,
    look: Look,
    samples: u64,
    warmup: Option<u64>,
) -> Result<Summary, End> {
    let plan = Plan {
        mode: Mode::Test,
        target: None,
        threads: body.threads(),
        look,
        iterations: Some(samples),
        warmup,
        timeout: case.settings.timeout,
        samples: Arc::default(),
        driver: None,
    };
    measure(case, body, plan, drop).map(|(summary, _)| summary)
}

/// What a case costs as it was measured; `None` where nobody counted.
#[inline]
fn cost_of(cost: Cost, summary: &Summary) -> Option<f64> {
    match cost {
        Cost::Time => Some(summary.best),
        Cost::Memory => summary.memory.usage.map(|usage| usage.peak as f64),
    }
}

/// The complexity of every series of which there is something to be said, with the outcome that gives it its name, in their order: of its time, and then of its
/// memory. Where none was declared it is of the cases as they were measured, one after the other, and shown only if a class can be named.
#[inline]
pub(crate) fn all(outcomes: &[Outcome]) -> Vec<(&Outcome, Complexity)> {
    #[inline]
    fn series(outcome: &Outcome) -> (*const BenchmarkEntry, &str) {
        (std::ptr::from_ref(outcome.case.entry), &*outcome.case.series)
    }
    let (mut all, mut firsts) = (Vec::new(), Vec::<&Outcome>::new());
    for (place, first) in outcomes.iter().enumerate() {
        if firsts.iter().any(|other| series(other) == series(first)) {
            continue;
        }
        firsts.push(first);
        for cost in [Cost::Time, Cost::Memory] {
            let (mut points, mut declared) = (Vec::new(), None);
            for outcome in outcomes[place..].iter().filter(|outcome| series(outcome) == series(first)) {
                match (&outcome.end, outcome.case.size) {
                    (End::Grew(complexity), _) if complexity.cost == cost => {
                        declared = Some(complexity.clone());
                    }
                    (End::Measured(Figures { summary, .. }, _), Some(size)) => {
                        points.extend(cost_of(cost, summary).map(|cost| Point { size, cost }));
                    }
                    _ => {}
                }
            }
            let complexity = declared.unwrap_or_else(|| judge_complexity(cost, &points, None));
            if complexity.declared.is_some() || complexity.fit.is_ok() {
                all.push((first, complexity));
            }
        }
    }
    all
}

/// Why a declared class was exceeded, with the points in words and drawn; `None` if it was not.
#[inline]
pub(crate) fn failure(complexity: &Complexity) -> Option<String> {
    let Growth::Worse { slope, exponential } = complexity.growth else { return None };
    let (cost, declared) = (complexity.cost, complexity.declared?);
    let fits = match &complexity.fit {
        Ok(fit) => {
            format!("{} fits{}", fit.name(), fit.r2.map_or_else(String::new, |r2| format!(" (R² {r2:.3})")))
        }
        Err(unknown) => format!("no class is named of {unknown}"),
    };
    let base = if exponential { "2ⁿ" } else { "n" };
    let mut least = String::new();
    for point in &complexity.points {
        let comma = if least.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(least, "{comma}{} at {}", cost.show(point.cost), count(point.size));
    }
    Some(format!(
        "grows faster than {declared}: {fits}; a call's {} by what {declared} allows still grows as {base} to the power of {slope:.2}, and \
         {MOST_SLOPE} is let pass (the least: {least})\n{}",
        cost.name(),
        chart::text(complexity)
    ))
}
