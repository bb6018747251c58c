//! What grows and what does not: memory after a hundred million calls, a million threads and a deep recursion; the time of a report over a hundred thousand paths,
//! and whether those who are measured notice that it is made.
//!
//! `cargo bench --bench bounds`; with `-- --quick` just long enough to see that it works. Ends with an error where memory grew. Times are printed and not judged.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use perfkit::__private::{Frame, Site};
use perfkit::profiled;

#[profiled]
fn called() -> u64 {
    black_box(1)
}

#[profiled(sample = "auto")]
fn sampled() -> u64 {
    black_box(1)
}

#[profiled]
fn recursive(depth: u64) -> u64 {
    if depth == 0 { 0 } else { recursive(depth - 1) + 1 }
}

/// Resident memory in kilobytes; 0 where the system does not say.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0_u64);
    pages * 4
}

/// Runs it once for what is made once, and then as a whole; whether memory stayed.
fn stays(what: &str, mut run: impl FnMut(bool)) -> bool {
    run(true);
    let (before, start) = (resident(), Instant::now());
    run(false);
    let grown = resident().saturating_sub(before);
    // The C library keeps some pages by its own rules.
    let verdict = if grown <= 512 { "stays" } else { "GREW" };
    println!("{what:42} memory {verdict}: {grown} kB more of {before} kB, in {:.2?}", start.elapsed());
    grown <= 512
}

/// A tree of a thread: every one of `sites` below each of `parents`.
fn grow(parents: &[&'static Site], sites: &[&'static Site]) {
    for parent in parents {
        let _parent = Frame::enter(parent);
        for site in sites {
            drop(Frame::enter(site));
        }
    }
}

fn sites(count: u32) -> Vec<&'static Site> {
    let site = |line| &*Box::leak(Box::new(Site::new(|| "a::site", "sites.rs", line, 1, 1)));
    (1..=count).map(site).collect()
}

/// The slowest of many short pieces of work while something else is done.
fn slowest(done: &AtomicBool) -> Duration {
    let mut slowest = Duration::ZERO;
    while !done.load(Ordering::Relaxed) {
        let start = Instant::now();
        for _ in 0..100 {
            called();
        }
        slowest = slowest.max(start.elapsed());
    }
    slowest
}

/// What `work` takes, and the slowest piece of work beside it.
fn beside<R>(work: impl FnOnce() -> R) -> (R, Duration, Duration) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let worker = scope.spawn(|| slowest(&done));
        thread::sleep(Duration::from_millis(20));
        let start = Instant::now();
        let result = work();
        let elapsed = start.elapsed();
        done.store(true, Ordering::Relaxed);
        (result, elapsed, worker.join().expect("it only calls"))
    })
}

fn report_over(paths: u32) {
    let (parents, sites) = (sites(10), sites(paths / 10));
    let half = sites.len() / 2;
    thread::scope(|scope| {
        for part in [&sites[..half], &sites[half..]] {
            scope.spawn(|| grow(&parents, part));
        }
    });
    let first = perfkit::report();
    let (report, elapsed, with) = beside(perfkit::report);
    let ((), _, without) = beside(|| thread::sleep(elapsed));
    println!(
        "a report over {} functions and {} paths takes {elapsed:.2?}; 100 calls beside it {with:.2?} at most, and {without:.2?} beside none",
        report.functions.len(),
        report.calls.nodes().len()
    );
    drop(first);
}

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let shorter = if quick { 100 } else { 1 };
    let calls = 100_000_000 / shorter;
    let threads = 1_000_000 / shorter / if quick { 10 } else { 1 };
    let stayed = [
        stays(&format!("{calls} calls"), |first| {
            for _ in 0..if first { 10_000 } else { calls } {
                called();
            }
        }),
        stays(&format!("{calls} calls, sampled"), |first| {
            for _ in 0..if first { 10_000 } else { calls } {
                sampled();
            }
        }),
        stays(&format!("{threads} threads, one after the other"), |first| {
            for _ in 0..if first { 100 } else { threads } {
                thread::spawn(called).join().expect("it only calls");
            }
        }),
        stays("100000 calls inside each other", |_| {
            let run = || recursive(black_box(100_000));
            let thread = thread::Builder::new().stack_size(256 << 20).spawn(run);
            thread.expect("a thread").join().expect("it only calls");
        }),
    ];
    let paths = perfkit::report().calls.nodes().len();
    println!("which all are {paths} call paths");
    report_over(100_000 / shorter);
    if stayed.contains(&false) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
