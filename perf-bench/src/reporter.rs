//! What a run prints, as libtest does it: one stream of events, three formats.

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use perf_runtime::session::{complain, page_of_stdout};
use perf_runtime::show::json_string;
use perf_runtime::show::table::Page;

use crate::arguments::{Arguments, Colour, Format};
use crate::measure::Mode;
use crate::run::{End, Outcome};
use crate::table::table;

/// How many ended how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
    pub(crate) measured: usize,
    pub(crate) filtered_out: usize,
}

/// See the module. Writes to standard output; when nobody reads that any more, there is nobody left to tell.
pub(crate) struct Reporter {
    format: Format,
    page: Page,
    mode: Mode,
    report_time: bool,
    log: Option<File>,
}

impl Reporter {
    pub(crate) fn new(arguments: &Arguments, mode: Mode) -> io::Result<Self> {
        let mut page = page_of_stdout();
        match arguments.colour {
            Colour::Auto => {}
            Colour::Always => page.colour = true,
            Colour::Never => page.colour = false,
        }
        let log = arguments.logfile.as_ref().map(File::create).transpose()?;
        Ok(Reporter { format: arguments.format, page, mode, report_time: arguments.report_time, log })
    }

    pub(crate) fn begin(&self, count: usize) {
        let tests = if count == 1 { "test" } else { "tests" };
        match self.format {
            Format::Pretty | Format::Terse => say(&format!("\nrunning {count} {tests}\n")),
            Format::Json => {
                say(&format!("{{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": {count} }}\n"));
            }
        }
    }

    /// One begins.
    pub(crate) fn started(&self, name: &str) {
        match self.format {
            // The name first: when it never ends, one sees which.
            Format::Pretty => say(&format!("test {name} ... ")),
            Format::Terse => {}
            Format::Json => say(&format!(
                "{{ \"type\": \"test\", \"event\": \"started\", \"name\": {} }}\n",
                json_string(name)
            )),
        }
    }

    /// One is left out.
    pub(crate) fn ignored(&mut self, name: &str) {
        self.log("ignored", name);
        match self.format {
            Format::Pretty => say(&format!("test {name} ... {}\n", self.paint("33", "ignored"))),
            Format::Terse => say(&self.paint("33", "i")),
            Format::Json => say(&format!(
                "{{ \"type\": \"test\", \"name\": {}, \"event\": \"ignored\" }}\n",
                json_string(name)
            )),
        }
    }

    /// One has ended.
    pub(crate) fn ended(&mut self, outcome: &Outcome) {
        let failure = outcome.failure();
        let name = &outcome.case.name;
        self.log(if failure.is_some() { "failed" } else { "ok" }, name);
        match self.format {
            Format::Json => self.ended_json(outcome, failure.as_deref()),
            Format::Terse => say(&match failure {
                None => self.paint("32", "."),
                Some(_) => self.paint("31", "F"),
            }),
            Format::Pretty => {
                let word = match (&failure, &outcome.end) {
                    (Some(_), _) => self.paint("31", "FAILED"),
                    (None, End::Measured(summary, _)) if self.mode == Mode::Measure => {
                        let spread = (summary.interval.1 - summary.interval.0) / 2.0;
                        format!("bench: {:>14} ns/iter (+/- {})", grouped(summary.median), grouped(spread))
                    }
                    (None, _) => self.paint("32", "ok"),
                };
                let time = if self.report_time {
                    format!(" <{:.3}s>", outcome.elapsed.as_secs_f64())
                } else {
                    String::new()
                };
                say(&format!("{word}{time}\n"));
            }
        }
    }

    fn ended_json(&self, outcome: &Outcome, failure: Option<&str>) {
        let name = json_string(&outcome.case.name);
        let line = match (failure, &outcome.end) {
            (Some(failure), _) => {
                format!(
                    "\"type\": \"test\", \"name\": {name}, \"event\": \"failed\", \"stdout\": {}",
                    json_string(failure)
                )
            }
            (None, End::Measured(summary, _)) if self.mode == Mode::Measure => {
                let spread = (summary.interval.1 - summary.interval.0) / 2.0;
                format!(
                    "\"type\": \"bench\", \"name\": {name}, \"median\": {:.3}, \"deviation\": {spread:.3}",
                    summary.median
                )
            }
            (None, _) => format!("\"type\": \"test\", \"name\": {name}, \"event\": \"ok\""),
        };
        let time = if self.report_time {
            format!(", \"exec_time\": {}", outcome.elapsed.as_secs_f64())
        } else {
            String::new()
        };
        say(&format!("{{ {line}{time} }}\n"));
    }

    /// All have ended: the failures, the sum, the table.
    pub(crate) fn end(&self, outcomes: &[Outcome], totals: Totals, elapsed: Duration) {
        let Totals { passed, failed, ignored, measured, filtered_out } = totals;
        if self.format == Format::Json {
            let event = if failed == 0 { "ok" } else { "failed" };
            return say(&format!(
                "{{ \"type\": \"suite\", \"event\": \"{event}\", \"passed\": {passed}, \"failed\": {failed}, \"ignored\": {ignored}, \
                 \"measured\": {measured}, \"filtered_out\": {filtered_out}, \"exec_time\": {} }}\n",
                elapsed.as_secs_f64()
            ));
        }
        if self.format == Format::Terse {
            say("\n");
        }
        let failures: Vec<(&str, String)> = outcomes
            .iter()
            .filter_map(|outcome| Some((outcome.case.name.as_str(), outcome.failure()?)))
            .collect();
        if !failures.is_empty() {
            say("\nfailures:\n");
            for (name, failure) in &failures {
                say(&format!("\n---- {name} ----\n{failure}\n"));
            }
            say("\n\nfailures:\n");
            for (name, _) in &failures {
                say(&format!("    {name}\n"));
            }
        }
        let result = if failed == 0 { self.paint("32", "ok") } else { self.paint("31", "FAILED") };
        say(&format!(
            "\ntest result: {result}. {passed} passed; {failed} failed; {ignored} ignored; {measured} measured; {filtered_out} filtered out; \
             finished in {:.2}s\n\n",
            elapsed.as_secs_f64()
        ));
        say(&table(outcomes, self.page));
    }

    fn paint(&self, colour: &str, word: &str) -> String {
        if self.page.colour { format!("\u{1b}[{colour}m{word}\u{1b}[0m") } else { word.to_owned() }
    }

    fn log(&mut self, result: &str, name: &str) {
        if let Some(log) = &mut self.log
            && let Err(error) = writeln!(log, "{result} {name}")
        {
            complain(format_args!("the logfile cannot be written: {error}"));
            self.log = None;
        }
    }
}

fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// `1,234.56`, as libtest prints nanoseconds and other tools read them.
fn grouped(number: f64) -> String {
    let text = format!("{number:.2}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "00"));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped}.{fraction}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn nanoseconds_as_libtest_prints_them() {
        assert_eq!(super::grouped(0.0), "0.00");
        assert_eq!(super::grouped(999.999), "1,000.00");
        assert_eq!(super::grouped(1_234_567.891), "1,234,567.89");
    }
}
