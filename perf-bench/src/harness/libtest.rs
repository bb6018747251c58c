//! Benchmarks as ordinary tests, for crates that have no benchmark target: what the `#[test]` beside each `#[benchmark]` calls.
//!
//! libtest tells nobody when its last test is over, so the table is printed when the process ends.

use core::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

use perf_runtime::order;
use perf_runtime::session::{complain, page_of_stderr};

use crate::measure::plan::Mode;
use crate::registry::entry::{BenchmarkEntry, jobs_of};
use crate::run::growth;
use crate::run::lock;
use crate::run::outcome::{Outcome, run};
use crate::show::growth_table;
use crate::show::table::table;
use crate::suite;

/// Why a benchmark fails as a test. Its `Debug` is what libtest prints.
pub struct Failure(Vec<String>);

impl fmt::Debug for Failure {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl fmt::Display for Failure {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

/// Runs a benchmark, and judges it.
///
/// # Errors
/// If it panics, does not end in time, gives an invalid result, or misses its target.
#[inline]
pub fn run_as_test(entry: &'static BenchmarkEntry) -> Result<(), Failure> {
    suite::check().map_err(|error| Failure(vec![error]))?;
    let mut failures = Vec::new();
    let jobs = {
        // Making large arguments disturbs whoever measures.
        let _measuring = lock::measuring(suite::settings(entry, entry.name()).timeout);
        jobs_of(entry)
    };
    for job in jobs {
        let outcome = run(job, Mode::Test, drop);
        failures.extend(outcome.failure());
        remember(outcome);
    }
    if failures.is_empty() { Ok(()) } else { Err(Failure(failures)) }
}

/// What is to be in the table, in the order in which the benchmarks ended.
static OUTCOMES: Mutex<Vec<Outcome>> = Mutex::new(Vec::new());

#[inline]
fn remember(outcome: Outcome) {
    static AT_EXIT: Once = Once::new();
    OUTCOMES.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
    AT_EXIT.call_once(print_at_exit);
}

#[cfg(unix)]
#[inline]
fn print_at_exit() {
    // SAFETY: `print` is a function of the type asked for, lives as long as the process, and lets no panic out.
    let result = unsafe { libc::atexit(print) };
    if result != 0 {
        complain("the C library takes no more exit handlers, so there will be no table of benchmarks");
    }
}

#[cfg(not(unix))]
#[inline]
fn print_at_exit() {
    complain("no table of benchmarks on this system; use `perfkit::bench_main!()` in a benchmark target");
}

#[cfg_attr(not(unix), allow(dead_code))]
#[inline]
extern "C" fn print() {
    // A panic must not leave a C callback. What could panic here is a broken table, and the hook has said so by then.
    let _ = std::panic::catch_unwind(|| {
        let mut outcomes = core::mem::take(&mut *OUTCOMES.lock().unwrap_or_else(PoisonError::into_inner));
        order::sort(&mut outcomes, |a, b| {
            (a.case.entry.order(), a.case.index).cmp(&(b.case.entry.order(), b.case.index))
        });
        // Nobody is left to tell when standard error is closed.
        let page = page_of_stderr();
        let mut tables = table(&outcomes, Mode::Test, page);
        let growth = growth_table::table(&growth::all(&outcomes), page);
        if !(tables.is_empty() || growth.is_empty()) {
            tables.push('\n');
        }
        let _ = io::stderr().write_all(format!("\n{tables}{growth}").as_bytes());
    });
}
