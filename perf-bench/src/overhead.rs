//! What measuring itself takes: the clock, and the loops around the routine, with an empty one in them.
//!
//! It is measured beside each benchmark, before its samples and, where calls are so short that it matters, after them too: a machine is not as fast at one time as at
//! another, and a loop of a nanosecond that was measured a second ago says little. How far apart the two are, is how well it is known. Must never be
//! measured with code of its own: only with the loops that run benchmarks.

use perf_runtime::{clock, order};

use crate::bencher::{Batch, Shape, time_nothing};

/// In nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overhead {
    /// To start and stop the clock once.
    pub(crate) stretch: f64,
    /// To go once around the loop.
    pub(crate) bare: f64,
    /// The same with values that were made beforehand.
    pub(crate) batched: f64,
    /// How far the last two vary.
    pub(crate) error: f64,
    /// Nanoseconds of a tick.
    pub(crate) tick: f64,
}

impl Overhead {
    /// As it is at this time. Takes a millisecond.
    pub(crate) fn now() -> Self {
        const CALLS: u64 = 4096;
        let tick = clock::rate().duration(1 << 30).as_nanos() as f64 / f64::from(1 << 30);
        // Each of them a sum, because a clock may advance in steps longer than what is measured.
        let sums = |batches: u64, calls, shape| {
            let mut sums: Vec<f64> = (0..40)
                .map(|_| {
                    let batches = (0..batches).map(|_| time_nothing(calls, shape));
                    let (ticks, stretches) =
                        batches.fold((0, 0), |sum, batch| (sum.0 + batch.ticks, sum.1 + batch.stretches));
                    ticks as f64 * tick / if calls == 1 { stretches as f64 } else { 1.0 }
                })
                .collect();
            order::sort(&mut sums, f64::total_cmp);
            sums
        };
        // The least: noise only adds.
        let stretch = sums(64, 1, Shape::Bare)[0];
        // What samples are in the middle, and how far that is from the least.
        let per_call = |shape| {
            let sums = sums(1, CALLS, shape);
            let stretches = time_nothing(CALLS, shape).stretches as f64;
            let (least, middle) = (sums[0] / CALLS as f64, sums[sums.len() / 2] / CALLS as f64);
            ((middle - stretches * stretch / CALLS as f64).max(0.0), middle - least)
        };
        let ((bare, bare_error), (batched, batched_error)) =
            (per_call(Shape::Bare), per_call(Shape::Batched));
        Overhead { stretch, bare, batched, error: bare_error.max(batched_error), tick }
    }

    pub(crate) fn nanos(self, ticks: u64) -> f64 {
        ticks as f64 * self.tick
    }

    /// Below zero where the loop took less than it did when it was measured.
    pub(crate) fn nanos_per_call(self, batch: &Batch, calls: u64) -> f64 {
        let net = self.nanos(batch.ticks) - self.stretch * batch.stretches as f64;
        net / calls as f64 - self.of(batch.shape)
    }

    pub(crate) fn of(self, shape: Shape) -> f64 {
        match shape {
            Shape::Bare => self.bare,
            Shape::Batched => self.batched,
        }
    }
}
