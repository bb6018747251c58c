//! libtest's command line, as far as anybody types it: people, cargo, nextest, editors.

use std::path::PathBuf;

use crate::registry::entry::BenchmarkEntry;
use crate::suite;

/// What was asked for.
#[derive(Debug, Default, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag on the command line")]
pub(crate) struct Arguments {
    pub(crate) filters: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) exact: bool,
    pub(crate) list: bool,
    pub(crate) ignored: Ignored,
    /// `--bench`, which cargo gives to benchmarks and nobody else.
    pub(crate) bench: bool,
    /// Count instructions instead of measuring time.
    pub(crate) instructions: bool,
    /// Read the processor's counters instead.
    pub(crate) counters: bool,
    pub(crate) format: Format,
    pub(crate) colour: Colour,
    pub(crate) logfile: Option<PathBuf>,
    pub(crate) report_time: bool,
    /// Times and memory over sizes are drawn on the terminal.
    pub(crate) chart: bool,
    /// And into files, in this directory.
    pub(crate) chart_svg: Option<PathBuf>,
    pub(crate) help: bool,
    /// What concerns all benchmarks together and their results.
    pub(crate) suite: suite::Options,
}

/// Which benchmarks with `ignore` are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ignored {
    #[default]
    Left,
    Only,
    Too,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    #[default]
    Pretty,
    Terse,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Colour {
    #[default]
    Auto,
    Always,
    Never,
}

pub(crate) const HELP: &str = "\
Usage: [OPTIONS] [FILTERS...]

Runs the benchmarks whose names contain one of the filters, or all. Without --bench they run just long enough to judge their
targets; with it (`cargo bench`) they are measured.

    --bench             measure
    --test              do not measure, even with --bench
    --instructions      count the instructions of a call under valgrind, which repeat where times do not; beside a baseline
                        of them, more are a failure
    --counters          show what the processor counts in a call (Linux, with perfkit's feature `perf-event`)
    --list              print the names
    --exact             filters are whole names
    --skip FILTER       leave out what contains this (may be given several times)
    --ignored           run those with `ignore` only
    --include-ignored   run those with `ignore` too
    --format pretty|terse|json
    --color auto|always|never
    -q, --quiet         the same as --format terse
    --logfile PATH      write the result of each to a file
    --report-time       print how long each took
    --chart             draw times, and memory where it is counted, over the sizes of `args`
    --chart-svg DIR     the same as a file for each benchmark
    -h, --help

Accepted because libtest has them, and without a meaning here, where one benchmark runs at a time and nothing is captured:
--nocapture, --no-capture, --show-output, --test-threads N, --ensure-time, --shuffle, --shuffle-seed N, --force-run-in-process,
--exclude-should-panic, --fail-fast, -Z FEATURE.

Environment: PERFKIT_JUDGE=always judges targets in unoptimised builds too.
";

impl Arguments {
    /// Reads the words after the program's name.
    #[inline]
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Arguments::default();
        let mut words = words;
        let mut test = false;
        while let Some(word) = words.next() {
            if word == "--" {
                arguments.filters.extend(words.by_ref());
                break;
            }
            if !word.starts_with('-') || word == "-" {
                arguments.filters.push(word);
                continue;
            }
            let (name, mut given) = match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word, None),
            };
            let mut value = || {
                given
                    .take()
                    .or_else(|| words.next())
                    .ok_or_else(|| format!("Argument to option '{name}' missing"))
            };
            match name.as_str() {
                "--bench" => arguments.bench = true,
                "--instructions" => arguments.instructions = true,
                "--counters" => arguments.counters = true,
                "--test" => test = true,
                "--list" => arguments.list = true,
                "--exact" => arguments.exact = true,
                "--skip" => arguments.skip.push(value()?),
                "--ignored" => arguments.set_ignored(Ignored::Only)?,
                "--include-ignored" => arguments.set_ignored(Ignored::Too)?,
                "--format" => arguments.format = Format::parse(&value()?)?,
                "--color" => arguments.colour = Colour::parse(&value()?)?,
                "-q" | "--quiet" => arguments.format = Format::Terse,
                "--logfile" => arguments.logfile = Some(PathBuf::from(value()?)),
                "--report-time" => arguments.report_time = true,
                "--chart" => arguments.chart = true,
                "--chart-svg" => arguments.chart_svg = Some(PathBuf::from(value()?)),
                "-h" | "--help" => arguments.help = true,
                "--test-threads" | "--shuffle-seed" | "-Z" => drop(value()?),
                "--nocapture"
                | "--no-capture"
                | "--show-output"
                | "--ensure-time"
                | "--shuffle"
                | "--force-run-in-process"
                | "--exclude-should-panic"
                | "--fail-fast" => {}
                _ if name.starts_with("-Z") => {}
                _ => match arguments.suite.take(&name, &mut value) {
                    Some(taken) => taken?,
                    None => return Err(format!("Unrecognized option: '{}'", name.trim_start_matches('-'))),
                },
            }
            if let Some(value) = given {
                return Err(format!("Option '{name}' does not take an argument: '{value}'"));
            }
        }
        arguments.bench &= !test;
        Ok(arguments)
    }

    #[inline]
    fn set_ignored(&mut self, ignored: Ignored) -> Result<(), String> {
        if ![Ignored::Left, ignored].contains(&self.ignored) {
            return Err("the options --include-ignored and --ignored are mutually exclusive".to_owned());
        }
        self.ignored = ignored;
        Ok(())
    }

    /// Whether a benchmark of this name is meant.
    #[inline]
    pub(crate) fn selects(&self, name: &str) -> bool {
        let matches =
            |filter: &String| if self.exact { name == filter } else { name.contains(filter.as_str()) };
        (self.filters.is_empty() || self.filters.iter().any(matches)) && !self.skip.iter().any(matches)
    }

    /// Whether a case of this benchmark may be meant. Whether its name contains a filter that is no whole name is not known before.
    #[inline]
    pub(crate) fn may_select(&self, entry: &BenchmarkEntry) -> bool {
        !self.exact || self.filters.is_empty() || self.filters.iter().any(|name| entry.may_have(name))
    }

    /// Whether one with or without `ignore` is listed.
    #[inline]
    pub(crate) fn lists(&self, ignored: bool) -> bool {
        ignored || self.ignored != Ignored::Only
    }

    /// Whether one with `ignore` is run.
    #[inline]
    pub(crate) fn runs_ignored(&self) -> bool {
        self.ignored != Ignored::Left
    }
}

impl Format {
    #[inline]
    fn parse(word: &str) -> Result<Self, String> {
        match word {
            "pretty" => Ok(Format::Pretty),
            "terse" => Ok(Format::Terse),
            "json" => Ok(Format::Json),
            other => Err(format!("argument for --format must be pretty, terse or json (was {other})")),
        }
    }
}

impl Colour {
    #[inline]
    fn parse(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Colour::Auto),
            "always" => Ok(Colour::Always),
            "never" => Ok(Colour::Never),
            other => Err(format!("argument for --color must be auto, always, or never (was {other})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_cargo_and_nextest_say() {
        assert_eq!(parse("").unwrap(), Arguments::default());
        assert!(parse("--bench").unwrap().bench);
        assert!(!parse("--bench --test").unwrap().bench);
        let list = parse("--list --format terse --ignored").unwrap();
        assert!(list.list && list.format == Format::Terse && list.ignored == Ignored::Only);
        let one = parse("a::b --nocapture --exact --bench").unwrap();
        assert!(one.exact && one.selects("a::b") && !one.selects("a::bc"));
        let editor = parse("--format=json -Z unstable-options --show-output -Zunstable-options x").unwrap();
        assert_eq!((editor.format, editor.filters), (Format::Json, vec!["x".to_owned()]));
    }

    #[test]
    fn filters() {
        let some = parse("sort parse --skip slow --skip=old").unwrap();
        assert!(some.selects("app::sort_small") && some.selects("parse"));
        assert!(!some.selects("sort::slow") && !some.selects("parse_old") && !some.selects("hash"));
        assert!(parse("").unwrap().selects("anything"));
        assert_eq!(parse("-- --odd").unwrap().filters, ["--odd"]);
    }

    #[test]
    fn a_benchmark_that_cannot_be_meant() {
        static SORT: BenchmarkEntry =
            BenchmarkEntry::new("app::sort", ("", 1, 1), || true, || unreachable!("it is not asked"));
        let may = |line: &str| parse(line).unwrap().may_select(&SORT);
        assert!(may("") && may("--exact") && may("10") && may("other"));
        assert!(
            may("--exact app::sort") && may("--exact app::sort/10") && may("other app::sort/10/x --exact")
        );
        assert!(!may("--exact app::sorted") && !may("--exact app/10") && !may("sort --exact"));
    }

    #[test]
    fn ignored_ones() {
        // Those without `ignore`, and those with.
        let lists = |line: &str| [false, true].map(|ignored| parse(line).unwrap().lists(ignored));
        let runs = |line: &str| parse(line).unwrap().runs_ignored();
        assert_eq!((lists(""), runs("")), ([true, true], false));
        assert_eq!((lists("--ignored"), runs("--ignored")), ([false, true], true));
        assert_eq!((lists("--include-ignored"), runs("--include-ignored")), ([true, true], true));
        assert!(parse("--ignored --include-ignored").unwrap_err().contains("mutually exclusive"));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        assert_eq!(parse("--save-baselin x").unwrap_err(), "Unrecognized option: 'save-baselin'");
        assert_eq!(parse("--skip").unwrap_err(), "Argument to option '--skip' missing");
        assert!(parse("--format xml").unwrap_err().contains("pretty, terse or json"));
        assert!(parse("--exact=yes").unwrap_err().contains("does not take an argument"));
    }
}
