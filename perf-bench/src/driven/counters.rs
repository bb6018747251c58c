//! What the processor itself counts in a call, where Linux lets a program read it: what `--counters` prints.
//!
//! As for [`instructions`](crate::driven::instructions), two runs with as many inputs, of which one uses half, differ in the calls alone. Unlike there it takes no time, and it is
//! this machine's caches that are missed. Many virtual machines show no such counters, so each that cannot be opened is a column without figures, and must
//! never be an error.

use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use perf_event::events::{Event, Hardware, Software};
use perf_event::{Builder, Counter, ReadFormat};
use perf_runtime::session::page_of_stdout;
use perf_runtime::show::json_string;
use perf_runtime::show::names::shorten;
use perf_runtime::show::table::{Cell, Column, Table, Tone};

use crate::driven::driver::{Driver, job_named, threads_of};
use crate::driven::instructions_report::number;
use crate::driven::worker::calibrate;
use crate::harness::arguments::Format;
use crate::harness::program::FAILED;
use crate::harness::reporter::say;
use crate::measure::loops::Calls;
use crate::measure::sampling::Measurement;
use crate::registry::entry::Case;

/// The counters, by their columns and by their names in JSON.
const NAMES: [(&str, &str); 5] = [
    ("instructions", "instructions"),
    ("cycles", "cycles"),
    ("branch misses", "branch_misses"),
    ("cache misses", "cache_misses"),
    ("page faults", "page_faults"),
];

/// Of a call; `None` where there is no such counter.
type Counts = [Option<f64>; NAMES.len()];

/// How long the calls of a run take.
const RUN: Duration = Duration::from_millis(20);

/// Counts the cases, and prints what came out.
pub(crate) fn count_all(cases: impl IntoIterator<Item = Case>, format: Format) -> ExitCode {
    let all: Vec<(Case, Result<Counts, String>)> =
        cases.into_iter().map(|case| (case.clone(), count(&case.name))).collect();
    if format == Format::Json {
        for (case, counts) in &all {
            say(&json(case, counts));
        }
    } else {
        say(&table(&all));
    }
    if all.iter().all(|(_, counts)| counts.is_ok()) { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

fn count(name: &str) -> Result<Counts, String> {
    let job = job_named(name)?;
    if threads_of(&job) > 1 {
        return Err(format!("`{name}` runs on several threads, of which only one would be counted"));
    }
    let counted = Arc::new(Mutex::new(Counts::default()));
    let found = Arc::clone(&counted);
    let driver = Driver::new(move |batch| {
        let calls = calibrate(RUN.as_nanos() as f64, batch);
        let mut counters = open();
        let mut run = |calls_of_run| {
            for counter in counters.iter_mut().flatten() {
                let _ = counter.reset().and_then(|()| counter.enable());
            }
            batch(Calls::Traced { inputs: 2 * calls, calls: calls_of_run });
            for counter in counters.iter_mut().flatten() {
                let _ = counter.disable();
            }
            counters.each_mut().map(|counter| counter.as_mut().and_then(|counter| read(counter).ok()))
        };
        let (half, all) = (run(calls), run(2 * calls));
        let each = |place: usize| Some(((all[place]? - half[place]?) / calls as f64).max(0.0));
        *found.lock().unwrap_or_else(PoisonError::into_inner) = [0, 1, 2, 3, 4].map(each);
        Measurement::Driven
    });
    driver.run(job)?;
    Ok(*counted.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Those of this thread that there are.
fn open() -> [Option<Counter>; NAMES.len()] {
    [
        counter(Hardware::INSTRUCTIONS).ok(),
        counter(Hardware::CPU_CYCLES).ok(),
        counter(Hardware::BRANCH_MISSES).ok(),
        counter(Hardware::CACHE_MISSES).ok(),
        counter(Software::PAGE_FAULTS).ok(),
    ]
}

fn counter(event: impl Event) -> io::Result<Counter> {
    let times = ReadFormat::TOTAL_TIME_ENABLED | ReadFormat::TOTAL_TIME_RUNNING;
    Builder::new(event).read_format(times).build()
}

/// Of the whole time, where the processor had to share its counters among more events than it has.
fn read(counter: &mut Counter) -> io::Result<f64> {
    let data = counter.read_full()?;
    let count = data.count() as f64;
    Ok(match (data.time_enabled(), data.time_running()) {
        (Some(enabled), Some(running)) if !running.is_zero() => {
            count * enabled.as_secs_f64() / running.as_secs_f64()
        }
        _ => count,
    })
}

fn json(case: &Case, counts: &Result<Counts, String>) -> String {
    let what = match counts {
        Ok(counts) => {
            let figure = |((_, name), count): (&(&str, &str), &Option<f64>)| match count {
                Some(count) => format!(", \"{name}\": {count:.3}"),
                None => format!(", \"{name}\": null"),
            };
            NAMES.iter().zip(counts).map(figure).collect()
        }
        Err(reason) => format!(", \"error\": {}", json_string(reason)),
    };
    format!("{{ \"type\": \"counters\", \"name\": {}{what} }}\n", json_string(&case.name))
}

fn table(all: &[(Case, Result<Counts, String>)]) -> String {
    let columns =
        NAMES.iter().zip([10, 9, 8, 7, 6]).map(|((header, _), weight)| Column::number(header, weight));
    let columns = std::iter::once(Column::name("benchmark")).chain(columns).collect();
    let mut table = Table::new("Counters of a call", columns);
    let names: Vec<_> = all.iter().map(|(case, _)| case.label_or_path()).collect();
    for ((_, counts), name) in all.iter().zip(shorten(&mut names.iter())) {
        let mut cells: Vec<Cell> = vec![name.into()];
        match counts {
            Ok(counts) => {
                let cell = |count: &Option<f64>| count.map_or_else(Cell::none, |count| number(count).into());
                cells.extend(counts.iter().map(cell));
            }
            Err(_) => cells.push(Cell::toned("NOT COUNTED", Tone::Bad)),
        }
        table.row(cells);
    }
    for reason in all.iter().filter_map(|(_, counts)| counts.as_ref().err()) {
        table.note(reason.clone());
    }
    if let Err(error) = counter(Hardware::INSTRUCTIONS) {
        table.note(format!(
            "the processor's counters cannot be read here ({error}), as on most virtual machines; \
             `--instructions` counts without them, under valgrind"
        ));
    }
    table.render(page_of_stdout())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What there is everywhere, in the place of what there is on some machines.
    #[test]
    fn a_counter_counts_between_its_ends() {
        let Ok(mut faults) = counter(Software::PAGE_FAULTS) else { return };
        faults.enable().unwrap();
        let room = vec![1_u8; 64 << 20];
        faults.disable().unwrap();
        let counted = read(&mut faults).unwrap();
        assert!(std::hint::black_box(room).len() > 1 && counted >= 1.0, "{counted}");
        let before = counted;
        drop(std::hint::black_box(vec![1_u8; 64 << 20]));
        assert!((read(&mut faults).unwrap() - before).abs() < 1e-9);
    }
}
