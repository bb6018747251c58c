//! The registered benchmarks under [criterion](https://docs.rs/criterion), for its plots and its statistics: feature `criterion`.
//!
//! ```toml
//! [dev-dependencies]
//! perfkit = { version = "0.1", features = ["criterion"] }
//!
//! [[bench]]
//! name = "plots"
//! harness = false
//! ```
//!
//! and in `benches/plots.rs` (in a user's crate it is `perfkit::criterion`):
//!
//! ```no_run
//! use perf_bench::criterion::{criterion_group, criterion_main};
//! use perf_runtime as _; // the crates whose benchmarks are to run, named or they are not linked
//!
//! criterion_group!(benches, perf_bench::criterion::all);
//! criterion_main!(benches);
//! ```
//!
//! Criterion decides how often a benchmark runs, judges no target, and writes its report to `target/criterion/report/index.html`. The loops are those of this crate: inputs are made and results
//! dropped outside of the clock. Criterion takes nothing off for the loop, so what takes some nanoseconds seems to take a little more than in the tables of perfkit.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

pub use ::criterion::{Criterion, criterion_group, criterion_main};
use perf_runtime::clock;
use perf_runtime::session::complain;

use crate::measure::bencher::{Bencher, Elsewhere};
use crate::measure::loops::{Batch, Calls};
use crate::measure::sampling::Measurement;
use crate::registry::entry::{Job, Task, entries, jobs_of};
use crate::run::lock;
use crate::run::own_thread::message_of;

/// How long others of the same target directory wait for one, since nobody knows what criterion was told.
const LONGEST: Duration = Duration::from_secs(120);

/// Runs every registered benchmark under its name, but for those with `ignore`, and those on several threads, of which criterion knows nothing and which are named on
/// standard error. `complexity` is judged by `bench_main!`.
///
/// # Panics
/// When all have run, if one has panicked, failed or measured nothing, so that the program fails. At once, if no benchmark is linked into the program.
pub fn all(criterion: &mut Criterion) {
    let entries = entries();
    assert!(
        !entries.is_empty(),
        "no benchmarks are linked into this program: write `use your_crate as _;` for each crate whose `#[benchmark]` functions are to run"
    );
    let mut failures = Vec::new();
    for entry in entries.into_iter().filter(|entry| entry.ignored.is_none()) {
        for job in jobs_of(entry) {
            let name = job.case.name.clone();
            if let Err(reason) = run(criterion, job) {
                failures.push(format!("{}: `{name}` {reason}", entry.place()));
            }
        }
    }
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

fn run(criterion: &mut Criterion, job: Job) -> Result<(), String> {
    let body = match job.task? {
        Task::Case(body) if body.threads() == 1 => body,
        Task::Case(_) => {
            complain(format_args!(
                "criterion runs nothing on several threads, so `{}` is left out",
                job.case.name
            ));
            return Ok(());
        }
        // How all sizes together grow is nothing to be timed.
        Task::Growth(..) => return Ok(()),
    };
    let _measuring = lock::measuring(LONGEST);
    let mut under = Under { criterion, name: job.case.name, measured: 0 };
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let mut bencher = Bencher::elsewhere(&mut under);
        body.run_in(&mut bencher);
        bencher.into_measurements().0
    }));
    match ended {
        Err(panic) => match panic.downcast::<Refused>() {
            Ok(refused) => Err(refused.0),
            Err(panic) => Err(format!("panicked: {}", message_of(&*panic))),
        },
        Ok(measurements) => match (measurements.last(), under.measured) {
            (Some(Measurement::Refused(reason)), _) => Err(reason.clone()),
            (_, 0) => Err(String::from("measured nothing: it has to call `iter` or one of its kind")),
            (_, 1) => Ok(()),
            (_, times) => Err(format!("measured {times} things: write a benchmark for each")),
        },
    }
}

/// What leaves criterion's loops when the first result is not as it should be: why.
struct Refused(String);

/// One benchmark under criterion.
struct Under<'a> {
    criterion: &'a mut Criterion,
    name: String,
    measured: usize,
}

impl Elsewhere for Under<'_> {
    fn measure(&mut self, batch: &mut dyn FnMut(Calls) -> Batch) {
        self.measured += 1;
        let mut first = true;
        // Not called at all if a filter leaves the name out.
        self.criterion.bench_function(self.name.as_str(), |bencher| {
            if core::mem::take(&mut first)
                && let Some(reason) = batch(Calls::First).refusal
            {
                resume_unwind(Box::new(Refused(reason)));
            }
            bencher.iter_custom(|calls| {
                let ticks = batch(Calls::Timed(calls.max(1))).ticks;
                // Criterion refuses what takes no time.
                clock::rate().duration(ticks).max(Duration::from_nanos(1))
            });
        });
    }
}
