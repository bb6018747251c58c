//! The table of a run: a row for each benchmark.

use perf_runtime::show::names::shorten;
use perf_runtime::show::table::{Cell, Column, Page, Table, Tone};
use perf_runtime::show::units::{bytes, count, nanos, per_second, percent};

use crate::judge::{Leakage, Promise, Target, Verdict, judge_usage, megabytes};
use crate::measure::footprint::Usage;
use crate::measure::plan::Mode;
use crate::run::outcome::{End, Figures, Outcome};
use crate::stats::Summary;

/// What is to be there for allocations to be counted.
pub(crate) const NEEDS_ALLOC: &str = "`#[global_allocator] static ALLOC: perfkit::Alloc = perfkit::Alloc::system();`, and time for a call before `timeout`";

/// The table, ending in a newline; empty where there is nothing to show.
#[inline]
pub(crate) fn table(outcomes: &[Outcome], mode: Mode, page: Page) -> String {
    /// Of what is noisy, so many are named: on a noisy machine it is most.
    const NAMED: usize = 5;
    // How benchmarks grow is in a table of its own.
    let has_a_row = |outcome: &Outcome| !matches!(outcome.end, End::Grew(_));
    if !outcomes.iter().any(has_a_row) {
        return String::new();
    }
    let mut columns = vec![
        Column::name("benchmark"),
        Column::number("median", 10),
        Column::number("95 % interval", 8),
        Column::number("best", 4),
        Column::number("p95", 5),
        Column::number("deviation", 1),
        Column::number("outliers", 1),
        Column::number("throughput", 6),
        Column::number("samples", 2),
    ];
    let counted = outcomes.iter().any(|outcome| usage_of(&outcome.end).is_some());
    if counted {
        columns.extend([Column::number("allocs", 7), Column::number("bytes", 7), Column::number("peak", 3)]);
    }
    columns.extend([Column::number("target", 9), Column::text("verdict", 10)]);
    let mut table = Table::new("Benchmarks", columns);
    let names: Vec<_> = outcomes.iter().map(|outcome| outcome.case.label_or_path()).collect();
    let names = shorten(&mut names.iter());
    let mut too_few = false;
    let (mut busy, mut doubtful, mut from_elsewhere) = (Vec::new(), Vec::new(), Vec::new());
    for (outcome, name) in outcomes.iter().zip(names) {
        if !has_a_row(outcome) {
            continue;
        }
        let (entry, settings) = (outcome.case.entry, &outcome.case.settings);
        let mut cells = vec![name.clone().into()];
        if let Some(from) = &settings.target_from {
            from_elsewhere.push(format!("{name} ({from})"));
        }
        let word = Cell::toned(word_of(&outcome.end), Tone::Bad);
        let (summary, verdict) = match &outcome.end {
            End::Measured(figures, verdict) => {
                (Some(&figures.summary), measured_cell(&figures.summary, *verdict, entry.promise))
            }
            End::TimedOut(summary) | End::Interrupted(summary) => (summary.as_ref(), word),
            _ => (None, word),
        };
        if let Some(summary) = summary {
            too_few |= !summary.has_interval();
            cells.extend(times(summary));
            cells.extend([throughput(&outcome.end), count(summary.samples as u64).into()]);
        } else {
            cells.extend((0..8).map(|_| Cell::none()));
        }
        if counted {
            cells.extend(usage_cells(usage_of(&outcome.end)));
        }
        cells.extend([target_cell(settings.target, entry.promise), verdict]);
        table.row(cells);
        if let End::Measured(Figures { summary, .. }, verdict) = &outcome.end {
            if *verdict == Verdict::Inconclusive && summary.waited_much() {
                busy.push(format!("{name} waited for a processor {} of its time", percent(summary.waited)));
            }
            // Whether a target is kept can be known of figures that are not.
            if mode == Mode::Measure || *verdict == Verdict::Inconclusive {
                doubtful.extend(summary.doubt().map(|reason| format!("{name}: {reason}")));
            }
        }
    }
    for reason in not_judged(outcomes) {
        table.note(format!("not judged: {reason}"));
    }
    if !from_elsewhere.is_empty() {
        table.note(format!("targets that are not from an attribute: {}", from_elsewhere.join(", ")));
    }
    if too_few {
        table.note("in brackets: the least and the most, of too few samples for an interval");
    }
    if !busy.is_empty() {
        table.note(format!("inconclusive on a busy machine: {}", busy.join(", ")));
    }
    if !doubtful.is_empty() {
        let rest = match doubtful.len().saturating_sub(NAMED) {
            0 => String::new(),
            others => format!("; and {others} more"),
        };
        doubtful.truncate(NAMED);
        table.note(format!("too noisy to rely on: {}{rest}", doubtful.join("; ")));
    }
    table.render(page)
}

/// Why what was promised is not judged, each reason once.
#[inline]
fn not_judged(outcomes: &[Outcome]) -> Vec<String> {
    let (mut unoptimised, mut of_nothing, mut not_counted, mut on_threads) = (false, false, false, false);
    for outcome in outcomes {
        let End::Measured(Figures { summary, threads, limit, .. }, verdict) = &outcome.end else { continue };
        if *verdict == Verdict::NotJudged {
            *(if limit.is_none() { &mut of_nothing } else { &mut unoptimised }) = true;
        }
        let promise = outcome.case.entry.promise;
        if judge_usage(summary.memory.usage.as_ref(), promise) == Verdict::NotJudged {
            *(if *threads > 1 { &mut on_threads } else { &mut not_counted }) = true;
        }
    }
    let mut reasons = Vec::new();
    for (is_so, reason) in [
        (
            unoptimised,
            "built without optimisation; `cargo test --release` judges it, PERFKIT_JUDGE=always does so here".to_owned(),
        ),
        (of_nothing, "`target_throughput` is of `items`, and a call works off none of them".to_owned()),
        (not_counted, format!("`target_allocs` and `target_memory_mb` need {NEEDS_ALLOC}")),
        (
            on_threads,
            "what several threads allocate at once is not counted; `target_allocs` and `target_memory_mb` are judged on one".to_owned(),
        ),
    ] {
        if is_so {
            reasons.push(reason);
        }
    }
    reasons
}

#[inline]
fn times(summary: &Summary) -> [Cell; 6] {
    let Summary { samples, median, interval, best, p95, deviation, outliers, .. } = *summary;
    let between = format!("{} … {}", time(interval.0), time(interval.1));
    [
        time(median).into(),
        if summary.has_interval() { between.into() } else { format!("({between})").into() },
        time(best).into(),
        time(p95).into(),
        if median < FLOOR { Cell::none() } else { percent(deviation / median).into() },
        if outliers.count() == 0 {
            Cell::none()
        } else {
            percent(outliers.count() as f64 / samples as f64).into()
        },
    ]
}

/// Bytes, items or calls in a second, of all threads.
#[inline]
fn throughput(end: &End) -> Cell {
    let End::Measured(figures, _) = end else { return Cell::none() };
    let Figures { summary, work, threads, .. } = *figures;
    if summary.median < FLOOR {
        return Cell::none();
    }
    let calls = threads as f64 * 1e9 / summary.median;
    match (work.bytes, work.items) {
        (Some(size), _) => format!("{}/s", bytes((size as f64 * calls) as i64)).into(),
        (None, Some(items)) => per_second(items as f64 * calls).into(),
        (None, None) => per_second(calls).into(),
    }
}

/// Below a third of a nanosecond, a cycle or so, there is nothing to be told of a call.
const FLOOR: f64 = 0.3;

#[inline]
fn time(time: f64) -> String {
    if time < FLOOR { String::from("< 0.3 ns") } else { nanos(time) }
}

#[inline]
fn usage_of(end: &End) -> Option<&Usage> {
    match end {
        End::Measured(figures, _) => figures.summary.memory.usage.as_ref(),
        _ => None,
    }
}

#[inline]
fn usage_cells(usage: Option<&Usage>) -> [Cell; 3] {
    let Some(Usage { allocations, bytes: allocated, peak, .. }) = usage else {
        return [Cell::none(), Cell::none(), Cell::none()];
    };
    [count(*allocations).into(), bytes(allocated.cast_signed()).into(), bytes(peak.cast_signed()).into()]
}

/// All that a benchmark promises.
#[inline]
fn target_cell(target: Option<Target>, promise: Promise) -> Cell {
    let Promise { allocations, bytes } = promise;
    let time = target.map(Target::text);
    let allocations = allocations.map(|allocations| format!("{} allocs", count(allocations)));
    let targets: Vec<String> = time.into_iter().chain(allocations).chain(bytes.map(megabytes)).collect();
    if targets.is_empty() { Cell::none() } else { targets.join(", ").into() }
}

/// What is worst of what was judged.
#[inline]
fn measured_cell(summary: &Summary, time: Verdict, promise: Promise) -> Cell {
    let growth = &summary.memory.growth;
    let memory = judge_usage(summary.memory.usage.as_ref(), promise);
    let either = |verdict| time == verdict || memory == verdict;
    if growth.is_leak() {
        return Cell::toned(format!("LEAK {}", growth.text()), Tone::Bad);
    }
    if either(Verdict::Missed) {
        return verdict_cell(Verdict::Missed);
    }
    if let (Leakage::Undecided(_), Some(_)) = (growth, summary.memory.usage) {
        return Cell::toned(format!("grows: {}", growth.text()), Tone::Warning);
    }
    let worst = [Verdict::Inconclusive, Verdict::NotJudged, Verdict::Met];
    verdict_cell(worst.into_iter().find(|verdict| either(*verdict)).unwrap_or(Verdict::NoTarget))
}

#[inline]
fn verdict_cell(verdict: Verdict) -> Cell {
    match verdict {
        Verdict::Met => Cell::toned("met", Tone::Good),
        Verdict::Inconclusive => Cell::toned("inconclusive", Tone::Warning),
        Verdict::Missed => Cell::toned("MISSED", Tone::Bad),
        Verdict::NotJudged => Cell::toned("not judged", Tone::Faint),
        Verdict::NoTarget => Cell::none(),
    }
}

#[inline]
fn word_of(end: &End) -> &'static str {
    match end {
        End::Measured(..) | End::Grew(_) => "",
        End::TimedOut(_) => "TIMED OUT",
        End::Interrupted(_) => "INTERRUPTED",
        End::Refused(_) => "INVALID",
        End::Panicked(_) => "PANICKED",
        End::Misused(_) | End::NotRun(_) => "NOT MEASURED",
    }
}
