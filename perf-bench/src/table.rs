//! The table of a run: a row for each benchmark.

use perf_runtime::show::names::shorten;
use perf_runtime::show::table::{Cell, Column, Page, Table, Tone};
use perf_runtime::show::units::{count, duration, nanos, per_second};

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
    let names = shorten(&names);
    let mut not_judged = false;
    for (outcome, name) in outcomes.iter().zip(names) {
        let target =
            outcome.case.entry.target.map_or_else(|| Cell::toned("-", Tone::Faint), |t| duration(t).into());
        let mut cells = vec![name.into()];
        if let End::Measured(summary, verdict) = &outcome.end {
            not_judged |= *verdict == Verdict::NotJudged;
            let Summary { samples, median, interval, best, p95, .. } = *summary;
            cells.extend([
                time(median).into(),
                format!("{} … {}", time(interval.0), time(interval.1)).into(),
                time(best).into(),
                time(p95).into(),
                summary
                    .per_second()
                    .map_or_else(|| Cell::toned("-", Tone::Faint), |rate| per_second(rate).into()),
                count(samples as u64).into(),
                target,
                verdict_cell(*verdict),
            ]);
        } else {
            cells.extend((0..6).map(|_| Cell::toned("-", Tone::Faint)));
            cells.extend([target, Cell::toned(word_of(&outcome.end), Tone::Bad)]);
        }
        table.row(cells);
    }
    if not_judged {
        table.note("not judged: this is a debug build; `cargo test --release` judges it, PERFKIT_JUDGE=always does so here");
    }
    table.render(page)
}

/// A time per call; below a third of a nanosecond, a cycle or so, there is nothing to be told.
fn time(time: f64) -> String {
    const FLOOR: f64 = 0.3;
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
        End::Measured(..) => "",
        End::Invalid => "INVALID",
        End::Panicked(_) => "PANICKED",
        End::TimedOut => "TIMED OUT",
        End::Misused(_) | End::NoThread(_) => "NOT MEASURED",
    }
}
