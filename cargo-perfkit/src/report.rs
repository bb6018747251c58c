//! What a comparison shows: a table, Markdown, JSON, and whether it fails. Pure: from figures to text.

use std::fmt::Write;
use std::time::Duration;

use perf_runtime::show::names::shorten;
use perf_runtime::show::table::{Cell, Column, Page, Table, Tone};
use perf_runtime::show::units::nanos;
use perf_runtime::snapshot::Name;
use serde_json::{Value, json};

use crate::launch::{Failed, Launch, median};
use crate::verdict::{Cause, Counts, Interval, Judged, Verdict};

/// A comparison that is over.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Base and new, as people call them.
    pub(crate) sides: [String; 2],
    pub(crate) rows: Vec<Row>,
    /// Benchmarks that the other side lacks.
    pub(crate) only_in: [Vec<String>; 2],
    pub(crate) notes: Vec<String>,
    pub(crate) threshold: f64,
    pub(crate) fail_above: Option<f64>,
}

/// One benchmark that both sides have.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) result: Result<Measured, Failed>,
}

/// What was found of it.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// Nanoseconds per call.
    base: f64,
    new: f64,
    judged: Judged,
    witness: Option<([Counts; 2], Cause)>,
    log_ratios: Vec<f64>,
    elapsed: Duration,
}

impl Measured {
    pub(crate) fn new(
        launches: &[Launch],
        judged: Judged,
        witness: Option<([Counts; 2], Cause)>,
        elapsed: Duration,
    ) -> Self {
        let middle = |of: fn(&Launch) -> f64| median(&mut launches.iter().map(of).collect::<Vec<_>>());
        Measured {
            base: middle(|launch| launch.base),
            new: middle(|launch| launch.new),
            judged,
            witness,
            log_ratios: launches.iter().map(|launch| launch.log_ratio).collect(),
            elapsed,
        }
    }

    /// Whether the times differ, for whatever reason.
    pub(crate) fn differs(&self) -> bool {
        matches!(self.judged.verdict, Verdict::Slower | Verdict::Faster)
    }

    fn cause(&self) -> Option<Cause> {
        self.witness.map(|(_, cause)| cause)
    }

    /// Whether all of the interval is above what may be, and not only because code lies elsewhere.
    fn fails(&self, limit: f64) -> bool {
        self.cause() != Some(Cause::Layout)
            && self.judged.interval.is_some_and(|interval| interval.is_above(limit))
    }

    /// The share by which instructions changed.
    fn instructions(&self) -> Option<f64> {
        let ([base, new], _) = self.witness?;
        (base.instructions > 0.0).then(|| new.instructions / base.instructions - 1.0)
    }

    fn word(&self) -> &'static str {
        match self.judged.verdict {
            Verdict::Slower => "slower",
            Verdict::Faster => "faster",
            Verdict::Same => "same",
            Verdict::Undecided => "undecided",
        }
    }

    /// The word, and why.
    fn verdict(&self) -> String {
        let reason = match self.cause() {
            Some(Cause::Layout) => ", same instructions: code layout, not your change",
            Some(Cause::CacheMisses) => ", same instructions, other cache misses",
            Some(Cause::BranchMisses) => ", same instructions, other branch misses",
            Some(Cause::Instructions) | None => "",
        };
        format!("{}{reason}", self.word())
    }

    fn tone(&self) -> Tone {
        match (self.judged.verdict, self.cause()) {
            (Verdict::Slower | Verdict::Faster, Some(Cause::Layout)) | (Verdict::Undecided, _) => {
                Tone::Warning
            }
            (Verdict::Slower, _) => Tone::Bad,
            (Verdict::Faster, _) => Tone::Good,
            (Verdict::Same, _) => Tone::Faint,
        }
    }

    fn change(&self) -> String {
        self.judged.interval.map_or_else(|| String::from("-"), |interval| signed(interval.middle.exp_m1()))
    }

    fn between(&self) -> String {
        self.judged.interval.map_or_else(
            || String::from("-"),
            |Interval { low, high, .. }| format!("{} … {}", signed(low.exp_m1()), signed(high.exp_m1())),
        )
    }
}

/// `+3.1 %`.
fn signed(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}

impl Report {
    /// Whether something is slower than it may be.
    pub(crate) fn fails(&self) -> bool {
        self.fail_above.is_some_and(|limit| self.measured().any(|measured| measured.fails(limit)))
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.rows.iter().any(|row| row.result.is_err())
    }

    fn measured(&self) -> impl Iterator<Item = &Measured> {
        self.rows.iter().filter_map(|row| row.result.as_ref().ok())
    }

    /// What went wrong, a text for each benchmark.
    fn errors(&self) -> Vec<String> {
        let error = |row: &Row| {
            let Failed { side, reason } = row.result.as_ref().err()?;
            // The worker's own words begin with the place and the name.
            let first = reason.lines().next().unwrap_or_default();
            let is_named = first.contains(&format!("`{}`", row.name));
            let named = if is_named { String::new() } else { format!("`{}` ", row.name) };
            Some(format!("{}: {named}{reason}", self.sides[*side]))
        };
        self.rows.iter().filter_map(error).collect()
    }

    /// Sentences that stand below every table.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = self.notes.clone();
        for (names, side) in self.only_in.iter().zip(&self.sides) {
            if !names.is_empty() {
                remarks.push(format!("only in {side}: {}", names.join(", ")));
            }
        }
        if let Some(limit) = self.fail_above {
            let failing: Vec<&str> = self
                .rows
                .iter()
                .filter(|row| row.result.as_ref().is_ok_and(|measured| measured.fails(limit)))
                .map(|row| row.name.as_str())
                .collect();
            if !failing.is_empty() {
                remarks.push(format!(
                    "FAILED: slower by more than {}: {}",
                    percent(limit),
                    failing.join(", ")
                ));
            }
        }
        remarks
    }

    /// For a terminal.
    pub(crate) fn table(&self, page: Page) -> String {
        let [base, new] = &self.sides;
        let mut output = String::new();
        for error in self.errors() {
            let _ = writeln!(output, "{error}\n");
        }
        let has_instructions = self.measured().any(|measured| measured.witness.is_some());
        let mut columns = vec![
            Column::name("benchmark"),
            Column::number("base", 5),
            Column::number("new", 6),
            Column::number("change", 10),
            Column::number("interval", 8),
            Column::number("launches", 2),
        ];
        if has_instructions {
            columns.push(Column::number("instructions", 4));
        }
        columns.push(Column::text("verdict", 11));
        let mut table = Table::new(format!("{base} → {new}"), columns);
        let names: Vec<Name> = self.rows.iter().map(|row| Name::path(row.name.clone())).collect();
        for (row, name) in self.rows.iter().zip(shorten(&mut names.iter())) {
            let mut cells: Vec<Cell> = vec![name.into()];
            if let Ok(measured) = &row.result {
                cells.push(nanos(measured.base).into());
                cells.push(nanos(measured.new).into());
                cells.push(measured.change().into());
                cells.push(measured.between().into());
                cells.push(measured.log_ratios.len().to_string().into());
                if has_instructions {
                    let change = measured.instructions().map_or_else(|| String::from("-"), signed);
                    cells.push(change.into());
                }
                cells.push(Cell::toned(measured.verdict(), measured.tone()));
            } else {
                cells.resize_with(6 + usize::from(has_instructions), Cell::none);
                cells.push(Cell::toned("NOT COMPARED", Tone::Bad));
            }
            table.row(cells);
        }
        for remark in self.remarks() {
            table.note(remark);
        }
        output.push_str(&table.render(page));
        output
    }

    /// For a pull request.
    pub(crate) fn markdown(&self) -> String {
        let [base, new] = &self.sides;
        let mut output = format!("### Benchmarks: {} → {}\n\n", text(base), text(new));
        output.push_str(
            "| benchmark | base | new | change | interval | verdict |\n|---|--:|--:|--:|--:|---|\n",
        );
        for row in &self.rows {
            let _ = match &row.result {
                Ok(measured) => {
                    let mark =
                        if measured.differs() && measured.cause() != Some(Cause::Layout) { "**" } else { "" };
                    writeln!(
                        output,
                        "| {} | {} | {} | {mark}{}{mark} | {} | {mark}{}{mark} |",
                        code(&row.name),
                        nanos(measured.base),
                        nanos(measured.new),
                        measured.change(),
                        measured.between(),
                        measured.verdict()
                    )
                }
                Err(_) => writeln!(output, "| {} | | | | | **not compared** |", code(&row.name)),
            };
        }
        output.push('\n');
        for remark in self.remarks() {
            let _ = writeln!(output, "* {}", text(&remark));
        }
        for error in self.errors() {
            // A fence longer than any within.
            let _ = writeln!(output, "\n`````text\n{error}\n`````");
        }
        let _ = writeln!(
            output,
            "\n<sub>`cargo perfkit compare`: both programs in turn on one processor, started anew for each launch; a difference up to {} is none; all intervals \
             together are wrong in at most 1 % of comparisons.</sub>",
            percent(self.threshold)
        );
        output
    }

    /// For programs.
    pub(crate) fn json(&self) -> String {
        let [base, new] = &self.sides;
        let benchmarks: Vec<Value> = self.rows.iter().map(|row| self.json_of(row)).collect();
        let report = json!({
            "base": base,
            "new": new,
            "threshold": self.threshold,
            "fail_above": self.fail_above,
            "failed": self.fails(),
            "benchmarks": benchmarks,
            "only_in_base": self.only_in[0],
            "only_in_new": self.only_in[1],
            "notes": self.notes,
        });
        format!("{report:#}\n")
    }

    fn json_of(&self, row: &Row) -> Value {
        let measured = match &row.result {
            Ok(measured) => measured,
            Err(Failed { side, reason }) => {
                return json!({ "name": row.name, "verdict": "error", "side": self.sides[*side], "error": reason });
            }
        };
        let ratio =
            |of: fn(&Interval) -> f64| measured.judged.interval.as_ref().map(|interval| of(interval).exp());
        let counts = |side: usize| {
            measured.witness.map(|(counts, _)| {
                let Counts { instructions, accesses, first_level_misses, last_level_misses, branch_misses } =
                    counts[side];
                json!({
                    "instructions": instructions,
                    "accesses": accesses,
                    "first_level_misses": first_level_misses,
                    "last_level_misses": last_level_misses,
                    "branch_misses": branch_misses,
                })
            })
        };
        let cause = measured.cause().map(|cause| match cause {
            Cause::Instructions => "instructions",
            Cause::CacheMisses => "cache misses",
            Cause::BranchMisses => "branch misses",
            Cause::Layout => "layout",
        });
        json!({
            "name": row.name,
            "verdict": measured.word(),
            "cause": cause,
            "fails": self.fail_above.is_some_and(|limit| measured.fails(limit)),
            "ratio": ratio(|interval| interval.middle),
            "low": ratio(|interval| interval.low),
            "high": ratio(|interval| interval.high),
            "base_nanos": measured.base,
            "new_nanos": measured.new,
            "base_counts": counts(0),
            "new_counts": counts(1),
            "seconds": measured.elapsed.as_secs_f64(),
            "launches": measured.log_ratios.iter().map(|log_ratio| log_ratio.exp()).collect::<Vec<_>>(),
        })
    }
}

fn percent(share: f64) -> String {
    let number = format!("{:.2}", share * 100.0);
    format!("{} %", number.trim_end_matches('0').trim_end_matches('.'))
}

/// A name in a cell of Markdown.
fn code(name: &str) -> String {
    format!("`{}`", name.replace('`', "'").replace('|', "\\|"))
}

/// Words that are not to be taken for Markdown.
fn text(words: &str) -> String {
    let mut output = String::new();
    for character in words.chars() {
        if matches!(character, '\\' | '*' | '_' | '|' | '<' | '[' | '#') {
            output.push('\\');
        }
        output.push(character);
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: Counts = Counts {
        instructions: 1000.0,
        accesses: 300.0,
        first_level_misses: 1.0,
        last_level_misses: 0.0,
        branch_misses: 2.0,
    };

    fn row(name: &str, percent: f64, verdict: Verdict, cause: Option<Cause>) -> Row {
        let middle = (percent / 100.0).ln_1p();
        let interval = Some(Interval { middle, low: middle - 0.002, high: middle + 0.002 });
        let launch = Launch { log_ratio: middle, base: 1000.0, new: 1000.0 * middle.exp() };
        let judged = Judged { verdict, interval, is_final: true };
        let witness = cause.map(|cause| ([COUNTS, COUNTS], cause));
        let measured = Measured::new(&[launch; 5], judged, witness, Duration::from_secs(1));
        Row { name: name.to_owned(), result: Ok(measured) }
    }

    fn report(rows: Vec<Row>) -> Report {
        Report {
            sides: [String::from("main (0123456789ab)"), String::from("working tree")],
            rows,
            only_in: [vec![String::from("app::old")], vec![]],
            notes: Vec::new(),
            threshold: 0.01,
            fail_above: Some(0.05),
        }
    }

    #[test]
    fn a_table_says_it_all() {
        let failed = Failed { side: 1, reason: String::from("src/lib.rs:3: `app::bad` panicked: ouch") };
        let report = report(vec![
            row("app::slow", 10.0, Verdict::Slower, Some(Cause::Instructions)),
            row("app::moved", 9.0, Verdict::Slower, Some(Cause::Layout)),
            row("app::same", 0.0, Verdict::Same, None),
            Row { name: String::from("app::bad"), result: Err(failed) },
        ]);
        let expected = "\
working tree: src/lib.rs:3: `app::bad` panicked: ouch

main (0123456789ab) → working tree
benchmark      base      new   change          interval  launches  instructions  verdict
──────────  ───────  ───────  ───────  ────────────────  ────────  ────────────  ───────────────────────────────────────────────────────
app::slow   1.00 µs  1.10 µs  +10.0 %  +9.8 % … +10.2 %         5        +0.0 %  slower
app::moved  1.00 µs  1.09 µs   +9.0 %   +8.8 % … +9.2 %         5        +0.0 %  slower, same instructions: code layout, not your change
app::same   1.00 µs  1.00 µs   +0.0 %   -0.2 % … +0.2 %         5             -  same
app::bad          -        -        -                 -         -             -  NOT COMPARED
only in main (0123456789ab): app::old
FAILED: slower by more than 5 %: app::slow
";
        assert_eq!(report.table(Page::default()), expected);
    }

    #[test]
    fn only_the_whole_interval_fails_and_never_where_code_lies_elsewhere() {
        let fails = |percent, cause| report(vec![row("a", percent, Verdict::Slower, cause)]).fails();
        assert!(
            fails(5.3, None) && fails(5.3, Some(Cause::Instructions)) && fails(9.0, Some(Cause::CacheMisses))
        );
        assert!(!fails(5.1, None) && !fails(50.0, Some(Cause::Layout)));
        let mut unlimited = report(vec![row("a", 50.0, Verdict::Slower, None)]);
        unlimited.fail_above = None;
        assert!(!unlimited.fails());
    }

    #[test]
    fn markdown_is_a_table_whatever_is_in_a_name() {
        let report = report(vec![row("a|b`c", 3.0, Verdict::Slower, None)]);
        let markdown = report.markdown();
        assert!(
            markdown
                .contains("| `a\\|b'c` | 1.00 µs | 1.03 µs | **+3.0 %** | +2.8 % … +3.2 % | **slower** |"),
            "{markdown}"
        );
        assert!(markdown.contains("\n* only in main (0123456789ab): app::old\n"), "{markdown}");
    }

    #[test]
    fn json_has_every_figure() {
        let report = report(vec![row("a", 10.0, Verdict::Slower, Some(Cause::Layout))]);
        let json: Value = serde_json::from_str(&report.json()).unwrap();
        let row = &json["benchmarks"][0];
        assert_eq!(
            (&row["verdict"], &row["cause"], &row["fails"]),
            (&"slower".into(), &"layout".into(), &false.into())
        );
        assert_eq!(row["launches"].as_array().unwrap().len(), 5);
        assert!((row["ratio"].as_f64().unwrap() - 1.1).abs() < 1e-9);
        assert_eq!(json["only_in_base"][0], "app::old");
    }
}
