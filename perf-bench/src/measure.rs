//! How often a benchmark runs: warm-up, the length of a sample, how many samples, and when to look again.
//!
//! A *sample* is one timed batch of calls, long enough that the clock's own cost does not count. What the clock and the loop take is
//! measured with an empty routine and taken out.
//!
//! `cargo test` takes just enough samples to judge; `cargo bench` takes more. A target that seems missed is measured again, twice, with
//! pauses between, because whatever disturbs a machine for a moment makes everything slower and nothing faster.

use core::time::Duration;
use std::sync::OnceLock;
use std::time::Instant;

use perf_runtime::clock;

use crate::bencher::{Batch, Calls, Shape, time_nothing};
use crate::stats::Summary;

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// To see that it works, and to judge its target.
    Test,
    /// To know how long it takes.
    Measure,
}

/// How one benchmark is to be run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) mode: Mode,
    /// In nanoseconds per call; `None` where there is none or it is not judged.
    pub(crate) judged_target: Option<f64>,
    pub(crate) iterations: Option<u64>,
    pub(crate) warmup: Option<u64>,
}

/// Samples of a measurement, where nothing else is said.
pub(crate) const DEFAULT_ITERATIONS: u64 = 100;
/// Calls before the first sample, where nothing else is said.
pub(crate) const DEFAULT_WARMUP: u64 = 10;

/// Samples of one round of a test.
const TEST_SAMPLES: u64 = 20;
/// Rounds until a target counts as missed.
const ROUNDS: u32 = 3;
/// Between two rounds: whatever is in the way may be gone by then.
const PAUSE: Duration = Duration::from_millis(250);
/// A call that takes this long is measured as it comes, without a warm-up.
const LONG: Duration = Duration::from_millis(100);

impl Mode {
    /// How long a sample is to be.
    const fn sample(self) -> Duration {
        match self {
            Mode::Test => Duration::from_micros(200),
            Mode::Measure => Duration::from_micros(500),
        }
    }

    /// How long to warm up, where it is not said how often.
    const fn warm_up(self) -> Duration {
        match self {
            Mode::Test => Duration::from_millis(1),
            Mode::Measure => Duration::from_millis(20),
        }
    }

    /// When to be content with fewer samples than wanted.
    const fn patience(self) -> Duration {
        match self {
            Mode::Test => Duration::from_millis(100),
            Mode::Measure => Duration::from_secs(3),
        }
    }
}

/// What came out.
#[derive(Clone, Debug)]
pub(crate) enum Measurement {
    Summary(Summary),
    /// The first result was not as it should be.
    Invalid,
}

/// Runs `batch` as often as `plan` says.
pub(crate) fn measure(plan: &Plan, batch: &mut dyn FnMut(Calls) -> Batch) -> Measurement {
    let overhead = Overhead::known();
    let first = batch(Calls::First);
    if !first.valid {
        return Measurement::Invalid;
    }
    let first = overhead.nanos_per_call(first, 1);
    let long = first >= LONG.as_nanos() as f64 && plan.warmup.is_none();
    let mut samples = Vec::new();
    let calls = if long {
        samples.push(first);
        1
    } else {
        warm_up(plan, overhead, batch)
    };
    for round in 0..ROUNDS {
        if round > 0 {
            std::thread::sleep(PAUSE);
        }
        let limit = Limit::of(plan, round, long);
        let start = Instant::now();
        for taken in 0..limit.samples {
            if taken >= limit.fewest && start.elapsed() >= limit.patience {
                break;
            }
            samples.push(overhead.nanos_per_call(batch(Calls::Timed(calls)), calls));
        }
        let missed = |target: f64| samples.iter().all(|sample| *sample > target);
        if !plan.judged_target.is_some_and(missed) {
            break;
        }
    }
    match Summary::of(&samples, calls) {
        Some(summary) => Measurement::Summary(summary),
        None => unreachable!("the first call or the first round gives a sample"),
    }
}

/// When a round is over.
struct Limit {
    samples: u64,
    /// Before patience may end it.
    fewest: u64,
    patience: Duration,
}

impl Limit {
    fn of(plan: &Plan, round: u32, long: bool) -> Self {
        let wanted = plan.iterations.unwrap_or(DEFAULT_ITERATIONS).max(1);
        match (plan.mode, round) {
            // Where the user says how many, so many it is.
            (Mode::Measure, 0) if plan.iterations.is_some() => {
                Limit { samples: wanted, fewest: wanted, patience: Duration::ZERO }
            }
            (Mode::Measure, 0) => Limit { samples: wanted, fewest: 3, patience: plan.mode.patience() },
            // Of a long call, the first is enough to see whether it works, and one more each time to see whether it is too slow.
            (Mode::Test, 0) if long => Limit { samples: 0, fewest: 0, patience: Duration::ZERO },
            _ if long => Limit { samples: 1, fewest: 1, patience: Duration::ZERO },
            _ => Limit { samples: wanted.min(TEST_SAMPLES), fewest: 1, patience: plan.mode.patience() },
        }
    }
}

/// Runs the routine until it is warm; returns how many calls make a sample.
fn warm_up(plan: &Plan, overhead: Overhead, batch: &mut dyn FnMut(Calls) -> Batch) -> u64 {
    let sample = plan.mode.sample().as_nanos() as f64;
    let mut calls = 1_u64;
    let mut done = 1_u64;
    let start = Instant::now();
    let warm = |done: u64, start: Instant| {
        let elapsed = start.elapsed();
        let by_itself = (done >= DEFAULT_WARMUP && elapsed >= plan.mode.warm_up())
            || elapsed >= plan.mode.patience() / 10;
        plan.warmup.map_or(by_itself, |warmup| done >= warmup)
    };
    loop {
        let ran = batch(Calls::Timed(calls));
        done += calls;
        let whole = overhead.nanos(ran.ticks);
        if whole >= sample || calls == u64::MAX {
            if warm(done, start) {
                return ((sample / whole * calls as f64).ceil() as u64).clamp(1, calls);
            }
        } else {
            // Towards the length of a sample, but never far beyond what is known.
            let wanted = (calls as f64 * sample / whole.max(1.0)).ceil() as u64;
            calls = wanted.clamp(calls + 1, calls.saturating_mul(10));
        }
    }
}

/// What measuring itself takes, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Overhead {
    /// To start and stop the clock once.
    stretch: f64,
    /// To go once around the loop.
    bare: f64,
    /// The same with values that were made beforehand.
    batched: f64,
    /// Nanoseconds of a tick.
    tick: f64,
}

impl Overhead {
    fn known() -> Self {
        static KNOWN: OnceLock<Overhead> = OnceLock::new();
        *KNOWN.get_or_init(|| {
            const CALLS: u64 = 4096;
            let tick = clock::rate().duration(1 << 30).as_nanos() as f64 / f64::from(1 << 30);
            // The least of many: noise only adds.
            let least = |calls, shape| {
                let batches = (0..100).map(|_| time_nothing(calls, shape));
                let best = batches.min_by_key(|batch| batch.ticks);
                best.map_or((0.0, 0.0), |batch| (batch.ticks as f64 * tick, batch.stretches as f64))
            };
            let (stretch, _) = least(0, Shape::Bare);
            let per_call = |shape| {
                let (nanos, stretches) = least(CALLS, shape);
                ((nanos - stretches * stretch) / CALLS as f64).max(0.0)
            };
            Overhead { stretch, bare: per_call(Shape::Bare), batched: per_call(Shape::Batched), tick }
        })
    }

    fn nanos(self, ticks: u64) -> f64 {
        ticks as f64 * self.tick
    }

    fn nanos_per_call(self, batch: Batch, calls: u64) -> f64 {
        let loop_itself = match batch.shape {
            Shape::Bare => self.bare,
            Shape::Batched => self.batched,
        };
        let net = self.nanos(batch.ticks) - self.stretch * batch.stretches as f64;
        (net / calls as f64 - loop_itself).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A routine that takes as long as it says, as far as the engine can tell.
    struct Pretended {
        nanos: Box<dyn FnMut() -> f64>,
        calls: u64,
        batches: u64,
    }

    impl Pretended {
        fn new(nanos: impl FnMut() -> f64 + 'static) -> Self {
            Pretended { nanos: Box::new(nanos), calls: 0, batches: 0 }
        }

        fn measure(&mut self, plan: &Plan) -> Summary {
            let overhead = Overhead::known();
            let measurement = measure(plan, &mut |calls| {
                let count = match calls {
                    Calls::First => 1,
                    Calls::Timed(count) => count,
                };
                self.calls += count;
                self.batches += 1;
                let nanos = ((self.nanos)() + overhead.bare) * count as f64 + overhead.stretch;
                Batch { ticks: (nanos / overhead.tick) as u64, stretches: 1, shape: Shape::Bare, valid: true }
            });
            match measurement {
                Measurement::Summary(summary) => summary,
                Measurement::Invalid => panic!("it was valid"),
            }
        }
    }

    fn plan(mode: Mode) -> Plan {
        Plan { mode, judged_target: None, iterations: None, warmup: None }
    }

    #[test]
    fn samples_are_long_enough_for_the_clock() {
        for (nanos, mode, sample) in
            [(1.0, Mode::Test, 200_000.0), (50.0, Mode::Measure, 500_000.0), (3e6, Mode::Measure, 3e6)]
        {
            let summary = Pretended::new(move || nanos).measure(&plan(mode));
            let length = summary.calls as f64 * (nanos + Overhead::known().bare);
            assert!((sample * 0.9..sample * 1.2).contains(&length), "{length} of {sample}");
            assert!((summary.median / nanos - 1.0).abs() < 0.01, "{summary:?}");
        }
    }

    #[test]
    fn as_many_samples_as_asked_for() {
        let mut given = plan(Mode::Measure);
        given.iterations = Some(7);
        given.warmup = Some(3);
        let mut routine = Pretended::new(|| 2e6);
        assert_eq!(routine.measure(&given).samples, 7);
        assert_eq!(routine.calls, 3 + 7);
        assert_eq!(Pretended::new(|| 1e5).measure(&plan(Mode::Measure)).samples, 100);
        assert_eq!(Pretended::new(|| 1e5).measure(&plan(Mode::Test)).samples, 20);
    }

    #[test]
    fn a_long_call_runs_once_and_once_more_each_time_it_is_too_slow() {
        let mut met = Pretended::new(|| 2e8);
        assert_eq!((met.measure(&plan(Mode::Test)).samples, met.calls), (1, 1));
        let mut judged = plan(Mode::Test);
        judged.judged_target = Some(1e8);
        let mut missed = Pretended::new(|| 2e8);
        assert_eq!((missed.measure(&judged).samples, missed.calls), (3, 3));
    }

    #[test]
    fn what_seems_missed_is_measured_again() {
        let mut judged = plan(Mode::Test);
        judged.judged_target = Some(100.0);
        let slow = Pretended::new(|| 130.0).measure(&judged);
        assert_eq!((slow.samples, slow.best > 100.0), (60, true));
        // The machine is busy at first.
        let mut batches = 0;
        let recovered = Pretended::new(move || {
            batches += 1;
            if batches < 40 { 150.0 } else { 90.0 }
        });
        let summary = { recovered }.measure(&judged);
        assert!(summary.samples <= 60 && summary.best < 100.0, "{summary:?}");
        assert_eq!(Pretended::new(|| 90.0).measure(&judged).samples, 20);
    }
}
