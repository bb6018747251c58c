//! How often a benchmark runs: warm-up, the length of a sample, how many samples, and when to look again.
//!
//! A *sample* is one timed batch of calls, long enough that the clock's own cost does not count. What the clock and the loop take is
//! measured with an empty routine and taken out.
//!
//! `cargo test` takes just enough samples to judge; `cargo bench` takes more. A target that seems missed is measured again with
//! pauses between, because whatever disturbs a machine for a moment makes everything slower and nothing faster. The nearer the miss, the longer: two
//! processors may be halves of one, and then a neighbour takes up to half of what this code is given, for seconds; it takes no more.
//!
//! All of it has to end in time, the making of inputs included. So what is spent is added up from what the batches took in whole, and no
//! decision rests on a single batch, which may have been the first, cold one, or have been interrupted.

use core::time::Duration;

use crate::measure::footprint::{Counted, Requests, Residents};
use crate::measure::loops::{Batch, Calls, Shape};
use crate::measure::overhead::Overhead;
use crate::measure::plan::{DEFAULT_ITERATIONS, DEFAULT_WARMUP, Mode, Plan, TEST_SAMPLES};
use crate::stats::{Sample, Summary};

/// Rounds until what seems to grow too fast, or takes far too long, does.
pub(crate) const ROUNDS: usize = 3;
/// Between two rounds: whatever is in the way may be gone by then.
pub(crate) const PAUSE: Duration = Duration::from_millis(250);
/// The same between the rounds after which a target is missed.
const PAUSES: [Duration; 4] =
    [PAUSE, Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
/// By so much more than its target nothing takes longer for its neighbours' sake alone.
const FAR: f64 = 2.0;
/// A call of fewer nanoseconds is so short that it matters what the loop around it takes.
const SHORT: f64 = 100.0;
/// A call that takes this long with its input is measured as it comes, without a warm-up.
const LONG: Duration = Duration::from_millis(100);

/// What came out.
#[derive(Clone, Debug)]
pub(crate) enum Measurement {
    Summary(Summary),
    /// The first result was not as it should be, for this reason.
    Refused(String),
    /// A driver ran it, and has what came out.
    Driven,
}

/// Runs `batch` as often as `plan` says; a call may take `limit` nanoseconds, where there is one.
#[inline]
pub(crate) fn measure(plan: &Plan, limit: Option<f64>, batch: &mut dyn FnMut(Calls) -> Batch) -> Measurement {
    if let Some(driver) = &plan.driver {
        return driver.drive(batch);
    }
    measure_beside(&mut |shape, known| Overhead::at(plan.mode, shape, known), plan, limit, batch)
}

/// The same, where `overhead` tells what the loops take at the time, by what they took before.
#[inline]
fn measure_beside(
    overhead: &mut dyn FnMut(Shape, Option<(Overhead, u64)>) -> Overhead,
    plan: &Plan,
    most: Option<f64>,
    batch: &mut dyn FnMut(Calls) -> Batch,
) -> Measurement {
    let first = batch(Calls::First);
    if let Some(refusal) = first.refusal {
        return Measurement::Refused(refusal);
    }
    let shape = first.shape;
    let before = overhead(shape, None);
    let mut meter = Meter::new(plan, before, batch);
    let samples = &plan.samples;
    let first = meter.note(Calls::First, &first);
    // The first call may have been long only because it was the first.
    let mut slow = Some(first).filter(|first| first.is_long() && plan.warmup.is_none());
    if slow.is_some() && meter.has_time(Duration::ZERO) {
        slow = Some(meter.run(Calls::Timed(1))).filter(Ran::is_long);
    }
    let long = slow.is_some();
    let mut memory = plan.look.count(meter.calls, &mut |calls| {
        meter.has_time(Duration::ZERO).then(|| meter.run(Calls::Counted(calls)).counted())
    });
    let mut residents = Residents::new(plan.look, &memory);
    let calls = if let Some(slow) = slow {
        samples.begin(1, before.around.error);
        samples.push(slow.sample);
        1
    } else {
        let calls = meter.warm_up();
        samples.begin(calls, before.around.error);
        calls
    };
    let (mut any, mut is_short) = (long, false);
    for round in 0..=PAUSES.len() {
        if let Some(pause) = round.checked_sub(1).map(|before| PAUSES[before]) {
            if !meter.has_time(pause) {
                break;
            }
            meter.pause(pause);
        }
        let limit = Limit::of(plan, round, long);
        let begun = meter.spent;
        for taken in 0..limit.samples {
            let enough = taken >= limit.fewest && meter.spent - begun >= limit.patience.as_nanos() as f64;
            if any && (enough || !(limit.exact || meter.has_time(Duration::ZERO))) {
                break;
            }
            if is_short {
                meter.overhead = overhead(shape, Some((meter.overhead, calls)));
            }
            let sample = meter.run(Calls::Timed(calls)).sample;
            is_short = sample.nanos < SHORT;
            samples.push(sample);
            residents.note();
            any = true;
        }
        let beyond = |share| most.is_some_and(|most| samples.all_beyond(share * most));
        if !beyond(1.0) || (round + 1 >= ROUNDS && beyond(FAR)) {
            break;
        }
    }
    if memory.usage.is_none() {
        memory.growth = residents.growth(calls, &mut || {
            meter.has_time(Duration::ZERO).then(|| {
                meter.run(Calls::Timed(calls));
            })
        });
    }
    match samples.summary() {
        Some(summary) => Measurement::Summary(Summary { memory, ..summary }),
        None => unreachable!("the first call or the first round gives a sample"),
    }
}

/// When a round is over.
struct Limit {
    samples: u64,
    /// Before patience may end it.
    fewest: u64,
    patience: Duration,
    /// Whether so many are taken, however long that takes.
    exact: bool,
}

impl Limit {
    #[inline]
    fn of(plan: &Plan, round: usize, long: bool) -> Self {
        let wanted = plan.iterations.unwrap_or(DEFAULT_ITERATIONS).max(1);
        let limit = |samples, fewest, patience| Limit { samples, fewest, patience, exact: false };
        match (plan.mode, round) {
            // Where the user says how many, so many it is.
            (Mode::Measure, 0) if plan.iterations.is_some() => {
                // Of a long call one was taken.
                let samples = wanted - u64::from(long);
                Limit { exact: true, ..limit(samples, samples, Duration::ZERO) }
            }
            (Mode::Measure, 0) => limit(wanted, 3, plan.mode.patience()),
            // Of a long call, one is enough to see whether it works, and one more each time to see whether it is too slow.
            (Mode::Test, 0) if long => limit(0, 0, Duration::ZERO),
            _ if long => limit(1, 1, Duration::ZERO),
            _ => limit(wanted.min(TEST_SAMPLES), 1, plan.mode.patience()),
        }
    }
}

/// Runs batches, and keeps count of the time. All in nanoseconds.
struct Meter<'a> {
    plan: &'a Plan,
    batch: &'a mut dyn FnMut(Calls) -> Batch,
    overhead: Overhead,
    spent: f64,
    longest: f64,
    /// All that were made.
    calls: u64,
}

/// What a batch took.
struct Ran {
    sample: Sample,
    /// With the clock on, less what it waited; at least a tenth.
    timed: f64,
    /// With its inputs, in the same way.
    whole: f64,
    requests: Requests,
}

impl Ran {
    #[inline]
    fn counted(self) -> Counted {
        Counted { nanos: self.whole, requests: self.requests }
    }

    #[inline]
    fn is_long(&self) -> bool {
        self.whole >= LONG.as_nanos() as f64
    }
}

impl<'a> Meter<'a> {
    #[inline]
    fn new(plan: &'a Plan, overhead: Overhead, batch: &'a mut dyn FnMut(Calls) -> Batch) -> Self {
        Meter { plan, batch, overhead, spent: 0.0, longest: 0.0, calls: 0 }
    }

    #[inline]
    fn run(&mut self, calls: Calls) -> Ran {
        let batch = (self.batch)(calls);
        self.note(calls, &batch)
    }

    #[inline]
    fn note(&mut self, calls: Calls, batch: &Batch) -> Ran {
        self.calls = self.calls.saturating_add(calls.count());
        let (timed, whole) = (self.overhead.nanos(batch.ticks), self.overhead.nanos(batch.whole));
        self.spent += whole;
        self.longest = self.longest.max(whole);
        // The two are of different clocks.
        let waited = (batch.waited as f64).min(timed);
        let sample = Sample {
            nanos: self.overhead.nanos_per_call(batch, calls.count()),
            waited: waited / calls.count() as f64,
        };
        // It may seem to have waited for all of the time; that it did for nine tenths is believed.
        let waited = waited.min(timed * 0.9);
        Ran { sample, timed: timed - waited, whole: whole - waited, requests: batch.requests }
    }

    #[inline]
    fn pause(&mut self, pause: Duration) {
        std::thread::sleep(pause);
        self.spent += pause.as_nanos() as f64;
    }

    /// Whether another batch after a `pause` ends before somebody gives up, with a fifth to spare.
    #[inline]
    fn has_time(&self, pause: Duration) -> bool {
        let pause = pause.as_nanos() as f64;
        self.spent + pause + self.longest <= self.plan.timeout.as_nanos() as f64 * 0.8
    }

    /// Runs the routine until it is warm; returns how many calls make a sample.
    #[inline]
    fn warm_up(&mut self) -> u64 {
        let Plan { mode, warmup, timeout, .. } = *self.plan;
        let sample = mode.sample().as_nanos() as f64;
        // What a sample may take with its inputs, so that all of them are done when half of the patience is over.
        let room = mode.patience().as_nanos() as f64 / (2 * mode.samples()) as f64;
        let begun = self.spent;
        // Where so little time is left, the samples need it.
        let longest = mode.patience().min(timeout / 2).as_nanos() as f64 / 10.0;
        let warm = |done: u64, elapsed: f64| {
            let by_itself =
                (done >= DEFAULT_WARMUP && elapsed >= mode.warm_up().as_nanos() as f64) || elapsed >= longest;
            warmup.map_or(by_itself, |warmup| done >= warmup)
        };
        // The first call is done. The least of all batches counts, of a call and of a call with its input.
        let (mut calls, mut done) = (1_u64, 1_u64);
        let (mut timed, mut whole) = (f64::INFINITY, f64::INFINITY);
        loop {
            let ran = self.run(Calls::Timed(calls));
            done = done.saturating_add(calls);
            // A clock may stand still during a call; a picosecond is less than any.
            timed = timed.min((ran.timed / calls as f64).max(1e-3));
            whole = whole.min((ran.whole / calls as f64).max(1e-3));
            let wanted = ((sample / timed).min(room / whole)).ceil().max(1.0) as u64;
            // Nearly so many will do, or the last percent would be hunted for.
            if calls >= wanted - wanted / 8 {
                if warm(done, self.spent - begun) {
                    return wanted;
                }
                calls = wanted;
            } else {
                // Towards the length of a sample, but never far beyond what is known.
                calls = wanted.min(calls.saturating_mul(10));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Target;
    use crate::measure::overhead::Loop;
    use crate::measure::work::Work;

    const AROUND: Loop = Loop { empty: 1.0, beside: 1.0, error: 0.01 };
    const OVERHEAD: Overhead = Overhead { stretch: 20.0, around: AROUND, tick: 0.4 };

    /// A routine that takes as long as it says, as far as the engine can tell.
    struct Pretended {
        nanos: Box<dyn FnMut(u64) -> f64>,
        /// What making an input takes.
        making: f64,
        calls: u64,
        batches: u64,
        /// In all, pauses apart.
        spent: f64,
        /// Of each batch, the share in which the thread waits.
        waits: f64,
        /// The batch in which it does nothing else.
        waits_in: Option<u64>,
    }

    impl Pretended {
        fn new(mut nanos: impl FnMut() -> f64 + 'static) -> Self {
            Self::by_batch(move |_| nanos())
        }

        /// By the number of the batch, from 0.
        fn by_batch(nanos: impl FnMut(u64) -> f64 + 'static) -> Self {
            Pretended {
                nanos: Box::new(nanos),
                making: 0.0,
                calls: 0,
                batches: 0,
                spent: 0.0,
                waits: 0.0,
                waits_in: None,
            }
        }

        fn measure(&mut self, plan: &Plan) -> Summary {
            let overhead = OVERHEAD;
            let measurement =
                measure_beside(&mut |_, _| OVERHEAD, plan, plan.limit(Work::default()), &mut |calls| {
                    let count = calls.count() as f64;
                    self.calls += calls.count();
                    let nanos = ((self.nanos)(self.batches) + AROUND.empty) * count + overhead.stretch;
                    self.batches += 1;
                    let waits = if self.waits_in == Some(self.batches - 1) { 1.0 } else { self.waits };
                    let whole = nanos + self.making * count;
                    self.spent += whole;
                    Batch {
                        ticks: (nanos / overhead.tick) as u64,
                        whole: (whole / overhead.tick) as u64,
                        waited: (nanos * waits).ceil() as u64,
                        stretches: 1,
                        shape: Shape::Bare,
                        requests: Requests::default(),
                        refusal: None,
                    }
                });
            match measurement {
                Measurement::Summary(summary) => summary,
                other => panic!("it was as it should be: {other:?}"),
            }
        }
    }

    fn plan(mode: Mode) -> Plan {
        Plan { mode, ..Plan::for_tests() }
    }

    #[test]
    fn samples_are_long_enough_for_the_clock() {
        for (nanos, mode, sample) in
            [(1.0, Mode::Test, 200_000.0), (50.0, Mode::Measure, 500_000.0), (3e6, Mode::Measure, 3e6)]
        {
            let summary = Pretended::new(move || nanos).measure(&plan(mode));
            let length = summary.calls as f64 * (nanos + AROUND.empty);
            assert!((sample * 0.9..sample * 1.2).contains(&length), "{length} of {sample}");
            assert!((summary.median / nanos - 1.0).abs() < 0.01, "{summary:?}");
        }
    }

    #[test]
    fn one_batch_decides_nothing() {
        // The first call reads a file, say; the fourth batch was interrupted.
        let mut routine = Pretended::by_batch(|batch| match batch {
            0 => 5e8,
            3 => 1e7,
            _ => 100.0,
        });
        let summary = routine.measure(&plan(Mode::Test));
        assert_eq!((summary.samples, summary.median.round()), (20, 100.0));
        assert!((1_500..2_500).contains(&summary.calls), "{summary:?}");
    }

    /// What a thread waited is told by another clock, and may seem to be all that a batch took.
    #[test]
    fn a_batch_that_only_waited_decides_nothing_either() {
        let mut routine = Pretended::by_batch(|batch| if batch == 1 { 5e6 } else { 1_000.0 });
        routine.waits_in = Some(1);
        let summary = routine.measure(&plan(Mode::Test));
        assert!(
            (150..=250).contains(&summary.calls) && routine.spent < 5e7,
            "{summary:?} in {}",
            routine.spent
        );
    }

    #[test]
    fn as_many_samples_as_asked_for() {
        let mut given = plan(Mode::Measure);
        given.iterations = Some(7);
        given.warmup = Some(3);
        let mut routine = Pretended::new(|| 2e6);
        assert_eq!(routine.measure(&given).samples, 7);
        assert_eq!(routine.calls, 3 + 7);
        given.warmup = None;
        assert_eq!(Pretended::new(|| 2e8).measure(&given).samples, 7);
        assert_eq!(Pretended::new(|| 1e5).measure(&plan(Mode::Measure)).samples, 100);
        assert_eq!(Pretended::new(|| 1e5).measure(&plan(Mode::Test)).samples, 20);
        // A test takes no more than it needs, and no more than that.
        for (wanted, taken) in [(1_000, 20), (20, 20), (3, 3)] {
            let mut given = plan(Mode::Test);
            given.iterations = Some(wanted);
            assert_eq!(Pretended::new(|| 1e5).measure(&given).samples, taken);
        }
    }

    #[test]
    fn a_long_call_runs_twice_and_once_more_each_time_it_is_too_slow() {
        let mut met = Pretended::new(|| 2e8);
        assert_eq!((met.measure(&plan(Mode::Test)).samples, met.calls), (1, 2));
        let mut judged = plan(Mode::Test);
        judged.target = Some(Target::Nanos(1e8));
        for (nanos, samples, calls) in [(3e8, 3, 4), (1.5e8, 5, 6)] {
            let mut missed = Pretended::new(move || nanos);
            assert_eq!((missed.measure(&judged).samples, missed.calls), (samples, calls));
        }
    }

    /// What is not done in time would end without a figure.
    #[test]
    fn it_ends_in_time() {
        for (nanos, most) in [(8e9, 24e9), (20e9, 20e9), (29e9, 29e9), (1e9, 10e9)] {
            let mut long = Pretended::new(move || nanos);
            assert!(long.measure(&plan(Mode::Measure)).samples >= 1);
            assert!(long.spent <= most + 1e3, "{} of {most}", long.spent);
        }
        let mut judged = plan(Mode::Test);
        judged.target = Some(Target::Nanos(1e8));
        let mut missed = Pretended::new(|| 10e9);
        assert!(missed.measure(&judged).best > 1e8);
        assert!(missed.spent <= 24e9);
        // Also where little of it is given.
        for mode in [Mode::Test, Mode::Measure] {
            let mut hasty = plan(mode);
            hasty.timeout = Duration::from_millis(200);
            hasty.target = Some(Target::Nanos(1e6));
            let mut routine = Pretended::new(|| 3e7);
            assert!(routine.measure(&hasty).samples >= 1);
            assert!(routine.spent <= 160e6, "{}", routine.spent);
        }
    }

    #[test]
    fn an_input_that_takes_long_to_make_counts() {
        for (making, mode, most) in [
            (1e6, Mode::Test, 0.2e9),
            (1e6, Mode::Measure, 4e9),
            (5e7, Mode::Test, 0.5e9),
            (3e8, Mode::Test, 1e9),
            (3e8, Mode::Measure, 5e9),
            (10e9, Mode::Measure, 24e9),
        ] {
            let mut costly = Pretended::new(|| 100.0);
            costly.making = making;
            let summary = costly.measure(&plan(mode));
            assert!(costly.spent <= most, "{making} {mode:?}: {} of {most}", costly.spent);
            assert!((summary.median / 100.0 - 1.0).abs() < 0.1, "{making} {mode:?}: {summary:?}");
        }
    }

    #[test]
    fn what_seems_missed_is_measured_again() {
        let mut judged = plan(Mode::Test);
        judged.target = Some(Target::Nanos(100.0));
        let slow = |nanos: f64| Pretended::new(move || nanos).measure(&judged);
        assert_eq!((slow(130.0).samples, slow(130.0).best > 100.0), (100, true));
        assert_eq!(slow(250.0).samples, 60);
        // The machine is busy at first, for a moment or for seconds.
        for (busy, most) in [(40, 60), (80, 100)] {
            let mut batches = 0;
            let recovered = Pretended::new(move || {
                batches += 1;
                if batches < busy { 150.0 } else { 90.0 }
            });
            let summary = { recovered }.measure(&judged);
            assert!(summary.samples <= most && summary.best < 100.0, "{busy}: {summary:?}");
        }
        assert_eq!(Pretended::new(|| 90.0).measure(&judged).samples, 20);
    }

    #[test]
    fn waiting_is_told_apart() {
        let mut busy = Pretended::new(|| 1e7);
        busy.waits = 0.4;
        let summary = busy.measure(&plan(Mode::Test));
        assert!((summary.best / 1e7 - 1.0).abs() < 0.01, "{summary:?}");
        assert!((summary.undisturbed / 6e6 - 1.0).abs() < 0.01, "{summary:?}");
        assert!((summary.waited - 0.4).abs() < 0.01, "{summary:?}");
        // A batch of which nothing is left does not make the next ones endless.
        let mut waits = Pretended::new(|| 1e5);
        waits.waits = 1.0;
        let summary = waits.measure(&plan(Mode::Test));
        assert!(summary.calls < 50 && waits.spent < 1e9, "{summary:?}");
    }
}
