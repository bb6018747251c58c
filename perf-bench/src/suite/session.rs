//! One run of all benchmarks: from what was asked for to the saved results and what they say beside those before.
//!
//! What can go wrong without a measurement, such as a baseline that there is not, goes wrong before the first one.

use std::time::{Instant, SystemTime};

use perf_runtime::session::complain;
use perf_runtime::show::table::Page;
use perf_runtime::spelling::nearest;

use super::compared::{Row, table};
use super::config::{self, Config};
use super::options::Options;
use super::strict::{self, Resident};
use crate::harness::arguments::Arguments;
use crate::harness::reporter::say;
use crate::judge::{Before, compare};
use crate::registry::entry::{BenchmarkEntry, entries};
use crate::registry::settings::NAME;
use crate::results::{Benchmark, Commit, Mode, Record, Store, StoreError, program};
use crate::run::outcome::Outcome;

/// See the module.
pub(crate) struct Suite {
    pub(super) config: &'static Config,
    pub(super) options: Options,
    mode: Mode,
    pub(super) program: String,
    /// Of what is timed, or of what is counted.
    pub(super) store: Option<Store>,
    /// The one to compare with.
    pub(super) baseline: Option<Record>,
    begun: Instant,
    /// What the program took before the first benchmark, where that is held.
    idle: Option<Resident>,
}

impl Suite {
    /// `None` if nothing is to be run.
    pub(crate) fn begin(arguments: &Arguments) -> Result<Option<Self>, String> {
        let options = &arguments.suite;
        let config = config::begin(options.layer.clone())?;
        let mode = match arguments {
            Arguments { instructions: true, .. } => Mode::Instructions,
            Arguments { bench: true, .. } => Mode::Measure,
            _ => Mode::Test,
        };
        let program = program();
        let mut store = config.results().map(Store::at);
        let named = options.baseline.is_some() || options.save_baseline.is_some();
        if named && arguments.counters {
            return Err("what `--counters` reads is not saved and compared with nothing; `--instructions` counts what can be".to_owned());
        }
        if options.layer.fail_above.is_some() && (mode != Mode::Instructions || options.baseline.is_none()) {
            return Err("`--fail-above` goes with `--instructions` and `--baseline NAME`, since only what is counted fails by a baseline; \
                        by time, `cargo perfkit compare --fail-above 5%` does"
                .to_owned());
        }
        if (named || options.list_baselines) && store.is_none() {
            return Err("there is no target directory around this program to keep baselines in; say where: `--results DIR`".to_owned());
        }
        if let Some(store) = store.as_ref().filter(|_| options.list_baselines) {
            say(&list(store).map_err(|error| error.to_string())?);
            return Ok(None);
        }
        if mode == Mode::Instructions {
            store = store.map(|store| store.of_instructions());
        }
        let mut baseline = None;
        if let Some(store) = &store {
            let failed = |error: StoreError| match mode {
                Mode::Instructions => format!("of what `--instructions` counted, {error}"),
                Mode::Measure | Mode::Test => error.to_string(),
            };
            if let Some(name) = &options.save_baseline {
                store.replaced_by(name, &program).map_err(failed)?;
            }
            if let Some(name) = &options.baseline {
                baseline = Some(store.baseline(name, &program).map_err(failed)?);
            }
        }
        let idle = config.strict().then(Resident::read).flatten();
        let (options, begun) = (options.clone(), Instant::now());
        Ok(Some(Suite { config, options, mode, program, store, baseline, begun, idle }))
    }

    /// Why no more is to be run.
    pub(crate) fn over(&self) -> Option<String> {
        let timeout = self.config.suite_timeout();
        (self.begun.elapsed() >= timeout).then(|| {
            format!(
                "was not run, because the time for all benchmarks ({timeout:?}) was over; raise `timeout` below `[suite]` in {NAME}, or say \
                 `--suite-timeout`"
            )
        })
    }

    /// Compares, saves, and shows on the page if there is one; returns what fails the run beside its benchmarks.
    pub(crate) fn end(&self, outcomes: &[Outcome], page: Option<Page>) -> Vec<String> {
        let mut warnings = self.targets_of_nobody();
        let mut failures = Vec::new();
        let benchmarks: Vec<Benchmark> = outcomes.iter().filter_map(Benchmark::of).collect();
        let store = self.store.as_ref().filter(|_| !benchmarks.is_empty());
        if let Some(store) = store.filter(|_| self.compares_or_saves()) {
            let mut record = self.record(benchmarks);
            let (past, errors) =
                store.newest(&self.program, usize::MAX, &|run| self.is_comparable(run, &record));
            warnings.extend(errors.iter().map(ToString::to_string));
            if let Some(page) = page {
                say(&self.compared(outcomes, &record, &past, page));
            }
            if self.mode == Mode::Measure {
                warnings.extend(self.save(store, &record));
            }
            if let Some(name) = &self.options.save_baseline {
                for benchmark in &mut record.benchmarks {
                    benchmark.earlier =
                        self.last(&past, &benchmark.name).iter().map(|run| run.1.past()).collect();
                }
                match self.save_baseline(store, name, &record) {
                    Ok(lost) => warnings.extend(lost),
                    Err(failure) => failures.push(failure),
                }
            }
        } else if let Some(store) = store {
            // What cannot be read is told of all the same.
            let (_, errors) = store.newest(&self.program, usize::MAX, &|_| false);
            warnings.extend(errors.iter().map(ToString::to_string));
        }
        self.tell(warnings, &mut failures);
        if self.config.strict() {
            failures.extend(strict::failures(self.idle, Resident::read(), &self.config.default_targets()));
        }
        failures
    }

    /// Tells of what fails nothing but in strict mode.
    pub(super) fn tell(&self, warnings: Vec<String>, failures: &mut Vec<String>) {
        if self.config.strict() {
            failures.extend(warnings);
        } else {
            for warning in warnings {
                complain(warning);
            }
        }
    }

    /// Whether anybody needs the run as a record, for which the compiler and git are asked: a test is only compared with a baseline, and only saved as one.
    fn compares_or_saves(&self) -> bool {
        self.mode == Mode::Measure || self.baseline.is_some() || self.options.save_baseline.is_some()
    }

    pub(super) fn record(&self, benchmarks: Vec<Benchmark>) -> Record {
        Record::new(now(), &self.program, self.mode, Commit::of(&self.config.package), benchmarks)
    }

    fn is_comparable(&self, run: &Record, record: &Record) -> bool {
        run.mode == self.mode && run.machine.is(&record.machine) && run.build.profile == record.build.profile
    }

    /// The last runs that have the benchmark, oldest first.
    fn last<'r>(&self, past: &'r [Record], name: &str) -> Vec<(&'r Record, &'r Benchmark)> {
        let mut last: Vec<_> = past
            .iter()
            .rev()
            .filter_map(|run| Some((run, run.benchmarks.iter().find(|benchmark| benchmark.name == name)?)))
            .take(self.config.runs())
            .collect();
        last.reverse();
        last
    }

    /// The table of changes: to the baseline, or to the last runs on this machine.
    fn compared(&self, outcomes: &[Outcome], record: &Record, past: &[Record], page: Page) -> String {
        let mut notes = Vec::new();
        let mut most_runs = 0;
        let rows: Vec<Row> = record
            .benchmarks
            .iter()
            .filter_map(|now| {
                let (before, runs) = if let Some(baseline) = &self.baseline {
                    let before = baseline.benchmarks.iter().find(|benchmark| benchmark.name == now.name)?;
                    let past = before.earlier.iter().copied().chain([before.past()]).collect();
                    (before, past)
                } else {
                    let last = self.last(past, &now.name);
                    most_runs = most_runs.max(last.len());
                    (middle(&last)?, last.iter().map(|run| run.1.past()).collect())
                };
                let before_in_short = Before { samples: &before.samples, runs };
                let change = compare(&now.samples, now.past(), &before_in_short, &self.config.thresholds())?;
                let outcome = outcomes.iter().find(|outcome| outcome.case.name == now.name)?;
                Some(Row {
                    name: outcome.case.label_or_path(),
                    before: before.summary.median,
                    now: now.summary.median,
                    change,
                })
            })
            .collect();
        let title = match (&self.baseline, &self.options.baseline) {
            (Some(baseline), Some(name)) => {
                if !baseline.machine.is(&record.machine) {
                    return format!(
                        "\nthe baseline `{name}` is of another machine ({}; this one is {}), so nothing is compared with it\n",
                        baseline.machine.line(),
                        record.machine.line()
                    );
                }
                notes.extend(differences(baseline, record));
                format!("Compared with {}", named(baseline, name))
            }
            _ if most_runs == 1 => String::from("Compared with the last run on this machine"),
            _ => format!("Compared with the middle one of the last {most_runs} runs on this machine"),
        };
        let shown = table(&title, &rows, &notes, page);
        if shown.is_empty() { shown } else { format!("\n{shown}") }
    }

    /// Saves the run among the last ones, unless that is not wanted; returns why it could not.
    pub(super) fn save(&self, store: &Store, record: &Record) -> Option<String> {
        if !self.config.saves() || self.options.no_save {
            return None;
        }
        let saved = store.save(record, self.config.keep());
        saved.err().map(|error| format!("this run was not saved: {error}"))
    }

    /// Returns what the baseline had that this one does not have, to be told.
    pub(super) fn save_baseline(
        &self,
        store: &Store,
        name: &str,
        record: &Record,
    ) -> Result<Option<String>, String> {
        let failed = |error: StoreError| format!("the baseline `{name}` was not saved: {error}");
        let replaced = store.replaced_by(name, &self.program).map_err(failed)?;
        store.save_baseline(name, record).map_err(failed)?;
        let is_there = |lost: &Benchmark| record.benchmarks.iter().any(|kept| kept.name == lost.name);
        let lost =
            replaced.into_iter().flat_map(|replaced| replaced.benchmarks).filter(|lost| !is_there(lost));
        let lost: Vec<String> = lost.map(|lost| format!("`{}`", lost.name)).collect();
        Ok((!lost.is_empty()).then(|| format!("the baseline `{name}` no longer has {}", lost.join(", "))))
    }

    /// Of each target in the file that can only be a mistake, a line.
    fn targets_of_nobody(&self) -> Vec<String> {
        let benchmarks: Vec<&str> = entries().into_iter().map(BenchmarkEntry::name).collect();
        let nobodies = self.config.targets_of_nobody(&benchmarks);
        nobodies
            .into_iter()
            .map(|target| {
                let guess = nearest(target, &mut benchmarks.iter().copied());
                let guess = guess.map_or_else(String::new, |guess| format!("; did you mean `{guess}`?"));
                format!("{NAME} has a target for `{target}`, and there is no such benchmark{guess}")
            })
            .collect()
    }
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// "the baseline main (ea4a8fc)".
pub(super) fn named(baseline: &Record, name: &str) -> String {
    let commit = baseline.commit.as_ref().map_or_else(String::new, |commit| format!(" ({})", commit.short()));
    format!("the baseline {name}{commit}")
}

/// Of several runs, the one whose median is the middle one.
fn middle<'r>(last: &[(&Record, &'r Benchmark)]) -> Option<&'r Benchmark> {
    let mut by_median: Vec<&Benchmark> = last.iter().map(|run| run.1).collect();
    by_median.sort_by(|a, b| a.summary.median.total_cmp(&b.summary.median));
    by_median.get(by_median.len().saturating_sub(1) / 2).copied()
}

/// What of a baseline is not as in this run, apart from the code.
pub(super) fn differences(baseline: &Record, record: &Record) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differ = |what: &str, then: &str, now: &str| {
        if then != now {
            differences.push(format!("{what} is not that of the baseline: {now}, then {then}"));
        }
    };
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "unknown".to_owned());
    differ("the compiler", &word(&baseline.build.rustc), &word(&record.build.rustc));
    differ("the profile", &word(&baseline.build.profile), &word(&record.build.profile));
    differ("the kernel", &baseline.machine.kernel, &record.machine.kernel);
    if baseline.mode != record.mode {
        differences
            .push("one of the two was measured, and the other only tested, which is shorter".to_owned());
    }
    differences
}

fn list(store: &Store) -> Result<String, StoreError> {
    let mut lines = Vec::new();
    for (store, of) in [(store, ""), (&store.of_instructions(), " (instructions)")] {
        for (name, programs) in store.baselines()? {
            lines.push(format!("{name}{of}: {}\n", programs.join(", ")));
        }
    }
    if lines.is_empty() {
        let directory = store.directory().display();
        return Ok(format!("no baselines in {directory}; `--save-baseline NAME` makes one\n"));
    }
    Ok(lines.concat())
}
