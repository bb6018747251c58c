//! What the profiler itself costs on this machine, so that a report can take it out.
//!
//! A part of a frame's cost lies between its own two clock readings: every call of the function has that in its time (*inside*). The rest lies
//! outside of them, in the caller's time (*outside*), and is more where the caller has just called something else (*switch*). The processor does much of it
//! while the body runs, so that it costs less the more there is to do: it is measured for bodies of several lengths, each beside the same body
//! without a frame. All are measured with the very code that profiled functions run, in a tree that no report sees; the least of many batches counts,
//! since noise only adds.

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
    /// Of functions of several lengths, the shortest first.
    frames: [FrameCost; LENGTHS.len()],
    /// In the time of the caller besides, when that called another function before.
    pub(super) switch: f64,
    /// In the time of the caller of a function that was not timed.
    pub(super) untimed: f64,
    /// In the time of its caller besides, when that called another function before.
    pub(super) untimed_switch: f64,
    /// In the time of a function that was timed to stand for others: it comes as a surprise to the processor, which costs more.
    pub(super) sampled: f64,
}

/// What a frame costs around a function of some length.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FrameCost {
    /// What the clock readings say that the function takes.
    length: f64,
    /// In the time of the function called.
    pub(super) inside: f64,
    /// In the time of its caller.
    pub(super) outside: f64,
}

impl Overhead {
    /// Of a function of which the clock readings say that it takes so long: between the two lengths on either side, on a line.
    pub(super) fn frame(&self, length: f64) -> FrameCost {
        let above = self.frames.iter().position(|cost| cost.length >= length);
        let Some(above) = above else { return self.frames[LENGTHS.len() - 1] };
        let (from, to) = (self.frames[above.saturating_sub(1)], self.frames[above]);
        let span = to.length - from.length;
        let part = if span > 0.0 { ((length - from.length) / span).clamp(0.0, 1.0) } else { 1.0 };
        FrameCost {
            length,
            inside: from.inside + (to.inside - from.inside) * part,
            outside: from.outside + (to.outside - from.outside) * part,
        }
    }
}

/// Rounds of work that a caller does itself before it calls the same function again: a little, as loops do. Of that the processor does a part while the frame before
/// ends, so that a frame costs a caller that does nothing some nanoseconds more, and one that does much some less. Who calls one function after the other does
/// nothing in between.
const OWN: u64 = 12;

/// Rounds of work in a body, from nothing to some fifty nanoseconds.
const LENGTHS: [u64; 6] = [0, 4, 8, 16, 32, 64];
/// One where the model checker counts every step.
const BATCHES: usize = if cfg!(shuttle) { 1 } else { 50 };
const CALLS: u64 = 64;

static SITE: Site = Site::new(|| "(calibration)", "", 0, 0, 0);
static OTHER: Site = Site::new(|| "(calibration of switches)", "", 0, 0, 0);
/// Sampled so rarely that a batch has no timed call.
static UNTIMED: Site =
    Site::new(|| "(calibration of untimed calls)", "", 0, 0, 0).sampled(Sampling::OneIn(1 << 30));
static OTHER_UNTIMED: Site =
    Site::new(|| "(calibration of switches between them)", "", 0, 0, 0).sampled(Sampling::OneIn(1 << 30));
/// Sampled as functions are.
static SAMPLED: Site = Site::new(|| "(calibration of samples)", "", 0, 0, 0).sampled(Sampling::OneIn(32));
static OVERHEAD: OnceLock<Overhead> = OnceLock::new();

/// Rounds of work in a call that is not timed, and in its caller.
const UNTIMED_ROUNDS: u64 = 32;

/// Measured once, in some milliseconds; nothing as long as measuring is paused.
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
    // The first call of a path is timed, and the next one is a sample.
    for site in [&UNTIMED, &OTHER_UNTIMED, &UNTIMED, &OTHER_UNTIMED] {
        drop(Frame::enter(black_box(site)));
    }
    let mut bare = [f64::MAX; LENGTHS.len()];
    let mut frames = [(f64::MAX, f64::MAX); LENGTHS.len()];
    let (mut alternating, mut untimed, mut untimed_alternating, mut without) =
        (f64::MAX, f64::MAX, f64::MAX, f64::MAX);
    for _ in 0..BATCHES {
        for (place, rounds) in LENGTHS.into_iter().enumerate() {
            bare[place] = bare[place].min(whole((rounds, OWN), [None, None]));
            if let Some((inside, outside)) = batch(tree, (rounds, OWN), [&SITE, &SITE]) {
                frames[place] = (frames[place].0.min(inside), frames[place].1.min(outside));
            }
        }
        if let Some((_, outside)) = batch(tree, (0, 0), [&SITE, &OTHER]) {
            alternating = alternating.min(outside);
        }
        let rounds = (UNTIMED_ROUNDS, UNTIMED_ROUNDS);
        untimed = untimed.min(whole(rounds, [Some(&UNTIMED), Some(&UNTIMED)]));
        untimed_alternating = untimed_alternating.min(whole(rounds, [Some(&UNTIMED), Some(&OTHER_UNTIMED)]));
        without = without.min(whole(rounds, [None, None]));
    }
    let sampled = sampled(tree)?;
    let measured = frames.iter().all(|(inside, _)| *inside < f64::MAX) && alternating < f64::MAX;
    // The loop around an empty body is the caller's own.
    let around = bare[0];
    let costs = core::array::from_fn(|place| {
        let (inside, outside) = frames[place];
        FrameCost {
            length: inside,
            inside: (inside - (bare[place] - around)).max(0.0),
            outside: (outside - around).max(0.0),
        }
    });
    measured.then(|| Overhead {
        frames: costs,
        switch: (alternating - (frames[0].1 - around)).max(0.0),
        untimed: (untimed - without).max(0.0),
        untimed_switch: (untimed_alternating - untimed).max(0.0),
        sampled,
    })
}

/// What a call takes and what its caller does, in rounds, with frames of these sites in turn.
fn whole((rounds, own): (u64, u64), sites: [Option<&'static Site>; 2]) -> f64 {
    let start = clock::now();
    for _ in 0..CALLS / 2 {
        for site in sites {
            let frame = site.map(|site| Frame::enter(black_box(site)));
            work(black_box(rounds));
            drop(frame);
            work(black_box(own));
        }
    }
    clock::now().saturating_sub(start) as f64 / CALLS as f64
}

/// Each round needs the one before, as most code does.
fn work(rounds: u64) {
    (0..rounds).fold(1, |sum: u64, n| black_box(sum).wrapping_mul(31) ^ n);
}

/// What the clock readings say that a call of one of `sites` takes, and what it takes besides. `None` if not all calls were measured.
fn batch(tree: &'static Tree, rounds: (u64, u64), sites: [&'static Site; 2]) -> Option<(f64, f64)> {
    let (calls, ticks) = recorded(tree);
    let whole = whole(rounds, sites.map(Some));
    let (calls_after, ticks_after) = recorded(tree);
    let inside = ticks_after.saturating_sub(ticks) as f64 / CALLS as f64;
    (calls_after - calls == CALLS).then_some((inside, whole - inside))
}

/// What a call takes that is timed among others that are not. `None` if none was.
fn sampled(tree: &'static Tree) -> Option<f64> {
    drop(Frame::enter(black_box(&SAMPLED)));
    let means = (0..BATCHES.div_ceil(2)).filter_map(|_| {
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
        let (unwinding, here) = (unwinding.frame(0.0).inside, here.frame(0.0).inside);
        // The slow way takes several times as long; 2 is what noise never makes of the least of fifty batches.
        assert!(unwinding < here * 2.0 + 5.0, "{unwinding} and {here}");
    }

    #[test]
    fn a_call_costs_something_and_less_than_ten_microseconds() {
        for length in [0.0, 30.0, 1e3, 1e9] {
            let cost = overhead().frame(length);
            assert!(cost.inside + cost.outside > 0.0, "{cost:?}");
            assert!(cost.inside + cost.outside < 25_000.0, "{cost:?}");
        }
    }

    #[test]
    fn a_length_between_two_costs_what_lies_between() {
        let cost = |length, inside| FrameCost { length, inside, outside: 1.0 };
        let frames = core::array::from_fn(|place| cost(10.0 * (place + 1) as f64, 20.0 - place as f64));
        let overhead = Overhead { frames, ..Overhead::default() };
        for (length, inside) in [(5.0, 20.0), (10.0, 20.0), (15.0, 19.5), (20.0, 19.0), (1e9, 15.0)] {
            assert!((overhead.frame(length).inside - inside).abs() < 1e-9, "{length}");
        }
        assert!(Overhead::default().frame(7.0).inside.abs() < f64::EPSILON);
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
        assert!(overhead.frame(0.0).inside > 0.0 && overhead.sampled > 0.0, "{overhead:?}");
    }
}
