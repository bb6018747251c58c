//! What is shown of counted instructions, beside what was counted before: a table, with a row for each benchmark, and JSON; and what fails.

use perf_runtime::show::json_string;
use perf_runtime::show::names::shorten;
use perf_runtime::show::table::{Cell, Column, Page, Table, Tone};
use perf_runtime::show::units;

use crate::driven::instructions::{Counted, Counts};

/// What a call took in a run before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Earlier {
    /// Which run that was: "the baseline main".
    pub(crate) what: String,
    /// By the benchmark's name; of two, the first counts.
    pub(crate) counts: Vec<(String, f64)>,
    /// The share that may be more.
    pub(crate) threshold: f64,
    /// Whether more than that is a failure.
    pub(crate) fails: bool,
    /// What else is to be said of it.
    pub(crate) notes: Vec<String>,
}

impl Earlier {
    /// The instructions of a call of that benchmark.
    #[inline]
    pub(crate) fn of(&self, name: &str) -> Option<f64> {
        self.counts.iter().find(|(other, _)| other == name).map(|(_, instructions)| *instructions)
    }

    /// Why the run fails by that benchmark.
    #[inline]
    pub(crate) fn failure(&self, counted: &Counted) -> Option<String> {
        let (now, before) = (counted.instructions()?, counted.before?);
        let change = change(counted)?;
        (self.fails && self.is_more(change)).then(|| {
            format!(
                "`{}` takes {} instructions a call, and took {} in {}: {}, where {} is let pass (`--fail-above`)",
                counted.case.name,
                number(now),
                number(before),
                self.what,
                signed(change),
                signed(self.threshold)
            )
        })
    }

    /// Whether that is more than is let pass.
    #[inline]
    fn is_more(&self, change: f64) -> bool {
        // What is as much as that is not more because of the last bit of a quotient.
        change > self.threshold + 1e-9
    }

    #[inline]
    fn verdict(&self, change: f64) -> Cell {
        match (self.is_more(change), self.fails) {
            (true, true) => Cell::toned("MORE", Tone::Bad),
            (true, false) => Cell::toned("more", Tone::Warning),
            (false, _) if self.is_more(-change) => Cell::toned("fewer", Tone::Good),
            (false, _) => Cell::none(),
        }
    }
}

/// The share by which there are more than before; `None` where that cannot be said.
#[inline]
fn change(counted: &Counted) -> Option<f64> {
    let (now, before) = (counted.instructions()?, counted.before?);
    (before > 0.0).then(|| now / before - 1.0)
}

/// The table, ending in a newline.
#[inline]
pub(crate) fn table(all: &[Counted], earlier: &Earlier, page: Page) -> String {
    let compares = all.iter().any(|counted| counted.before.is_some());
    let mut columns = vec![Column::name("benchmark"), Column::number("instructions", 10)];
    if compares {
        columns.extend([Column::number("before", 5), Column::number("change", 11)]);
    }
    columns.extend([
        Column::number("memory accesses", 8),
        Column::number("first-level misses", 6),
        Column::number("last-level misses", 7),
        Column::number("branch misses", 4),
    ]);
    if compares {
        columns.push(Column::text("verdict", 9));
    }
    let width = columns.len();
    let mut table = Table::new("Instructions of a call", columns);
    let names: Vec<_> = all.iter().map(|counted| counted.case.label_or_path()).collect();
    let mut more = false;
    for (counted, name) in all.iter().zip(shorten(&mut names.iter())) {
        let mut cells: Vec<Cell> = vec![name.into()];
        match &counted.counts {
            Ok(counts) => {
                let Counts { instructions, accesses, first_level_misses, last_level_misses, branch_misses } =
                    *counts;
                cells.push(number(instructions).into());
                let change = change(counted);
                if compares {
                    cells.push(counted.before.map_or_else(Cell::none, |before| number(before).into()));
                    cells.push(change.map_or_else(Cell::none, |change| signed(change).into()));
                }
                let rest = [accesses, first_level_misses, last_level_misses, branch_misses];
                cells.extend(rest.map(|count| number(count).into()));
                cells.extend(change.map(|change| earlier.verdict(change)));
                more |= change.is_some_and(|change| earlier.is_more(change));
            }
            Err(_) => cells.push(Cell::toned("NOT COUNTED", Tone::Bad)),
        }
        cells.resize_with(width, Cell::none);
        table.row(cells);
    }
    table.note(
        "counted by callgrind; the caches and the branch predictor are imitated ones, none of this machine",
    );
    if compares {
        table.note(format!("before: {}", earlier.what));
        for note in &earlier.notes {
            table.note(note.clone());
        }
    }
    if more && !earlier.fails {
        table.note("more: this informs; beside a baseline of counts (`--baseline NAME`) it fails");
    }
    table.render(page)
}

/// A line.
#[inline]
pub(crate) fn json(counted: &Counted) -> String {
    let what = match &counted.counts {
        Ok(counts) => {
            let Counts { instructions, accesses, first_level_misses, last_level_misses, branch_misses } =
                counts;
            let before =
                counted.before.map_or_else(String::new, |before| format!(", \"before\": {before:.3}"));
            let change =
                change(counted).map_or_else(String::new, |change| format!(", \"change\": {change:.6}"));
            format!(
                "\"instructions\": {instructions:.3}, \"accesses\": {accesses:.3}, \"first_level_misses\": {first_level_misses:.3}, \
                 \"last_level_misses\": {last_level_misses:.3}, \"branch_misses\": {branch_misses:.3}{before}{change}"
            )
        }
        Err(reason) => format!("\"error\": {}", json_string(reason)),
    };
    format!("{{ \"type\": \"instructions\", \"name\": {}, {what} }}\n", json_string(&counted.case.name))
}

/// Whole where it is many, since they repeat that well.
#[inline]
pub(crate) fn number(count: f64) -> String {
    if count >= 100.0 { units::count(count.round() as u64) } else { format!("{count:.1}") }
}

/// `+3.14 %` of a share of 0.0314.
#[inline]
fn signed(share: f64) -> String {
    // Without the sign of a nothing that is less than nothing.
    let percent = (share * 1e4).round() / 1e2 + 0.0;
    format!("{percent:+.2} %")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::cases::Cases;
    use crate::registry::entry::{BenchmarkEntry, jobs_of};

    fn counted(instructions: f64, before: Option<f64>) -> Counted {
        static ENTRY: BenchmarkEntry =
            BenchmarkEntry::new("app::parse", ("", 1, 1), || true, || Cases::one(|_| {}));
        let counts = Counts {
            instructions,
            accesses: 7.0,
            first_level_misses: 0.0,
            last_level_misses: 0.0,
            branch_misses: 0.0,
        };
        Counted { case: jobs_of(&ENTRY).remove(0).case, counts: Ok(counts), before }
    }

    fn earlier(fails: bool) -> Earlier {
        Earlier {
            what: String::from("the baseline main"),
            counts: vec![(String::from("app::parse"), 1_000.0), (String::from("app::parse"), 7.0)],
            threshold: 0.01,
            fails,
            notes: Vec::new(),
        }
    }

    #[test]
    fn more_than_is_let_pass_fails_by_a_baseline_alone() {
        let earlier_of = |fails| earlier(fails);
        assert_eq!((earlier(true).of("app::parse"), earlier(true).of("app::pars")), (Some(1_000.0), None));
        let failure = |now, before, fails| earlier_of(fails).failure(&counted(now, before));
        assert_eq!(failure(1_010.0, Some(1_000.0), true), None);
        assert_eq!(
            failure(1_010.1, Some(1_000.0), true).as_deref(),
            Some(
                "`app::parse` takes 1 010 instructions a call, and took 1 000 in the baseline main: +1.01 %, where +1.00 % is let pass \
                 (`--fail-above`)"
            )
        );
        assert_eq!(failure(2_000.0, Some(1_000.0), false), None);
        assert_eq!(failure(2_000.0, None, true), None);
        // Of nothing there is no share.
        assert_eq!(failure(2_000.0, Some(0.0), true), None);
    }

    #[test]
    fn how_it_looks() {
        let page = Page { width: None, colour: false };
        let shown = |now, before, fails| table(&[counted(now, before)], &earlier(fails), page);
        let alone = shown(1_234.4, None, true);
        assert!(alone.contains("app::parse         1 234") && !alone.contains("change"), "{alone}");
        let fails = shown(1_234.4, Some(1_000.0), true);
        assert!(fails.contains("1 234   1 000  +23.44 %") && fails.contains("MORE"), "{fails}");
        assert!(fails.contains("before: the baseline main"), "{fails}");
        let informs = shown(1_234.4, Some(1_000.0), false);
        assert!(informs.contains("more: this informs"), "{informs}");
        assert!(
            shown(900.0, Some(1_000.0), true).contains("-10.00 %"),
            "{}",
            shown(900.0, Some(1_000.0), true)
        );
        assert!(shown(900.0, Some(1_000.0), true).contains("fewer"));
        let line = json(&counted(1_010.0, Some(1_000.0)));
        assert!(line.ends_with("\"before\": 1000.000, \"change\": 0.010000 }\n"), "{line}");
        assert!(!json(&counted(1_010.0, None)).contains("before"));
    }

    #[test]
    fn numbers_as_they_repeat() {
        assert_eq!([0.0, 12.34, 99.96, 123_456.7].map(number), ["0.0", "12.3", "100.0", "123 457"]);
    }
}
