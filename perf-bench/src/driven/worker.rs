//! The side of a comparison that runs the benchmarks: a program of `bench_main!` that was started with [`WORKER`] and is told what to do line by line.
//!
//! `cargo perfkit compare` starts two such programs, of two revisions, and has them run in turn. Each command is one line and has one reply:
//!
//! | command | reply |
//! |---|---|
//! | (the start) | `worker 1`, the version of this protocol |
//! | `list` | `benchmarks 2`, and so many lines, each with a number of threads and a name |
//! | `prepare NAME` | `ready`, when its first call is over |
//! | `calibrate NANOS` | `calls 512`, which take about that long |
//! | `run CALLS` | `nanos 500123`, less what the thread waited for a processor |
//! | `finish` | `done` |
//! | `instructions NAME` | see [`instructions`] |
//!
//! or `error MESSAGE`, with `\n` for what would end the line. Replies begin with [`MARK`] and come through a descriptor of their own, commands as well: what a
//! benchmark prints goes to standard error, and what it reads is empty. The end of the commands is the end of the program. Must never judge, and never
//! decide how long anything takes: both sides have to do the same.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use perf_runtime::clock;

use crate::driven::driver::{Driver, is_case, job_named, threads_of};
use crate::driven::instructions;
use crate::harness::reporter::stdout_for_events_alone;
use crate::measure::loops::{Batch, Calls};
use crate::measure::sampling::Measurement;
use crate::registry::entry::jobs;

/// The word that makes a program a worker.
pub(crate) const WORKER: &str = "--perfkit-worker";
/// Before each reply, so that nothing else passes for one.
const MARK: &str = "perfkit: ";
/// Raised with every change of what is said.
const VERSION: u32 = 1;

/// The program of a worker.
#[inline]
pub(crate) fn main() -> ExitCode {
    let pipe = Arc::new(Pipe::of_this_process());
    pipe.say(&format!("worker {VERSION}"));
    while let Some(line) = pipe.hear() {
        let (command, what) = line.split_once(' ').unwrap_or((&line, ""));
        match command {
            "list" => list(&pipe),
            "prepare" => match job_named(what).and_then(|job| driver(&pipe).run(job)) {
                Ok(()) => pipe.say("done"),
                Err(failure) => pipe.fail(&failure),
            },
            "instructions" => match instructions::of(what) {
                Ok(counts) => pipe.say(&counts.reply()),
                Err(reason) => pipe.fail(&reason),
            },
            "finish" => pipe.say("done"),
            _ => pipe.fail(&format!("a worker does not know `{line}`, or not now")),
        }
    }
    ExitCode::SUCCESS
}

/// Those that are not left out by `ignore`.
#[inline]
fn list(pipe: &Pipe) {
    let mut names = Vec::new();
    for job in jobs(&|entry| entry.ignored.is_none()) {
        if is_case(&job) {
            names.push(format!("{} {}", threads_of(&job), job.case.name));
        }
    }
    pipe.say(&format!("benchmarks {}", names.len()));
    for name in names {
        pipe.say(&name);
    }
}

/// Answers commands on the benchmark's thread, from its first call to `finish`.
#[inline]
fn driver(pipe: &Arc<Pipe>) -> Driver {
    let pipe = Arc::clone(pipe);
    let is_over = AtomicBool::new(false);
    Driver::new(move |batch| {
        // Only the first thing that a benchmark measures is compared; that there are more is then told.
        if is_over.swap(true, Ordering::Relaxed) {
            return Measurement::Driven;
        }
        pipe.say("ready");
        while let Some(line) = pipe.hear() {
            let (command, number) = line.split_once(' ').unwrap_or((&line, ""));
            match (command, number.parse::<u64>()) {
                ("calibrate", Ok(nanos)) => pipe.say(&format!("calls {}", calibrate(nanos as f64, batch))),
                ("run", Ok(calls @ 1..)) => {
                    let Batch { ticks, waited, .. } = batch(Calls::Timed(calls));
                    // The two are of different clocks.
                    pipe.say(&format!("nanos {}", nanos(ticks).saturating_sub(u128::from(waited))));
                }
                ("finish", _) => break,
                _ => pipe.fail(&format!("a worker does not know `{line}`, or not now")),
            }
        }
        Measurement::Driven
    })
}

#[inline]
fn nanos(ticks: u64) -> u128 {
    clock::rate().duration(ticks).as_nanos()
}

/// How many calls take `wanted` nanoseconds, or ten times that with their inputs.
#[inline]
pub(crate) fn calibrate(wanted: f64, batch: &mut dyn FnMut(Calls) -> Batch) -> u64 {
    /// Batches that are long enough, before the shortest is believed.
    const ENOUGH: u32 = 5;
    let mut calls = 1_u64;
    // The least of all batches counts, of a call and of a call with its input. A clock may stand still during a call.
    let (mut timed, mut whole) = (f64::INFINITY, f64::INFINITY);
    let mut long_enough = 0;
    loop {
        let ran = batch(Calls::Timed(calls));
        let per_call = |ticks| (nanos(ticks) as f64 / calls as f64).max(1e-3);
        timed = timed.min(per_call(ran.ticks));
        whole = whole.min(per_call(ran.whole));
        let fits = (wanted / timed).min(10.0 * wanted / whole).ceil().max(1.0) as u64;
        if calls >= fits - fits / 8 {
            long_enough += 1;
            if long_enough == ENOUGH || calls == 1 {
                return fits;
            }
        }
        // Never far beyond what is known.
        calls = fits.min(calls.saturating_mul(10));
    }
}

/// What commands come from and replies go to.
struct Pipe {
    commands: Mutex<BufReader<Box<dyn Read + Send>>>,
    replies: Option<File>,
}

impl Pipe {
    #[inline]
    fn of_this_process() -> Self {
        let commands = stdin_for_commands_alone().unwrap_or_else(|| Box::new(io::stdin()));
        Pipe { commands: Mutex::new(BufReader::new(commands)), replies: stdout_for_events_alone() }
    }

    /// The next command; `None` when there will be no more.
    #[inline]
    fn hear(&self) -> Option<String> {
        let mut line = String::new();
        let read = self.commands.lock().unwrap_or_else(PoisonError::into_inner).read_line(&mut line);
        read.ok().filter(|bytes| *bytes > 0)?;
        Some(line.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// Whoever does not read it has gone, and then there are no more commands either.
    #[inline]
    fn say(&self, reply: &str) {
        let line = format!("{MARK}{reply}\n");
        let _ = match &self.replies {
            Some(replies) => (&*replies).write_all(line.as_bytes()),
            None => io::stdout().write_all(line.as_bytes()).and_then(|()| io::stdout().flush()),
        };
    }

    #[inline]
    fn fail(&self, reason: &str) {
        self.say(&format!("error {}", reason.replace('\\', "\\\\").replace('\n', "\\n")));
    }
}

/// Standard input of its own for commands: what benchmarks read is empty from here on.
#[cfg(unix)]
#[inline]
fn stdin_for_commands_alone() -> Option<Box<dyn Read + Send>> {
    use std::os::fd::{AsFd, AsRawFd};
    let commands = io::stdin().as_fd().try_clone_to_owned().ok()?;
    let nothing = File::open("/dev/null").ok()?;
    // SAFETY: it takes two open descriptors and makes the second mean what the first does.
    let done = unsafe { libc::dup2(nothing.as_raw_fd(), libc::STDIN_FILENO) };
    (done != -1).then(|| Box::new(File::from(commands)) as Box<dyn Read + Send>)
}

#[cfg(not(unix))]
#[inline]
fn stdin_for_commands_alone() -> Option<Box<dyn Read + Send>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::loops::Shape;

    /// A loop that pretends to take `timed` nanoseconds a call, and `whole` with its input; also how many calls it made in all.
    fn calls_of(timed: f64, whole: f64) -> (u64, u64) {
        let mut sum = 0;
        let ticks = |nanos: f64| clock::rate().ticks(core::time::Duration::from_nanos(nanos as u64));
        let calls = calibrate(500_000.0, &mut |calls| {
            let count = calls.count() as f64;
            sum += calls.count();
            let (ticks, whole) = (ticks(timed * count), ticks(whole * count));
            Batch {
                ticks,
                whole,
                waited: 0,
                stretches: 1,
                shape: Shape::Bare,
                requests: crate::measure::footprint::Requests::default(),
                refusal: None,
            }
        });
        (calls, sum)
    }

    #[test]
    fn as_many_calls_as_take_that_long() {
        for (timed, expected) in [(100.0, 5_000), (1e6, 1), (1e9, 1), (0.0, 500_000_000)] {
            let (calls, sum) = calls_of(timed, timed);
            assert!(calls.abs_diff(expected) <= expected / 100, "{timed}: {calls}");
            assert!(sum <= 7 * expected, "{timed}: {sum}");
        }
        // Inputs that take a hundred times as long make the slice shorter.
        let (calls, _) = calls_of(100.0, 10_000.0);
        assert!((490..=510).contains(&calls), "{calls}");
    }
}
