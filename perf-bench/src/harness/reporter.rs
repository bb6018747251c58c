//! What a run prints, as libtest does it: one stream of events, three formats.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use perf_runtime::session::{complain, page_of_stdout};
use perf_runtime::show::json_string;
use perf_runtime::show::table::Page;

use crate::harness::arguments::{Arguments, Colour, Format};
use crate::measure::plan::Mode;
use crate::run::growth;
use crate::run::outcome::{End, Figures, Outcome};
use crate::show::chart;
use crate::show::growth_table;
use crate::show::svg;
use crate::show::table::table;

/// How many ended how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
    pub(crate) measured: usize,
    pub(crate) filtered_out: usize,
}

/// See the module.
pub(crate) struct Reporter {
    format: Format,
    page: Page,
    mode: Mode,
    report_time: bool,
    chart: bool,
    chart_svg: Option<PathBuf>,
    log: Option<File>,
    /// Where lines of JSON go, if not to what is standard output for everybody.
    events: Option<File>,
}

impl Reporter {
    #[inline]
    pub(crate) fn new(arguments: &Arguments, mode: Mode) -> io::Result<Self> {
        let mut page = page_of_stdout();
        match arguments.colour {
            Colour::Auto => {}
            Colour::Always => page.colour = true,
            Colour::Never => page.colour = false,
        }
        let log = arguments.logfile.as_ref().map(File::create).transpose()?;
        let events = if arguments.format == Format::Json { stdout_for_events_alone() } else { None };
        let &Arguments { format, report_time, chart, ref chart_svg, .. } = arguments;
        Ok(Reporter { format, page, mode, report_time, chart, chart_svg: chart_svg.clone(), log, events })
    }

    /// Where tables go; nowhere among lines of JSON.
    #[inline]
    pub(crate) fn page(&self) -> Option<Page> {
        (self.format != Format::Json).then_some(self.page)
    }

    #[inline]
    pub(crate) fn begin(&self, count: usize) {
        let tests = if count == 1 { "test" } else { "tests" };
        match self.format {
            Format::Pretty | Format::Terse => say(&format!("\nrunning {count} {tests}\n")),
            Format::Json => self.event(&format!(
                "{{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": {count} }}\n"
            )),
        }
    }

    /// One begins.
    #[inline]
    pub(crate) fn started(&self, name: &str) {
        match self.format {
            // The name first: when it never ends, one sees which.
            Format::Pretty => say(&format!("test {name} ... ")),
            Format::Terse => {}
            Format::Json => self.event(&format!(
                "{{ \"type\": \"test\", \"event\": \"started\", \"name\": {} }}\n",
                json_string(name)
            )),
        }
    }

    /// Whether there is a line behind which a progress bar has a place.
    #[inline]
    pub(crate) fn shows_progress(&self) -> bool {
        self.format == Format::Pretty && self.mode == Mode::Measure
    }

    /// One is left out, for that reason if any.
    #[inline]
    pub(crate) fn ignored(&mut self, name: &str, reason: &str) {
        self.log("ignored", name);
        let reasoned = |before: &str, after: &str| {
            if reason.is_empty() { String::new() } else { format!("{before}{after}") }
        };
        match self.format {
            Format::Pretty => {
                let word = self.paint("33", &format!("ignored{}", reasoned(", ", reason)));
                say(&format!("test {name} ... {word}\n"));
            }
            Format::Terse => say(&self.paint("33", "i")),
            Format::Json => self.event(&format!(
                "{{ \"type\": \"test\", \"name\": {}, \"event\": \"ignored\"{} }}\n",
                json_string(name),
                reasoned(", \"message\": ", &json_string(reason)),
            )),
        }
    }

    /// One has ended.
    #[inline]
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
                    (None, End::Measured(Figures { summary, .. }, _)) if self.mode == Mode::Measure => {
                        let (median, spread) = (grouped(summary.median), grouped(summary.spread()));
                        format!("bench: {median:>14} ns/iter (+/- {spread})")
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

    #[inline]
    fn ended_json(&self, outcome: &Outcome, failure: Option<&str>) {
        let name = json_string(&outcome.case.name);
        let line = match (failure, &outcome.end) {
            (Some(failure), _) => {
                format!(
                    "\"type\": \"test\", \"name\": {name}, \"event\": \"failed\", \"stdout\": {}",
                    json_string(failure)
                )
            }
            (None, End::Measured(Figures { summary, .. }, _)) if self.mode == Mode::Measure => {
                format!(
                    "\"type\": \"bench\", \"name\": {name}, \"median\": {:.3}, \"deviation\": {:.3}, \"low\": {:.3}, \"high\": {:.3}, \
                     \"best\": {:.3}, \"p95\": {:.3}, \"samples\": {}",
                    summary.median,
                    summary.spread(),
                    summary.interval.0,
                    summary.interval.1,
                    summary.best,
                    summary.p95,
                    summary.samples
                )
            }
            (None, _) => format!("\"type\": \"test\", \"name\": {name}, \"event\": \"ok\""),
        };
        let time = if self.report_time {
            format!(", \"exec_time\": {}", outcome.elapsed.as_secs_f64())
        } else {
            String::new()
        };
        let growth = match &outcome.end {
            End::Grew(complexity) => format!(", \"complexity\": {}", growth_table::json(complexity)),
            _ => String::new(),
        };
        self.event(&format!("{{ {line}{time}{growth} }}\n"));
    }

    /// All have ended: the failures, the sum, the table.
    #[inline]
    pub(crate) fn end(&self, outcomes: &[Outcome], totals: Totals, elapsed: Duration) {
        let Totals { passed, failed, ignored, measured, filtered_out } = totals;
        let grown = growth::all(outcomes);
        if let Some(directory) = &self.chart_svg
            && let Err(error) = svg::write(&grown, directory)
        {
            complain(format_args!("the charts cannot be written to `{}`: {error}", directory.display()));
        }
        if self.format == Format::Json {
            let event = if failed == 0 { "ok" } else { "failed" };
            return self.event(&format!(
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
        say(&table(outcomes, self.mode, self.page));
        if !grown.is_empty() {
            say(&format!("\n{}", growth_table::table(&grown, self.page)));
        }
        if self.chart {
            for (outcome, complexity) in &grown {
                say(&format!("\n{}\n{}", outcome.case.series, chart::text(complexity)));
            }
        }
    }

    /// A line of JSON.
    #[inline]
    fn event(&self, line: &str) {
        match &self.events {
            // Nobody is left to tell when it is closed.
            Some(events) => drop((&*events).write_all(line.as_bytes())),
            None => say(line),
        }
    }

    #[inline]
    fn paint(&self, colour: &str, word: &str) -> String {
        if self.page.colour { format!("\u{1b}[{colour}m{word}\u{1b}[0m") } else { word.to_owned() }
    }

    #[inline]
    fn log(&mut self, result: &str, name: &str) {
        if let Some(log) = &mut self.log
            && let Err(error) = writeln!(log, "{result} {name}")
        {
            complain(format_args!("the logfile cannot be written: {error}"));
            self.log = None;
        }
    }
}

/// Standard output of its own for lines of JSON: what benchmarks print goes to standard error from here on, as it would break the lines.
#[cfg(unix)]
#[inline]
pub(crate) fn stdout_for_events_alone() -> Option<File> {
    use std::os::fd::AsFd;
    let events = io::stdout().as_fd().try_clone_to_owned().ok()?;
    // SAFETY: it takes two open descriptors and makes the second mean what the first does.
    let done = unsafe { libc::dup2(libc::STDERR_FILENO, libc::STDOUT_FILENO) };
    (done != -1).then(|| File::from(events))
}

#[cfg(not(unix))]
#[inline]
pub(crate) fn stdout_for_events_alone() -> Option<File> {
    None
}

/// Prints to standard output; when nobody reads that any more, there is nobody left to tell.
#[inline]
pub(crate) fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// `1,234.56`, as libtest prints nanoseconds and other tools read them.
#[inline]
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
