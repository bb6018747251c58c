//! What measuring itself takes: the clock, and the loops around the routine.
//!
//! A processor does several things at once, so a loop takes less beside work than alone: 1.4 ns of an empty loop and 0.4 ns of one with ten nanoseconds of work in it were measured
//! on one machine. So both are measured, the first with an empty routine and the second with a known one, once and twice; which of the two is taken off goes by how
//! much the routine adds to the empty loop.
//!
//! All of it is measured before each benchmark and, where calls are so short that it matters, the empty loop again before each sample: a machine is not as fast at one time as
//! at another. In a test, where one benchmark follows another at once, as thousands of `args` do, what was measured a moment ago holds. Must never be measured with code of its own:
//! only with the loops that run benchmarks.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use perf_runtime::{clock, order};

use crate::measure::loops::{Batch, Shape, time_loop};
use crate::measure::plan::Mode;

/// In nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overhead {
    /// To start and stop the clock once.
    pub(crate) stretch: f64,
    pub(crate) around: Loop,
    /// Nanoseconds of a tick.
    pub(crate) tick: f64,
}

/// Once around a loop, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loop {
    /// With nothing in it.
    pub(crate) empty: f64,
    /// Beside work.
    pub(crate) beside: f64,
    /// How far nine tenths of them lie apart.
    pub(crate) error: f64,
}

/// Around each loop. Few, because in unoptimised code they take some hundred times as long.
const CALLS: u64 = 512;
/// So many times, of which the middle counts; but after this long, no more than the fewest that have one.
const BATCHES: usize = 31;
const FEWEST: usize = 7;
const ENOUGH: Duration = Duration::from_micros(500);

impl Loop {
    /// What is the routine's of what a call took with the loop. Below zero where the loop took less than it did when it was measured.
    #[inline]
    fn without(self, nanos: f64) -> f64 {
        let more = nanos - self.empty;
        let share = (more / self.empty.max(0.1)).clamp(0.0, 1.0);
        more + (self.empty - self.beside).max(0.0) * share
    }

    /// With nothing in it, for about so many calls: the middle of three, since one during which something else had the processor would take time off that no sample took.
    #[inline]
    fn empty(calls: u64, once: &mut dyn FnMut(u64) -> f64) -> f64 {
        let calls = (calls / 3).max(CALLS);
        let (first, second, third) = (once(calls), once(calls), once(calls));
        first.min(second).max(first.max(second).min(third)).max(0.0)
    }

    #[inline]
    fn measure(shape: Shape, stretch: f64, tick: f64) -> Self {
        let sums = |times| {
            let begun = Instant::now();
            let mut sums = Vec::with_capacity(BATCHES);
            while sums.len() < BATCHES && (sums.len() < FEWEST || begun.elapsed() < ENOUGH) {
                let batch = time_loop(CALLS, shape, times);
                sums.push((batch.ticks as f64 * tick - stretch * batch.stretches as f64) / CALLS as f64);
            }
            order::sort(&mut sums, f64::total_cmp);
            sums
        };
        let middle = |sums: &[f64]| sums[sums.len() / 2].max(0.0);
        let empty = sums(0);
        let (once, twice) = (middle(&sums(1)), middle(&sums(2)));
        // Noise may say anything; the loop takes something, and no more than alone.
        let beside = (2.0 * once - twice).clamp(0.0, middle(&empty));
        Loop { empty: middle(&empty), beside, error: empty[empty.len() * 9 / 10] - empty[0].max(0.0) }
    }
}

/// How long it holds: no longer than a test takes its samples by what was measured before them.
const HOLDS: Duration = Duration::from_millis(100);

/// What was measured last, and when.
#[derive(Debug)]
struct Lately(Option<(Instant, Overhead)>);

impl Lately {
    /// That, if it holds; else what is measured now.
    #[inline]
    fn or(&mut self, now: Instant, measure: &mut dyn FnMut() -> Overhead) -> Overhead {
        match self.0 {
            Some((then, lately)) if now.saturating_duration_since(then) < HOLDS => lately,
            _ => self.0.insert((now, measure())).1,
        }
    }
}

impl Overhead {
    /// Of the loop of that shape, as it is at this time. All of it in some milliseconds; where it was `known`, before a sample of so many calls, the empty loop for a part of
    /// that sample's time.
    #[inline]
    pub(crate) fn at(mode: Mode, shape: Shape, known: Option<(Overhead, u64)>) -> Self {
        if let Some((known, calls)) = known {
            // As a sample: not the least, but with whatever is in the way at this time.
            let empty = Loop::empty(calls / 8, &mut |calls| {
                let batch = time_loop(calls, shape, 0);
                (known.nanos(batch.ticks) - known.stretch * batch.stretches as f64) / calls as f64
            });
            return Overhead { around: Loop { empty, ..known.around }, ..known };
        }
        if mode == Mode::Measure {
            return Overhead::measure(shape);
        }
        static BARE: Mutex<Lately> = Mutex::new(Lately(None));
        static BATCHED: Mutex<Lately> = Mutex::new(Lately(None));
        let lately = match shape {
            Shape::Bare => &BARE,
            Shape::Batched => &BATCHED,
        };
        let mut lately = lately.lock().unwrap_or_else(PoisonError::into_inner);
        lately.or(Instant::now(), &mut || Overhead::measure(shape))
    }

    #[inline]
    fn measure(shape: Shape) -> Self {
        let tick = clock::rate().duration(1 << 30).as_nanos() as f64 / f64::from(1 << 30);
        // The least: noise only adds. Each of them a sum, because a clock may advance in steps longer than what is measured.
        let sum = || (0..64).map(|_| time_loop(1, Shape::Bare, 0).ticks).sum::<u64>();
        let stretch = (0..40).map(|_| sum()).min().unwrap_or_default() as f64 * tick / 64.0;
        Overhead { stretch, around: Loop::measure(shape, stretch, tick), tick }
    }

    #[inline]
    pub(crate) fn nanos(self, ticks: u64) -> f64 {
        ticks as f64 * self.tick
    }

    /// Below zero where the loop took less than it did when it was measured.
    #[inline]
    pub(crate) fn nanos_per_call(self, batch: &Batch, calls: u64) -> f64 {
        let net = self.nanos(batch.ticks) - self.stretch * batch.stretches as f64;
        self.around.without(net / calls as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_off_goes_by_how_much_there_is() {
        let around = Loop { empty: 1.4, beside: 0.4, error: 0.0 };
        let without = |nanos| (around.without(nanos) * 100.0).round() as i32;
        assert_eq!([1.3, 1.4, 2.1, 2.8, 10.4].map(without), [-10, 0, 120, 240, 1_000]);
    }

    #[test]
    fn what_was_measured_a_moment_ago_holds() {
        let around = Loop { empty: 1.4, beside: 0.4, error: 0.0 };
        let (mut lately, mut times, begun) = (Lately(None), 0, Instant::now());
        let mut after = |moment| {
            lately.or(begun + moment, &mut || {
                times += 1;
                Overhead { stretch: f64::from(times), around, tick: 1.0 }
            })
        };
        let moments = [Duration::ZERO, HOLDS / 2, HOLDS, HOLDS + HOLDS / 2, HOLDS * 9];
        let stretches = moments.map(|moment| after(moment).stretch as i32);
        assert_eq!(stretches, [1, 1, 2, 2, 3]);
    }

    /// Or a sample after it would seem to take nothing, and be the best of all.
    #[test]
    fn an_empty_loop_that_was_interrupted_is_not_taken_off() {
        for interrupted in 0..3 {
            let mut turn = 0..3;
            let mut once = |_| if turn.next() == Some(interrupted) { 4_000.0 } else { 1.5 };
            assert!((Loop::empty(10_000, &mut once) - 1.5).abs() < 1e-9);
        }
    }
}
