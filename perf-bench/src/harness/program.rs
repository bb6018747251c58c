//! The program of `bench_main!`: lists and runs the benchmarks as libtest would, so that cargo, nextest and editors know what to say.
//!
//! With `--bench`, which only `cargo bench` says, they are measured; without, they run just long enough to judge their targets.

use std::process::ExitCode;
use std::time::Instant;

use perf_runtime::session::complain;

use crate::driven::counters;
use crate::driven::driver::is_case;
use crate::driven::instructions;
use crate::driven::worker;
use crate::harness::arguments::{Arguments, Format, HELP};
use crate::harness::progress::Progress;
use crate::harness::reporter::{Reporter, Totals, say};
use crate::measure::plan::Mode;
use crate::registry::entry::{BenchmarkEntry, Job, entries, jobs};
use crate::run::interrupt;
use crate::run::outcome::{End, Outcome, run};
use crate::suite::{self, Suite};

/// Some benchmark failed, or the command line was not understood: what libtest exits with.
pub(crate) const FAILED: u8 = 101;

/// What a shell says of a process that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Runs the benchmarks of the program. [`bench_main!`](crate::bench_main) calls it.
#[must_use]
#[inline]
pub fn main() -> ExitCode {
    // A word that is no Unicode is no name of a benchmark and no option.
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    match words.first().map(String::as_str) {
        Some(worker::WORKER) => return worker::main(),
        Some(instructions::COUNT) => return instructions::count(&words[1..]),
        _ => {}
    }
    let arguments = match Arguments::parse(words.into_iter()) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(FAILED);
        }
    };
    if arguments.help {
        say(HELP);
        say(suite::HELP);
        return ExitCode::SUCCESS;
    }
    let mode = if arguments.bench { Mode::Measure } else { Mode::Test };
    let suite = match Suite::begin(&arguments) {
        Ok(Some(suite)) => suite,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let benchmarks = entries();
    if benchmarks.is_empty() {
        complain(
            "no benchmarks are linked into this program. A crate that its source does not name is left out by the linker: \
             write `use your_crate as _;` beside `bench_main!()` for each crate whose `#[benchmark]` functions are to run here \
             (a `main.rs` is no such crate: move them to a `lib.rs`)",
        );
        return if arguments.list { ExitCode::SUCCESS } else { ExitCode::from(FAILED) };
    }
    let may_select = |entry: &BenchmarkEntry| arguments.may_select(entry);
    let all = jobs(&may_select);
    // Of a benchmark that is not asked for its cases, one.
    let count = all.len() + benchmarks.iter().filter(|entry| !may_select(entry)).count();
    let chosen: Vec<Job> = all
        .into_iter()
        .filter(|job| arguments.selects(&job.case.name) && arguments.lists(job.case.entry.ignored.is_some()))
        .collect();
    if arguments.list {
        list(&chosen, &arguments);
        return ExitCode::SUCCESS;
    }
    if arguments.instructions || arguments.counters {
        let run = chosen
            .into_iter()
            .filter(is_case)
            .map(|job| job.case)
            .filter(|case| case.entry.ignored.is_none() || arguments.runs_ignored());
        return if arguments.counters {
            counters::count_all(run, arguments.format)
        } else {
            instructions::count_all(run, arguments.format, &suite)
        };
    }
    let filtered_out = count - chosen.len();
    run_all(chosen, filtered_out, &arguments, mode, &suite)
}

#[inline]
fn list(chosen: &[Job], arguments: &Arguments) {
    for job in chosen {
        say(&format!("{}: benchmark\n", job.case.name));
    }
    if arguments.format == Format::Pretty {
        say(&format!("\n0 tests, {} benchmarks\n", chosen.len()));
    }
}

#[inline]
fn run_all(
    chosen: Vec<Job>,
    filtered_out: usize,
    arguments: &Arguments,
    mode: Mode,
    suite: &Suite,
) -> ExitCode {
    let mut reporter = match Reporter::new(arguments, mode) {
        Ok(reporter) => reporter,
        Err(error) => {
            let path = arguments.logfile.as_deref().unwrap_or_else(|| "".as_ref());
            eprintln!("error: the logfile `{}` cannot be written: {error}", path.display());
            return ExitCode::from(FAILED);
        }
    };
    let mut totals = Totals { filtered_out, ..Totals::default() };
    let mut outcomes: Vec<Outcome> = Vec::new();
    let start = Instant::now();
    interrupt::listen();
    let count = chosen.len();
    reporter.begin(count);
    for (place, mut job) in chosen.into_iter().enumerate() {
        if interrupt::is_interrupted() {
            totals.filtered_out += 1;
            continue;
        }
        if let Some(reason) = job.case.entry.ignored
            && !arguments.runs_ignored()
        {
            reporter.ignored(&job.case.name, reason);
            totals.ignored += 1;
            continue;
        }
        reporter.started(&job.case.name);
        if let Some(reason) = suite.over() {
            job.task = Err(reason);
        }
        let outcome = run(job, mode, |samples| {
            reporter.shows_progress().then(|| Progress::of(place + 1, count, samples))
        });
        reporter.ended(&outcome);
        match (&outcome.end, outcome.failure()) {
            (_, Some(_)) => totals.failed += 1,
            (End::Measured(..), None) if mode == Mode::Measure => totals.measured += 1,
            (_, None) => totals.passed += 1,
        }
        outcomes.push(outcome);
    }
    reporter.end(&outcomes, totals, start.elapsed());
    // What was measured before an interruption is no run of all, and is not saved as one.
    if interrupt::is_interrupted() {
        return ExitCode::from(INTERRUPTED);
    }
    let failures = suite.end(&outcomes, reporter.page());
    for failure in &failures {
        eprintln!("error: {failure}");
    }
    if totals.failed == 0 && failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}
