//! Instructions of a call, counted by callgrind: what `--instructions` prints, and what tells a comparison whether a slower revision does more work.
//!
//! The program runs itself under valgrind twice ([`COUNT`]), with inputs for as many calls, of which one run uses half and the other uses all. What the two
//! differ in is the calls: starting, warming up, making inputs and ending cancel. Results are not dropped and unused inputs neither, as both are outside of the
//! clock. Nothing on that way may depend on a clock, or the counts would not repeat.
//!
//! The caches and branch predictor that callgrind imitates are no machine's own. What misses them is counted because time that grows while instructions do not
//! has its reason there, or in where the code lies.

use std::env;
use std::io::ErrorKind;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use perf_runtime::clock;
use perf_runtime::session::page_of_stdout;
use perf_runtime::show::units;

use crate::driven::driver::{Driver, job_named, threads_of};
use crate::driven::instructions_report;
use crate::driven::worker::calibrate;
use crate::harness::arguments::Format;
use crate::harness::program::FAILED;
use crate::harness::reporter::say;
use crate::measure::loops::Calls;
use crate::measure::sampling::Measurement;
use crate::registry::entry::Case;
use crate::suite::Suite;

/// The word that makes a program run one benchmark for valgrind: `--perfkit-count NAME INPUTS CALLS`.
pub(crate) const COUNT: &str = "--perfkit-count";

/// What one call takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) instructions: f64,
    /// Reads and writes of memory.
    pub(crate) accesses: f64,
    /// Of these, those not in the first-level cache that callgrind imitates.
    pub(crate) first_level_misses: f64,
    /// Those not in the last-level one.
    pub(crate) last_level_misses: f64,
    /// Branches not foreseen.
    pub(crate) branch_misses: f64,
}

/// What became of one case.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) case: Case,
    pub(crate) counts: Result<Counts, String>,
    /// Instructions of a call in a run before, if that has it.
    pub(crate) before: Option<f64>,
}

impl Counted {
    #[inline]
    pub(crate) fn instructions(&self) -> Option<f64> {
        self.counts.as_ref().ok().map(|counts| counts.instructions)
    }
}

/// How long the calls of one run take without valgrind, under which they take a hundred times that.
const RUN: Duration = Duration::from_millis(4);
/// Where one call takes longer than this, nobody would wait for it.
const TOO_LONG: Duration = Duration::from_millis(500);
/// Calls that bring everything into being, before those that are counted.
const WARM_UP: u64 = 8;

/// Counts one benchmark by its name.
///
/// # Errors
/// Why it cannot be counted.
#[inline]
pub(crate) fn of(name: &str) -> Result<Counts, String> {
    let calls = calls_of_a_run(name)?;
    let half = valgrind(name, 2 * calls, calls)?;
    let all = valgrind(name, 2 * calls, 2 * calls)?;
    Ok(Events::per_call(&half, &all, calls))
}

/// A power of two, so that two countings mostly have the same.
#[inline]
fn calls_of_a_run(name: &str) -> Result<u64, String> {
    let job = job_named(name)?;
    if threads_of(&job) > 1 {
        return Err(format!(
            "`{name}` runs on several threads, whose waiting for one another would be counted too"
        ));
    }
    let calls = Arc::new(AtomicU64::new(0));
    let found = Arc::clone(&calls);
    let driver = Driver::new(move |batch| {
        let once = clock::rate().duration(batch(Calls::Timed(1)).whole);
        if once > TOO_LONG {
            let reason =
                format!("takes {} a call, which under valgrind would be minutes", units::duration(once));
            return Measurement::Refused(reason);
        }
        let calls = calibrate(RUN.as_nanos() as f64 / 2.0, batch);
        found.store(calls, Ordering::Relaxed);
        Measurement::Driven
    });
    driver.run(job)?;
    let calls = calls.load(Ordering::Relaxed).max(1);
    Ok(1 << calls.ilog2().min(30))
}

/// The program that runs under valgrind: `inputs` are made, and with the first `calls` of them the routine is called.
#[inline]
pub(crate) fn count(words: &[String]) -> ExitCode {
    let [name, inputs, calls] = words else { return ExitCode::from(FAILED) };
    let (Ok(inputs), Ok(calls)) = (inputs.parse(), calls.parse()) else { return ExitCode::from(FAILED) };
    let driver = Driver::new(move |batch| {
        batch(Calls::Traced { inputs: WARM_UP, calls: WARM_UP });
        batch(Calls::Traced { inputs, calls });
        Measurement::Driven
    });
    match job_named(name).and_then(|job| driver.run(job)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(FAILED)
        }
    }
}

/// Runs this program under callgrind.
#[inline]
fn valgrind(name: &str, inputs: u64, calls: u64) -> Result<Events, String> {
    let program =
        env::current_exe().map_err(|error| format!("this program does not find itself: {error}"))?;
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--cache-sim=yes", "--branch-sim=yes", "--callgrind-out-file=/dev/null"])
        .arg(&program)
        // As many characters in each run, because they stand on the stack, whose place decides how copies are made.
        .args([COUNT, name, &format!("{inputs:020}"), &format!("{calls:020}")])
        .stdin(Stdio::null());
    let output = command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            String::from("valgrind, which counts instructions, is not installed (`apt-get install valgrind` on Debian and Ubuntu)")
        }
        _ => format!("valgrind, which counts instructions, cannot be run: {error}"),
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    let events = Events::parse(&said);
    match events {
        Some(events) if output.status.success() => Ok(events),
        _ => Err(format!("did not end well under valgrind ({}):\n{}", output.status, last_lines(&said))),
    }
}

#[inline]
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// What callgrind counted in one run, by its name for it.
struct Events(Vec<(String, u64)>);

impl Events {
    /// From what it says at its end.
    #[inline]
    fn parse(said: &str) -> Option<Self> {
        let list = |label: &str| {
            let line = said.lines().rev().find(|line| line.starts_with("==") && line.contains(label))?;
            line.split_once(" : ").map(|(_, list)| list.split_whitespace())
        };
        let names = list("Events ")?.map(str::to_owned);
        let numbers: Option<Vec<u64>> = list("Collected ")?.map(|number| number.parse().ok()).collect();
        Some(Events(names.zip(numbers?).collect()))
    }

    #[inline]
    fn sum(&self, names: &[&str]) -> u64 {
        self.0.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, number)| number).sum()
    }

    /// Of so many calls more in `all` than in `half`. What differs by chance may be less than nothing.
    #[inline]
    fn per_call(half: &Self, all: &Self, calls: u64) -> Counts {
        let each = |names: &[&str]| {
            let (half, all) = (half.sum(names), all.sum(names));
            all.saturating_sub(half) as f64 / calls as f64
        };
        Counts {
            instructions: each(&["Ir"]),
            accesses: each(&["Dr", "Dw"]),
            first_level_misses: each(&["D1mr", "D1mw"]),
            last_level_misses: each(&["DLmr", "DLmw"]),
            branch_misses: each(&["Bcm", "Bim"]),
        }
    }
}

impl Counts {
    /// As a worker says it: the fields, in their order.
    #[inline]
    pub(crate) fn reply(&self) -> String {
        let Counts { instructions, accesses, first_level_misses, last_level_misses, branch_misses } = self;
        format!("counts {instructions} {accesses} {first_level_misses} {last_level_misses} {branch_misses}")
    }
}

/// Counts the cases, and prints what came out beside what was counted before.
#[inline]
pub(crate) fn count_all(cases: impl IntoIterator<Item = Case>, format: Format, suite: &Suite) -> ExitCode {
    let (counting, earlier) = suite.begin_counting();
    let mut all = Vec::new();
    for case in cases {
        let counted = Counted { counts: of(&case.name), before: earlier.of(&case.name), case };
        match (format, &counted.counts) {
            (Format::Json, _) => say(&instructions_report::json(&counted)),
            (_, Err(reason)) => say(&format!("{}: {reason}\n\n", counted.case.name)),
            (_, Ok(_)) => {}
        }
        all.push(counted);
    }
    if format != Format::Json {
        say(&instructions_report::table(&all, &earlier, page_of_stdout()));
    }
    let mut failures: Vec<String> = all.iter().filter_map(|counted| earlier.failure(counted)).collect();
    failures.extend(counting.end(&all));
    for failure in &failures {
        eprintln!("error: {failure}");
    }
    let passes = failures.is_empty() && all.iter().all(|counted| counted.counts.is_ok());
    if passes { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
==7== Callgrind, a call-graph generating cache profiler
==7== For interactive control, run 'callgrind_control -h'.
a benchmark prints Events : and Collected : 9
==7==
==7== Events    : Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw Bc Bcm Bi Bim
==7== Collected : 1000 300 100 9 20 10 8 4 2 90 7 5 3
==7==
==7== I   refs:      1,000
";

    #[test]
    fn what_two_runs_differ_in() {
        let half = Events::parse(SAID).unwrap();
        let all = Events::parse(&SAID.replace(": 1000 300 100 9 20 10", ": 1800 460 140 9 36 10")).unwrap();
        let counts = Events::per_call(&half, &all, 8);
        assert_eq!(
            counts,
            Counts {
                instructions: 100.0,
                accesses: 25.0,
                first_level_misses: 2.0,
                last_level_misses: 0.0,
                branch_misses: 0.0
            }
        );
        assert_eq!(counts.reply(), "counts 100 25 2 0 0");
        // What says less than nothing was nothing.
        assert_eq!(Events::per_call(&all, &half, 8).reply(), "counts 0 0 0 0 0");
        assert!(Events::parse("==7== Events    : Ir\nKilled\n").is_none());
    }
}
