//! The table of what has changed since runs before.

use perf_runtime::show::names::shorten;
use perf_runtime::show::table::{Cell, Column, Page, Table, Tone};
use perf_runtime::show::units::nanos;
use perf_runtime::snapshot::Name;

use crate::judge::{Change, ENOUGH_RUNS, Trend};

/// What has changed in one benchmark.
pub(super) struct Row {
    pub(super) name: Name,
    /// Medians.
    pub(super) before: f64,
    pub(super) now: f64,
    pub(super) change: Change,
}

/// The table, ending in a newline; empty where there is nothing to show.
pub(super) fn table(title: &str, rows: &[Row], notes: &[String], page: Page) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new(
        title,
        vec![
            Column::name("benchmark"),
            Column::number("before", 5),
            Column::number("now", 6),
            Column::number("change", 10),
            Column::number("95 % interval", 8),
            Column::number("last runs", 7),
            Column::text("verdict", 9),
        ],
    );
    let names = shorten(&mut rows.iter().map(|row| &row.name));
    for (Row { before, now, change, .. }, name) in rows.iter().zip(names) {
        let Change { ratio, interval, spread, trend } = change;
        table.row(vec![
            name.into(),
            nanos(*before).into(),
            nanos(*now).into(),
            percent(*ratio).into(),
            format!("{} … {}", percent(interval.0), percent(interval.1)).into(),
            format!("{} … {}", nanos(spread.0), nanos(spread.1)).into(),
            verdict(*trend),
        ]);
    }
    let changed = |trend| matches!(trend, Trend::Regression | Trend::HighRegression | Trend::Improvement);
    if rows.iter().any(|row| row.change.trend == Trend::TooFewRuns) {
        table.note(format!("too few runs: no verdict before there are {ENOUGH_RUNS} of them, since only runs tell what runs differ by"));
    }
    if rows.iter().any(|row| changed(row.change.trend)) {
        table.note("times at two moments inform and fail nothing; `cargo perfkit compare` measures two revisions in turn");
    }
    for note in notes {
        table.note(note.clone());
    }
    table.render(page)
}

/// `+3.1 %` of a ratio of 1.031.
fn percent(ratio: f64) -> String {
    format!("{:+.1} %", (ratio - 1.0) * 100.0)
}

fn verdict(trend: Trend) -> Cell {
    match trend {
        Trend::None => Cell::none(),
        Trend::TooFewRuns => Cell::toned("too few runs", Tone::Faint),
        Trend::Improvement => Cell::toned("improvement", Tone::Good),
        Trend::Regression => Cell::toned("regression", Tone::Warning),
        Trend::HighRegression => Cell::toned("high regression", Tone::Bad),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_it_looks() {
        let row = |name: &'static str, ratio: f64, trend| Row {
            name: Name::path(name),
            before: 1e3,
            now: 1e3 * ratio,
            change: Change { ratio, interval: (ratio - 0.01, ratio + 0.01), spread: (990.0, 1_040.0), trend },
        };
        let rows = [row("app::parse", 1.312, Trend::Regression), row("app::sort", 0.998, Trend::None)];
        let page = Page { width: None, colour: false };
        let shown =
            table("Compared with the last 10 runs on this machine", &rows, &["a note".to_owned()], page);
        let expected = "\
Compared with the last 10 runs on this machine
benchmark    before      now   change      95 % interval         last runs  verdict
";
        assert!(shown.starts_with(expected), "{shown}");
        assert!(
            shown.contains(
                "app::parse  1.00 µs  1.31 µs  +31.2 %  +30.2 % … +32.2 %  990 ns … 1.04 µs  regression"
            ),
            "{shown}"
        );
        assert!(shown.contains("inform and fail nothing") && shown.contains("a note"), "{shown}");
        assert_eq!(table("Nothing", &[], &[], page), "");
    }
}
