//! How a benchmark's calls grow with the size of its `args`: all sizes are measured anew, up and down, so that what changes with time (a clock rate, a busy
//! machine) does not look like growth; then the points are for [`judge`](crate::judge) to say something of.
//!
//! A class that seems exceeded is measured again, twice, with pauses between, and the least of all counts: as for targets, what disturbs a machine
//! makes some sizes slower, which may look like growth, and nothing faster.

use std::sync::Arc;
use std::thread;

use perf_runtime::show::units::count;

use crate::cases::Body;
use crate::chart;
use crate::judge::{Class, Complexity, Cost, Growth, MOST_SLOPE, Point, judge_complexity};
use crate::measure::{Mode, PAUSE, Plan, ROUNDS, Samples};
use crate::registry::Case;
use crate::run::{End, Outcome, measure};

/// Of a size, in each direction of a round: the least of seven is within some percent of the least of all.
const SAMPLES: u64 = 7;

/// Measures and judges what was declared.
pub(crate) fn run(case: &Case, declared: Class, sizes: &[(u64, Body)]) -> End {
    let mut points = Vec::new();
    let mut complexity = judge_complexity(Cost::Time, &points, Some(declared));
    for round in 0..ROUNDS {
        if round > 0 {
            thread::sleep(PAUSE);
        }
        for (size, body) in sizes.iter().chain(sizes.iter().rev()) {
            let samples = Arc::<Samples>::default();
            let plan = Plan {
                mode: Mode::Test,
                target: None,
                threads: body.threads(),
                iterations: Some(SAMPLES),
                warmup: case.entry.warmup,
                timeout: case.entry.timeout,
                samples: Arc::clone(&samples),
                driver: None,
            };
            if let Err(end) = measure(case, body, plan, drop) {
                return end;
            }
            points.extend(samples.least().map(|cost| Point { size: *size, cost }));
        }
        complexity = judge_complexity(Cost::Time, &points, Some(declared));
        if !matches!(complexity.growth, Growth::Worse { .. }) {
            break;
        }
    }
    End::Grew(complexity)
}

/// What the cases of one series say of its growth, measured each for itself as they were: nothing where none was declared and none can be told.
fn seen(outcomes: &[&Outcome]) -> Option<Complexity> {
    let point = |outcome: &&Outcome| match &outcome.end {
        End::Measured(figures, _) => Some(Point { size: outcome.case.size?, cost: figures.summary.best }),
        _ => None,
    };
    let points: Vec<Point> = outcomes.iter().filter_map(point).collect();
    let complexity = judge_complexity(Cost::Time, &points, None);
    complexity.fit.is_ok().then_some(complexity)
}

/// The complexity of every series of which there is something to be said, with the outcome that gives it its name, in their order.
pub(crate) fn all(outcomes: &[Outcome]) -> Vec<(&Outcome, Complexity)> {
    let series = |outcome: &Outcome| (std::ptr::from_ref(outcome.case.entry), outcome.case.series);
    let mut all = Vec::new();
    for (place, first) in outcomes.iter().enumerate() {
        if outcomes[..place].iter().any(|before| series(before) == series(first)) {
            continue;
        }
        let of_it: Vec<&Outcome> =
            outcomes[place..].iter().filter(|outcome| series(outcome) == series(first)).collect();
        let declared = of_it.iter().find_map(|outcome| match &outcome.end {
            End::Grew(complexity) => Some(complexity.clone()),
            _ => None,
        });
        all.extend(declared.or_else(|| seen(&of_it)).map(|complexity| (first, complexity)));
    }
    all
}

/// Why a declared class was exceeded, with the points in words and drawn; `None` if it was not.
pub(crate) fn failure(complexity: &Complexity) -> Option<String> {
    let Growth::Worse { slope, exponential } = complexity.growth else { return None };
    let (cost, declared) = (complexity.cost, complexity.declared?);
    let fits = complexity.fit.map_or_else(
        |unknown| format!("no class is named of {unknown}"),
        |fit| {
            format!("{} fits{}", fit.name(), fit.r2.map_or_else(String::new, |r2| format!(" (R² {r2:.3})")))
        },
    );
    let base = if exponential { "2ⁿ" } else { "n" };
    let times =
        complexity.points.iter().map(|point| format!("{} at {}", cost.show(point.cost), count(point.size)));
    let times: Vec<String> = times.collect();
    Some(format!(
        "grows faster than {declared}: {fits}; a call's {} by what {declared} allows still grows as {base} to the power of {slope:.2}, and \
         {MOST_SLOPE} is let pass (the least: {})\n{}",
        cost.name(),
        times.join(", "),
        chart::text(complexity)
    ))
}
