//! What `--instructions` counts, from the run that it is compared with to the one that is saved.
//!
//! Counts repeat where times do not: one run before tells as much as ten, and what is more than in a baseline fails the run. But they are of one kind of processor and of one
//! profile; beside a baseline of another, nothing fails.

use super::session::{Suite, differences, named, now};
use crate::driven::instructions::Counted;
use crate::driven::instructions_report::Earlier;
use crate::results::{Benchmark, Record};

/// See the module.
pub(crate) struct Counting<'s> {
    suite: &'s Suite,
    /// What is saved in the end.
    record: Record,
    warnings: Vec<String>,
}

impl Suite {
    /// Begins to count; with what was counted before.
    pub(crate) fn begin_counting(&self) -> (Counting<'_>, Earlier) {
        let record = self.record(Vec::new());
        let (earlier, warnings) = match &self.baseline {
            Some(baseline) => (self.of_baseline(baseline, &record), Vec::new()),
            None => self.of_last_runs(&record),
        };
        (Counting { suite: self, record, warnings }, earlier)
    }

    fn of_baseline(&self, baseline: &Record, record: &Record) -> Earlier {
        let fails = is_alike(baseline, record);
        let mut notes = differences(baseline, record);
        if !fails {
            notes.push(format!(
                "nothing fails, as counts are of one kind of processor and one profile, and the baseline is of {} ({})",
                baseline.machine.cpu,
                baseline.build.profile.as_deref().unwrap_or("unknown profile")
            ));
        }
        let name = self.options.baseline.as_deref().unwrap_or_default();
        Earlier {
            what: named(baseline, name),
            counts: counts(baseline).collect(),
            threshold: self.config.fail_above(),
            fails,
            notes,
        }
    }

    /// Of each benchmark, what the newest run that has it says.
    fn of_last_runs(&self, record: &Record) -> (Earlier, Vec<String>) {
        let Some(store) = &self.store else { return (Earlier::default(), Vec::new()) };
        let (runs, errors) = store.newest(&self.program, self.config.runs(), &|run| is_alike(run, record));
        let earlier = Earlier {
            what: "the last run".to_owned(),
            counts: runs.iter().rev().flat_map(counts).collect(),
            threshold: self.config.fail_above(),
            fails: false,
            notes: Vec::new(),
        };
        (earlier, errors.iter().map(ToString::to_string).collect())
    }
}

impl Counting<'_> {
    /// Saves what was counted; returns what fails the run beside its benchmarks.
    pub(crate) fn end(self, all: &[Counted]) -> Vec<String> {
        let Counting { suite, mut record, mut warnings } = self;
        let counted = all.iter().filter_map(|counted| Some((&counted.case, counted.instructions()?)));
        record.benchmarks =
            counted.map(|(case, instructions)| Benchmark::counted(case, instructions)).collect();
        record.unix_ms = now();
        let mut failures = Vec::new();
        if let Some(store) = suite.store.as_ref().filter(|_| !record.benchmarks.is_empty()) {
            warnings.extend(suite.save(store, &record));
            if let Some(name) = &suite.options.save_baseline {
                match suite.save_baseline(store, name, &record) {
                    Ok(lost) => warnings.extend(lost),
                    Err(failure) => failures.push(failure),
                }
            }
        }
        suite.tell(warnings, &mut failures);
        failures
    }
}

/// Whether counts of the two can be compared.
fn is_alike(run: &Record, record: &Record) -> bool {
    run.machine.counts_as(&record.machine) && run.build.profile == record.build.profile
}

fn counts(run: &Record) -> impl Iterator<Item = (String, f64)> {
    run.benchmarks.iter().filter_map(|benchmark| Some((benchmark.name.clone(), benchmark.instructions?)))
}
