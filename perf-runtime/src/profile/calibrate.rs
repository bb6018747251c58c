//! What the profiler itself costs on this machine, so that a report can take it out.
//!
//! An empty frame measures the part of its cost that lies between its own two clock readings: every call of the function has that in its
//! time (*inside*). The rest lies outside of them, in the caller's time (*outside*), and is more where the caller has just called something
//! else (*switch*). All are measured with the very code that profiled functions run, in a tree that no report sees; the least of many batches
//! counts, since noise only adds.

use core::hint::black_box;
use std::sync::OnceLock;
use std::thread;

use super::frame::{Frame, paused};
use super::sampling::SamplesReading;
use super::threads;
use super::tree::Tree;
use crate::clock;
use crate::site::{Sampling, Site};

/// Ticks per call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Overhead {
    /// In the time of the function called.
    pub(super) inside: f64,
    /// In the time of its caller.
    pub(super) outside: f64,
    /// In the time of its caller besides, when that called another function before.
    pub(super) switch: f64,
    /// In the time of the caller of a function that was not timed.
    pub(super) untimed: f64,
    /// In the time of a function that was timed to stand for others: it comes as a surprise to the processor, which costs more.
    pub(super) sampled: f64,
}

const BATCHES: usize = 100;
const CALLS: u64 = 64;

static SITE: Site = Site::new(|| "(calibration)", "", 0, 0, 0);
static OTHER: Site = Site::new(|| "(calibration of switches)", "", 0, 0, 0);
/// Sampled so rarely that a batch has no timed call.
static UNTIMED: Site =
    Site::new(|| "(calibration of untimed calls)", "", 0, 0, 0).sampled(Sampling::OneIn(1 << 30));
/// Sampled as functions are.
static SAMPLED: Site = Site::new(|| "(calibration of samples)", "", 0, 0, 0).sampled(Sampling::OneIn(32));
static OVERHEAD: OnceLock<Overhead> = OnceLock::new();

/// Measured once, in half a millisecond; nothing as long as measuring is paused.
pub(super) fn overhead() -> Overhead {
    if let Some(overhead) = OVERHEAD.get() {
        return *overhead;
    }
    // There would be nothing to measure, and the tree for it would stay.
    if paused() {
        return Overhead::default();
    }
    // A thread that is unwinding has another way in, which is not the usual one.
    let measured =
        if thread::panicking() { on_another_thread() } else { threads::with_private_tree(measure) };
    measured.map_or_else(Overhead::default, |overhead| *OVERHEAD.get_or_init(|| overhead))
}

fn on_another_thread() -> Option<Overhead> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("perfkit calibration".into());
        let worker = builder.spawn_scoped(scope, || threads::with_private_tree(measure)).ok()?;
        worker.join().ok()?
    })
}

/// `None` if measuring was paused all the time.
fn measure(tree: &'static Tree) -> Option<Overhead> {
    let (mut inside, mut outside, mut alternating, mut untimed, mut bare) =
        (f64::MAX, f64::MAX, f64::MAX, f64::MAX, f64::MAX);
    // The first call of a path is timed, and the next one is a sample.
    (0..2).for_each(|_| drop(Frame::enter(black_box(&UNTIMED))));
    for _ in 0..BATCHES {
        if let Some(batch) = batch(tree, [&SITE, &SITE]) {
            inside = inside.min(batch.inside);
            outside = outside.min(batch.outside);
        }
        if let Some(batch) = batch(tree, [&SITE, &OTHER]) {
            alternating = alternating.min(batch.outside);
        }
        untimed = untimed.min(body(Some(&UNTIMED)));
        bare = bare.min(body(None));
    }
    let outside_of_all = outside.max(0.0);
    let sampled = sampled(tree)?;
    [inside, alternating, untimed].iter().all(|ticks| *ticks < f64::MAX).then(|| Overhead {
        inside: inside.max(0.0),
        outside: outside_of_all,
        switch: (alternating - outside_of_all).max(0.0),
        untimed: (untimed - bare).max(0.0),
        sampled,
    })
}

/// What a function with a body takes, whose calls are of that site and not timed.
fn body(site: Option<&'static Site>) -> f64 {
    let start = clock::now();
    for _ in 0..CALLS {
        let frame = site.map(|site| Frame::enter(black_box(site)));
        (0..32_u64).fold(1, |sum: u64, n| black_box(sum).wrapping_mul(31) ^ n);
        drop(frame);
    }
    clock::now().saturating_sub(start) as f64 / CALLS as f64
}

/// What a call takes where `sites` are called in turn. `None` if not all calls were measured.
fn batch(tree: &'static Tree, sites: [&'static Site; 2]) -> Option<Overhead> {
    let (calls, ticks) = recorded(tree);
    let start = clock::now();
    for _ in 0..CALLS / 2 {
        for site in sites {
            let frame = Frame::enter(black_box(site));
            black_box(());
            drop(frame);
        }
    }
    let whole = clock::now().saturating_sub(start) as f64 / CALLS as f64;
    let (calls_after, ticks_after) = recorded(tree);
    let inside = ticks_after.saturating_sub(ticks) as f64 / CALLS as f64;
    (calls_after - calls == CALLS).then_some(Overhead {
        inside,
        outside: whole - inside,
        ..Overhead::default()
    })
}

/// What a call takes that is timed among others that are not. `None` if none was.
fn sampled(tree: &'static Tree) -> Option<f64> {
    drop(Frame::enter(black_box(&SAMPLED)));
    let means = (0..BATCHES / 4).filter_map(|_| {
        let before = samples(tree);
        for _ in 0..16 * CALLS {
            let frame = Frame::enter(black_box(&SAMPLED));
            black_box(());
            drop(frame);
        }
        samples(tree).mean_since(&before)
    });
    means.min_by(f64::total_cmp)
}

/// The samples in the tree so far; of [`SAMPLED`], as there are no others.
fn samples(tree: &'static Tree) -> SamplesReading {
    let mut samples = SamplesReading::default();
    threads::unless_busy(|| {
        tree.walk(|node, entering| {
            if entering && core::ptr::eq(node.site, &raw const SAMPLED) {
                samples = node.samples.read();
            }
        });
    });
    samples
}

/// Calls and ticks in the tree so far.
fn recorded(tree: &'static Tree) -> (u64, u64) {
    let (mut calls, mut ticks) = (0, 0);
    threads::unless_busy(|| {
        tree.walk(|node, entering| {
            if entering {
                let reading = node.read(clock::now());
                calls += reading.primitive + reading.samples.untimed;
                ticks += reading.ticks;
            }
        });
    });
    (calls, ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_costs_the_same_wherever_it_is_measured() {
        // Inside of `unwinding` it cannot be, and is on another thread.
        struct Unwinding(std::sync::mpsc::Sender<Option<Overhead>>);
        impl Drop for Unwinding {
            fn drop(&mut self) {
                let _ = self.0.send(on_another_thread());
            }
        }
        let (sender, receiver) = std::sync::mpsc::channel();
        let _ = thread::spawn(move || {
            let _unwinding = Unwinding(sender);
            std::panic::resume_unwind(Box::new("on purpose"));
        })
        .join();
        let unwinding = receiver.recv().unwrap().unwrap();
        let here = threads::with_private_tree(measure).unwrap();
        // The slow way takes several times as long; 2 is what noise never makes of the least of a hundred batches.
        assert!(unwinding.inside < here.inside * 2.0 + 5.0, "{unwinding:?} and {here:?}");
    }

    #[test]
    fn a_call_costs_something_and_less_than_ten_microseconds() {
        let overhead = overhead();
        assert!(overhead.inside + overhead.outside > 0.0, "{overhead:?}");
        assert!(overhead.inside + overhead.outside < 25_000.0, "{overhead:?}");
    }

    /// On a clock that is not the counter every call takes the slow way; there it must be sampled too, and what it costs must be known.
    #[test]
    #[cfg_attr(miri, ignore = "miri has no processes")]
    fn another_clock_samples_and_is_calibrated() {
        const VARIABLE: &str = "PERFKIT_TEST_OF_ANOTHER_CLOCK";
        const NAME: &str = "profile::calibrate::tests::another_clock_samples_and_is_calibrated";
        if std::env::var_os(VARIABLE).is_none() {
            // In a process of its own, or the other tests would have that clock too.
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            let output = child.args(["--exact", NAME, "--nocapture"]).env(VARIABLE, "1").output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            return;
        }
        clock::use_system();
        static SITE: Site = Site::new(|| "sampled", "", 1, 1, 1).sampled(Sampling::OneIn(16));
        for _ in 0..16_000 {
            drop(Frame::enter(black_box(&SITE)));
        }
        let rows = super::super::rows();
        let row = rows.functions.iter().find(|row| row.name == "sampled").unwrap();
        let timed = row.estimate.unwrap().timed_calls;
        assert!(row.calls == 16_000 && (800..1_200).contains(&timed), "{row:?}");
        let overhead = OVERHEAD.get().expect("it was measured");
        assert!(overhead.inside > 0.0 && overhead.sampled > 0.0, "{overhead:?}");
    }
}
