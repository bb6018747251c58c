//! The program of `bench_main!`: lists and runs the benchmarks as libtest would, so that cargo, nextest and editors know what to say.
//!
//! With `--bench`, which only `cargo bench` says, they are measured; without, they run just long enough to judge their targets.

use std::process::ExitCode;
use std::time::Instant;

use perf_runtime::session::complain;

use crate::arguments::{Arguments, Format, HELP};
use crate::measure::Mode;
use crate::registry::{Case, cases_of, entries};
use crate::reporter::{Reporter, Totals};
use crate::run::{End, Outcome, run};

/// Some benchmark failed, or the command line was not understood: what libtest exits with.
const FAILED: u8 = 101;

/// Runs the benchmarks of the program. [`bench_main!`](crate::bench_main) calls it.
#[must_use]
pub fn main() -> ExitCode {
    // A word that is no Unicode is no name of a benchmark and no option.
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let arguments = match Arguments::parse(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(FAILED);
        }
    };
    if arguments.help {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let all: Vec<Case> = entries().into_iter().flat_map(cases_of).collect();
    if all.is_empty() {
        complain(
            "no benchmarks are linked into this program. A crate that its source does not name is left out by the linker: \
             write `use your_crate as _;` beside `bench_main!()` for each crate whose `#[benchmark]` functions are to run here \
             (a `main.rs` is no such crate: move them to a `lib.rs`)",
        );
        return if arguments.list { ExitCode::SUCCESS } else { ExitCode::from(FAILED) };
    }
    if arguments.list {
        return list(&all, &arguments);
    }
    run_all(&all, &arguments)
}

fn list(all: &[Case], arguments: &Arguments) -> ExitCode {
    let chosen: Vec<&Case> = all
        .iter()
        .filter(|case| arguments.selects(&case.name) && arguments.lists(case.entry.ignored))
        .collect();
    for case in &chosen {
        println!("{}: benchmark", case.name);
    }
    if arguments.format == Format::Pretty {
        println!("\n0 tests, {} benchmarks", chosen.len());
    }
    ExitCode::SUCCESS
}

fn run_all(all: &[Case], arguments: &Arguments) -> ExitCode {
    let mode = if arguments.bench { Mode::Measure } else { Mode::Test };
    let mut reporter = match Reporter::new(arguments, mode) {
        Ok(reporter) => reporter,
        Err(error) => {
            let path = arguments.logfile.as_deref().unwrap_or_else(|| "".as_ref());
            eprintln!("error: the logfile `{}` cannot be written: {error}", path.display());
            return ExitCode::from(FAILED);
        }
    };
    let chosen: Vec<&Case> = all
        .iter()
        .filter(|case| arguments.selects(&case.name) && arguments.lists(case.entry.ignored))
        .collect();
    let mut totals = Totals { filtered_out: all.len() - chosen.len(), ..Totals::default() };
    let mut outcomes: Vec<Outcome> = Vec::new();
    let start = Instant::now();
    reporter.begin(chosen.len());
    for case in chosen {
        if !arguments.runs(case.entry.ignored) {
            reporter.ignored(&case.name);
            totals.ignored += 1;
            continue;
        }
        reporter.started(&case.name);
        let outcome = run(case, mode);
        reporter.ended(&outcome);
        match (&outcome.end, outcome.failure()) {
            (_, Some(_)) => totals.failed += 1,
            (End::Measured(..), None) if mode == Mode::Measure => totals.measured += 1,
            (_, None) => totals.passed += 1,
        }
        outcomes.push(outcome);
    }
    reporter.end(&outcomes, totals, start.elapsed());
    if totals.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}
