//! The table of a run: a row for each benchmark.

use perf_runtime::show::names::shorten;
use perf_runtime::show::table::{Cell, Column, Page, Table, Tone};
use perf_runtime::show::units::{count, nanos, per_second, percent};

use crate::judge::Verdict;
use crate::run::{End, Outcome};
use crate::stats::Summary;

/// The table, ending in a newline; empty where there is nothing to show.
pub(crate) fn table(outcomes: &[Outcome], page: Page) -> String {
    if outcomes.is_empty() {
        return String::new();
    }
    let mut table = Table::new(
        "Benchmarks",
        vec![
            Column::name("benchmark"),
            Column::number("median", 10),
            Column::number("95 % interval", 8),
            Column::number("best", 4),
            Column::number("p95", 5),
            Column::number("throughput", 6),
            Column::number("samples", 2),
            Column::number("target", 9),
            Column::text("verdict", 10),
        ],
    );
    let names: Vec<_> = outcomes.iter().map(|outcome| outcome.case.label_or_path()).collect();
    let names = shorten(&mut names.iter());
    let (mut not_judged, mut too_few) = (false, false);
    let mut busy = Vec::new();
    let mut from_elsewhere = Vec::new();
    for (outcome, name) in outcomes.iter().zip(names) {
        let target = outcome.case.settings.target.map_or_else(none, |target| nanos(target).into());
        let mut cells = vec![name.clone().into()];
        if let Some(from) = &outcome.case.settings.target_from {
            from_elsewhere.push(format!("{name} ({from})"));
        }
        let (summary, verdict) = match &outcome.end {
            End::Measured(summary, verdict) => (Some(summary), verdict_cell(*verdict)),
            End::TimedOut(summary) => (summary.as_ref(), Cell::toned("TIMED OUT", Tone::Bad)),
            other => (None, Cell::toned(word_of(other), Tone::Bad)),
        };
        if let Some(summary) = summary {
            too_few |= !summary.has_interval();
            cells.extend(figures(summary));
        } else {
            cells.extend((0..6).map(|_| none()));
        }
        cells.extend([target, verdict]);
        table.row(cells);
        if let End::Measured(summary, verdict) = &outcome.end {
            not_judged |= *verdict == Verdict::NotJudged;
            if *verdict == Verdict::Inconclusive && summary.waited_much() {
                busy.push(format!("{name} waited for a processor {} of its time", percent(summary.waited)));
            }
        }
    }
    if not_judged {
        table.note("not judged: built without optimisation; `cargo test --release` judges it, PERFKIT_JUDGE=always does so here");
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
    table.render(page)
}

fn none() -> Cell {
    Cell::toned("-", Tone::Faint)
}

fn figures(summary: &Summary) -> [Cell; 6] {
    let Summary { samples, median, interval, best, p95, .. } = *summary;
    let between = format!("{} … {}", time(interval.0), time(interval.1));
    [
        time(median).into(),
        if summary.has_interval() { between.into() } else { format!("({between})").into() },
        time(best).into(),
        time(p95).into(),
        if median < FLOOR { none() } else { per_second(1e9 / median).into() },
        count(samples as u64).into(),
    ]
}

/// Below a third of a nanosecond, a cycle or so, there is nothing to be told of a call.
const FLOOR: f64 = 0.3;

fn time(time: f64) -> String {
    if time < FLOOR { String::from("< 0.3 ns") } else { nanos(time) }
}

fn verdict_cell(verdict: Verdict) -> Cell {
    match verdict {
        Verdict::Met => Cell::toned("met", Tone::Good),
        Verdict::Inconclusive => Cell::toned("inconclusive", Tone::Warning),
        Verdict::Missed => Cell::toned("MISSED", Tone::Bad),
        Verdict::NotJudged => Cell::toned("not judged", Tone::Faint),
        Verdict::NoTarget => Cell::toned("-", Tone::Faint),
    }
}

fn word_of(end: &End) -> &'static str {
    match end {
        End::Measured(..) | End::TimedOut(_) => "",
        End::Refused(_) => "INVALID",
        End::Panicked(_) => "PANICKED",
        End::Misused(_) | End::NotRun(_) => "NOT MEASURED",
    }
}
