//! One program of `bench_main!` that is told what to do line by line; the protocol stands in `perf-bench/src/driven/worker.rs`.
//!
//! It is somebody's code, which may print, hang, panic or end at any time. Each of these is an error with what it wrote to standard error last; none may
//! make this program wait for ever, or leave the other one running.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::copy::Copy;
use crate::interrupt;
use crate::verdict::Counts;

const WORKER: &str = "--perfkit-worker";
const MARK: &str = "perfkit: ";
const VERSION: u32 = 1;
/// Lines of standard error that an error shows.
const SHOWN: usize = 12;
/// How often to see whether the user wants it to end.
const GLANCE: Duration = Duration::from_millis(200);

/// See the module. It ends with this value.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    commands: Option<ChildStdin>,
    replies: Receiver<String>,
    errors: Arc<Mutex<VecDeque<String>>>,
    /// How long a reply may take.
    patience: Duration,
    /// Last, as the file is not to go before the process.
    #[allow(dead_code, reason = "what it is for is its end")]
    copy: Option<Copy>,
}

impl Worker {
    /// Starts one, and does not wait for it.
    pub(crate) fn start(program: &Path, patience: Duration) -> Result<Self, String> {
        Self::start_told(program, &[], patience)
    }

    /// The same for a copy, with these variables set.
    pub(crate) fn start_copy(
        copy: Copy,
        variables: &[(String, String)],
        patience: Duration,
    ) -> Result<Self, String> {
        let mut worker = Self::start_told(copy.path(), variables, patience)?;
        worker.copy = Some(copy);
        Ok(worker)
    }

    fn start_told(
        program: &Path,
        variables: &[(String, String)],
        patience: Duration,
    ) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.arg(WORKER).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().map_err(|error| format!("{} cannot be run: {error}", program.display()))?;
        let errors = Arc::default();
        if let Some(stderr) = child.stderr.take() {
            keep_last(stderr, Arc::clone(&errors));
        }
        let (commands, replies) = (child.stdin.take(), read_replies(child.stdout.take()));
        Ok(Worker { child, commands, replies, errors, patience, copy: None })
    }

    /// Waits until it has said what it is, which only a program of `bench_main!` does, and of a perfkit that knows how to compare.
    pub(crate) fn greet(&mut self) -> Result<(), String> {
        let reply = self.reply("say what it is")?;
        if reply == format!("worker {VERSION}") { Ok(()) } else { Err(not_understood("(the start)", &reply)) }
    }

    /// Its benchmarks: on how many threads each runs, and its name.
    pub(crate) fn list(&mut self) -> Result<Vec<(usize, String)>, String> {
        let count: usize = self.number("list", "benchmarks")?;
        let one = |_| {
            let line = self.reply("list")?;
            let entry = line
                .split_once(' ')
                .and_then(|(threads, name)| Some((threads.parse().ok()?, name.to_owned())));
            entry.ok_or_else(|| not_understood("list", &line))
        };
        (0..count).map(one).collect()
    }

    /// Lets a benchmark make its first call.
    pub(crate) fn prepare(&mut self, name: &str) -> Result<(), String> {
        self.expect(&format!("prepare {name}"), "ready")
    }

    /// How many calls take so long.
    pub(crate) fn calibrate(&mut self, slice: Duration) -> Result<u64, String> {
        self.number(&format!("calibrate {}", slice.as_nanos()), "calls")
    }

    /// Nanoseconds of so many calls.
    pub(crate) fn run(&mut self, calls: u64) -> Result<f64, String> {
        self.number(&format!("run {calls}"), "nanos")
    }

    pub(crate) fn finish(&mut self) -> Result<(), String> {
        self.expect("finish", "done")
    }

    /// What callgrind counts in a call.
    pub(crate) fn instructions(&mut self, name: &str) -> Result<Counts, String> {
        let command = format!("instructions {name}");
        let reply = self.ask(&command)?;
        let numbers: Vec<f64> = reply.split(' ').skip(1).filter_map(|word| word.parse().ok()).collect();
        match (reply.starts_with("counts "), numbers.as_slice()) {
            (true, &[instructions, accesses, first_level_misses, last_level_misses, branch_misses]) => {
                Ok(Counts { instructions, accesses, first_level_misses, last_level_misses, branch_misses })
            }
            _ => Err(not_understood(&command, &reply)),
        }
    }

    fn expect(&mut self, command: &str, expected: &str) -> Result<(), String> {
        let reply = self.ask(command)?;
        if reply == expected { Ok(()) } else { Err(not_understood(command, &reply)) }
    }

    fn number<N: FromStr>(&mut self, command: &str, label: &str) -> Result<N, String> {
        let reply = self.ask(command)?;
        let number = reply.strip_prefix(label).and_then(|rest| rest.trim().parse().ok());
        number.ok_or_else(|| not_understood(command, &reply))
    }

    fn ask(&mut self, command: &str) -> Result<String, String> {
        if let Some(commands) = &mut self.commands {
            // One that has ended is found to have so when it does not reply.
            let _ = commands.write_all(format!("{command}\n").as_bytes()).and_then(|()| commands.flush());
        }
        self.reply(command)
    }

    fn reply(&mut self, command: &str) -> Result<String, String> {
        let asked = Instant::now();
        loop {
            if interrupt::is_wanted() {
                return Err(String::from("was interrupted"));
            }
            let left = self.patience.saturating_sub(asked.elapsed());
            match self.replies.recv_timeout(left.min(GLANCE)) {
                Ok(reply) => match reply.strip_prefix("error ") {
                    Some(reason) => return Err(unescaped(reason)),
                    None => return Ok(reply),
                },
                Err(RecvTimeoutError::Timeout) if left > GLANCE => {}
                Err(RecvTimeoutError::Timeout) => {
                    let what = format!("did not do `{command}` within {:?} and was ended", self.patience);
                    return Err(self.with_errors(what));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let how =
                        self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
                    return Err(
                        self.with_errors(format!("ended its process ({how}) when it was to do `{command}`"))
                    );
                }
            }
        }
    }

    /// With what it wrote to standard error last.
    fn with_errors(&self, what: impl Display) -> String {
        // Whoever reads it may be a moment behind.
        thread::sleep(Duration::from_millis(20));
        let lines = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().fold(what.to_string(), |text, line| format!("{text}\n    {line}"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of the commands is the end of a worker that can hear. One that cannot has nothing to lose.
        drop(self.commands.take());
        let asked = Instant::now();
        while asked.elapsed() < GLANCE {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn not_understood(command: &str, reply: &str) -> String {
    format!("replied `{reply}` to `{command}`, which is not understood")
}

fn unescaped(text: &str) -> String {
    let mut output = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => output.push(if characters.next() == Some('n') { '\n' } else { '\\' }),
            other => output.push(other),
        }
    }
    output
}

/// What follows the mark in each line.
fn read_replies(stdout: Option<ChildStdout>) -> Receiver<String> {
    let (send, receive) = channel();
    if let Some(stdout) = stdout {
        thread::spawn(move || {
            for line in lines(stdout) {
                let reply = line.split_once(MARK).map(|(_, reply)| reply.to_owned());
                if reply.is_some_and(|reply| send.send(reply).is_err()) {
                    return;
                }
            }
        });
    }
    receive
}

fn keep_last(stderr: ChildStderr, errors: Arc<Mutex<VecDeque<String>>>) {
    thread::spawn(move || {
        for line in lines(stderr) {
            let mut errors = errors.lock().unwrap_or_else(PoisonError::into_inner);
            if errors.len() == SHOWN {
                errors.pop_front();
            }
            errors.push_back(line);
        }
    });
}

/// Lines of anything, and never more of one than anybody reads.
fn lines(reader: impl Read) -> impl Iterator<Item = String> {
    const LONGEST: u64 = 1 << 16;
    let mut reader = BufReader::new(reader);
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut line);
        read.ok().filter(|bytes| *bytes > 0)?;
        Some(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned())
    })
}

/// Whether somebody's programs are worth a word about a tool that is not there.
pub(crate) fn is_installed(tool: impl AsRef<OsStr>) -> bool {
    let mut command = Command::new(tool);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_comes_back() {
        assert_eq!(unescaped(r"panicked: a\nb \\n c\\"), "panicked: a\nb \\n c\\");
        assert_eq!(unescaped("plain"), "plain");
    }

    #[cfg(unix)]
    mod with_a_shell {
        use super::super::*;
        use std::fs;
        use std::os::unix::fs::PermissionsExt;
        use std::path::PathBuf;

        /// A program that says this.
        fn program(name: &str, script: &str) -> PathBuf {
            let path = std::env::temp_dir().join(format!("perfkit-worker-{name}-{}", std::process::id()));
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        }

        fn started(name: &str, script: &str) -> Worker {
            let path = program(name, script);
            // The file is still open for writing in a program that another test has just started.
            let worker = loop {
                match Worker::start(&path, Duration::from_millis(400)) {
                    Err(error) if error.contains("busy") => thread::sleep(Duration::from_millis(5)),
                    other => break other.unwrap(),
                }
            };
            thread::sleep(Duration::from_millis(20));
            let _ = fs::remove_file(path);
            worker
        }

        #[test]
        fn a_worker_is_told_what_to_do() {
            let mut worker = started(
                "good",
                "echo noise; echo 'perfkit: worker 1'; read c; echo 'more noiseperfkit: benchmarks 2'; echo 'perfkit: 1 a'; echo 'perfkit: 2 b c'; \
                 read c; printf '%s\\n' 'perfkit: error of\\nit'; read c; echo 'perfkit: nanos 12'; read c; echo 'perfkit: counts 1 2 3 4.5 6'",
            );
            worker.greet().unwrap();
            assert_eq!(worker.list().unwrap(), [(1, "a".to_owned()), (2, "b c".to_owned())]);
            assert_eq!(worker.prepare("a").unwrap_err(), "of\nit");
            assert!((worker.run(3).unwrap() - 12.0).abs() < 1e-9);
            let counts = worker.instructions("a").unwrap();
            assert!((counts.last_level_misses - 4.5).abs() < 1e-9);
            let error = worker.run(4).unwrap_err();
            assert!(
                error.contains("ended its process (exit status: 0) when it was to do `run 4`"),
                "{error}"
            );
        }

        #[test]
        fn none_is_waited_for_for_ever() {
            let mut hangs = started("hangs", "echo 'perfkit: worker 1'; echo 'what now' >&2; sleep 60");
            hangs.greet().unwrap();
            let error = hangs.calibrate(Duration::from_micros(500)).unwrap_err();
            assert!(error.starts_with("did not do `calibrate 500000` within 400ms"), "{error}");
            assert!(error.ends_with("\n    what now"), "{error}");
        }

        #[test]
        fn what_is_no_worker_is_told() {
            let mut other =
                started("other", "echo \"error: Unrecognized option: 'perfkit-worker'\" >&2; exit 101");
            let error = other.greet().unwrap_err();
            assert!(error.contains("101") && error.contains("Unrecognized option"), "{error}");
            let mut newer = started("newer", "echo 'perfkit: worker 2'; read c");
            assert!(newer.greet().unwrap_err().contains("worker 2"));
        }
    }
}
