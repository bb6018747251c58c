//! Somebody else than [`measure`](crate::measure::sampling) who says how often the loop of a benchmark runs: a command that came through a pipe, or a count that is to
//! be made under valgrind.
//!
//! A benchmark hands its loop to whoever measures, deep inside of its own call, and keeps its inputs on the stack meanwhile. So a driver is called there, on the
//! benchmark's own thread, and the benchmark lives until it returns. It must never decide what a time means.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use crate::measure::loops::{Batch, Calls};
use crate::measure::plan::Plan;
use crate::measure::sampling::Measurement;
use crate::registry::entry::{Job, Task, jobs};
use crate::run::outcome::{End, Outcome, run_beside_others};

/// What is called with the loop when that was run once, and the first result was as it should be.
type Drive = dyn Fn(&mut dyn FnMut(Calls) -> Batch) -> Measurement + Send + Sync;

/// See the module.
#[derive(Clone)]
pub(crate) struct Driver(Arc<Drive>);

impl Driver {
    #[inline]
    pub(crate) fn new(
        drive: impl Fn(&mut dyn FnMut(Calls) -> Batch) -> Measurement + Send + Sync + 'static,
    ) -> Self {
        Driver(Arc::new(drive))
    }

    #[inline]
    pub(crate) fn drive(&self, batch: &mut dyn FnMut(Calls) -> Batch) -> Measurement {
        match batch(Calls::First).refusal {
            Some(refusal) => Measurement::Refused(refusal),
            None => (self.0)(batch),
        }
    }

    /// Runs `job` with this driver, for as long as it takes.
    ///
    /// # Errors
    /// What [`Outcome::failure`] says of one that panics, measures nothing or gives a wrong result.
    #[inline]
    pub(crate) fn run(&self, job: Job) -> Result<(), String> {
        let plan = Plan::driven(self.clone(), threads_of(&job));
        let Job { case, task } = job;
        let end = match task {
            Ok(Task::Case(body)) => match run_beside_others(&case, &body, plan) {
                Ok(_) => return Ok(()),
                Err(end) => end,
            },
            Ok(Task::Growth(..)) => End::NotRun(String::from("is no case that could be run by itself")),
            Err(reason) => End::NotRun(reason),
        };
        Err(Outcome { case, end, samples: Vec::new(), elapsed: Duration::ZERO }.failure().unwrap_or_default())
    }
}

impl fmt::Debug for Driver {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Driver")
    }
}

/// Threads that run it at once.
#[inline]
pub(crate) fn threads_of(job: &Job) -> usize {
    if let Ok(Task::Case(body)) = &job.task { body.threads() } else { 1 }
}

/// Whether it can be run by itself, or tells why it cannot: not what only says how the others grow.
#[inline]
pub(crate) fn is_case(job: &Job) -> bool {
    !matches!(job.task, Ok(Task::Growth(..)))
}

/// The benchmark of that name.
///
/// # Errors
/// If there is none.
#[inline]
pub(crate) fn job_named(name: &str) -> Result<Job, String> {
    let job =
        jobs(&|entry| entry.may_have(name)).into_iter().find(|job| is_case(job) && job.case.name == name);
    job.ok_or_else(|| format!("there is no benchmark `{name}`"))
}
