//! How one benchmark hands over what is to be measured.
//!
//! Only the loop around the routine is generic; everything that decides how often it runs is in [`measure`](crate::measure), compiled once.

use core::hint::black_box;
use core::mem::{needs_drop, size_of};
use core::time::Duration;

use perf_runtime::clock;

use crate::measure::{Measurement, Plan, measure};

/// Given to a benchmark that takes `&mut Bencher`: measures a routine, with everything around it outside of the clock.
///
/// ```
/// use perf_bench::Bencher;
///
/// fn search(bencher: &mut Bencher) {
///     let words: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
///     bencher.iter(|| words.binary_search_by(|word| word.as_str().cmp("500")));
/// }
/// ```
///
/// What a routine returns is dropped outside of the clock. A function that takes a `Bencher` calls one of its functions once.
#[derive(Debug)]
pub struct Bencher<'a> {
    plan: &'a Plan,
    /// What came out, for each call of one of the functions below.
    pub(crate) measurements: Vec<Measurement>,
}

impl<'a> Bencher<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        Bencher { plan, measurements: Vec::new() }
    }

    /// Measures `routine`.
    #[allow(clippy::iter_not_returning_iterator, reason = "the name of it in every harness")]
    pub fn iter<R>(&mut self, routine: impl FnMut() -> R) {
        self.iter_valid(routine, |_| true);
    }

    /// Measures `routine` with a value of `setup` for each call, made outside of the clock.
    pub fn iter_batched<I, R>(&mut self, setup: impl FnMut() -> I, routine: impl FnMut(I) -> R) {
        self.iter_batched_valid(setup, routine, |_| true);
    }

    /// The same for a routine that takes its value by `&mut`; the value is dropped outside of the clock.
    pub fn iter_batched_ref<I, R>(&mut self, setup: impl FnMut() -> I, routine: impl FnMut(&mut I) -> R) {
        self.iter_batched_ref_valid(setup, routine, |_| true);
    }

    /// As [`iter`](Self::iter), and looks at the result of the first call.
    #[doc(hidden)]
    pub fn iter_valid<R>(&mut self, mut routine: impl FnMut() -> R, valid: impl Fn(&R) -> bool) {
        self.iter_batched_valid(|| (), |()| routine(), valid);
    }

    /// As [`iter_batched`](Self::iter_batched), and looks at the result of the first call.
    #[doc(hidden)]
    pub fn iter_batched_valid<I, R>(
        &mut self,
        mut setup: impl FnMut() -> I,
        mut routine: impl FnMut(I) -> R,
        valid: impl Fn(&R) -> bool,
    ) {
        self.measure(&mut |calls| time(calls, &mut setup, &mut routine, &valid));
    }

    /// As [`iter_batched_ref`](Self::iter_batched_ref), and looks at the result of the first call.
    #[doc(hidden)]
    pub fn iter_batched_ref_valid<I, R>(
        &mut self,
        mut setup: impl FnMut() -> I,
        mut routine: impl FnMut(&mut I) -> R,
        valid: impl Fn(&R) -> bool,
    ) {
        // The value goes through, so that it is dropped with the result.
        let mut routine = |mut input: I| {
            let result = routine(&mut input);
            (input, result)
        };
        self.measure(&mut |calls| time(calls, &mut setup, &mut routine, &|(_, result)| valid(result)));
    }

    fn measure(&mut self, batch: &mut dyn FnMut(Calls) -> Batch) {
        let measurement = measure(self.plan, batch);
        self.measurements.push(measurement);
    }
}

/// What one run of the loop is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calls {
    /// The first call of all, whose result is looked at.
    First,
    /// So many, to be timed.
    Timed(u64),
}

/// What one run of the loop took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    pub(crate) ticks: u64,
    /// How often the clock was started and stopped.
    pub(crate) stretches: u64,
    pub(crate) shape: Shape,
    /// Whether the result of the first call was as it should be.
    pub(crate) valid: bool,
}

/// Which loop it was; each takes its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Calls, one after the other.
    Bare,
    /// Calls with values made beforehand.
    Batched,
}

/// Runs the routine so many times, with the clock on.
#[inline(never)]
fn time<I, R>(
    calls: Calls,
    setup: &mut impl FnMut() -> I,
    routine: &mut impl FnMut(I) -> R,
    valid: &impl Fn(&R) -> bool,
) -> Batch {
    let calls = match calls {
        Calls::First => {
            let input = black_box(setup());
            let start = clock::now();
            let result = black_box(routine(input));
            let ticks = clock::now().saturating_sub(start);
            return Batch { ticks, stretches: 1, shape: Shape::Bare, valid: valid(&result) };
        }
        Calls::Timed(calls) => calls,
    };
    if !needs_drop::<R>() && size_of::<I>() == 0 && !needs_drop::<I>() {
        // Nothing to make beforehand and nothing to drop afterwards.
        let start = clock::now();
        for _ in 0..calls {
            black_box(routine(setup()));
        }
        let ticks = clock::now().saturating_sub(start);
        return Batch { ticks, stretches: 1, shape: Shape::Bare, valid: true };
    }
    let mut batch = Batch { ticks: 0, stretches: 0, shape: Shape::Batched, valid: true };
    let mut inputs: Vec<I> = Vec::new();
    let mut results: Vec<R> = Vec::new();
    let mut stretch = Stretch::first(size_of::<I>() + size_of::<R>());
    let mut left = calls;
    while left > 0 {
        let now = stretch.calls.min(left);
        left -= now;
        let made = clock::now();
        inputs.extend((0..now).map(|_| setup()));
        if needs_drop::<R>() {
            results.reserve(now as usize);
        }
        let inputs = black_box(&mut inputs);
        let start = clock::now();
        for input in inputs.drain(..) {
            let result = routine(input);
            if needs_drop::<R>() {
                results.push(result);
            } else {
                black_box(result);
            }
        }
        let ticks = clock::now().saturating_sub(start);
        black_box(&mut results).clear();
        batch.ticks += ticks;
        batch.stretches += 1;
        stretch.next(now, start.saturating_sub(made), ticks);
    }
    batch
}

/// How many values are made before the clock is started: so many that starting it does not count, and so few that they do not fill
/// the memory. What takes long to make is taken to be large.
struct Stretch {
    calls: u64,
    most: u64,
}

impl Stretch {
    fn first(bytes: usize) -> Self {
        const ROOM: usize = 1 << 20;
        Stretch { calls: 1, most: (ROOM / bytes.max(1)).clamp(1, 1024) as u64 }
    }

    /// After `calls` whose values took so long to make, and which took so long.
    fn next(&mut self, calls: u64, making: u64, running: u64) {
        /// The clock is then known to a thousandth.
        const ENOUGH: Duration = Duration::from_micros(25);
        const TOO_LONG: Duration = Duration::from_millis(2);
        let rate = clock::rate();
        let times = |ticks: u64, each: u64| ticks.saturating_mul(calls) / each.max(1);
        let wanted = times(rate.ticks(ENOUGH), running).saturating_add(1);
        let bearable = times(rate.ticks(TOO_LONG), making);
        self.calls = wanted.min(bearable).min(calls * 8).clamp(1, self.most);
    }
}

/// What the loops themselves take, with nothing in them: measured with the very code above.
pub(crate) fn time_nothing(calls: u64, shape: Shape) -> Batch {
    match shape {
        Shape::Bare => time(Calls::Timed(calls), &mut || (), &mut |()| (), &|()| true),
        Shape::Batched => time(Calls::Timed(calls), &mut || 1_u64, &mut |number| number, &|_| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_grows_until_the_clock_does_not_count_and_no_further() {
        let microsecond = clock::rate().ticks(Duration::from_micros(1));
        let mut quick = Stretch::first(8);
        for _ in 0..5 {
            let calls = quick.calls;
            quick.next(calls, 1, calls * microsecond);
        }
        assert!((20..40).contains(&quick.calls), "{}", quick.calls);
        let mut costly = Stretch::first(8);
        costly.next(1, microsecond * 10_000, 1);
        assert_eq!(costly.calls, 1);
        assert_eq!(Stretch::first(1 << 30).most, 1);
    }

    #[test]
    fn every_value_is_used_once_and_dropped_outside_of_the_clock() {
        use std::cell::Cell;
        thread_local!(static LIVE: Cell<(u32, u32)> = const { Cell::new((0, 0)) });
        struct Counted;
        impl Counted {
            fn new() -> Self {
                LIVE.set((LIVE.get().0 + 1, LIVE.get().1));
                Counted
            }
        }
        impl Drop for Counted {
            fn drop(&mut self) {
                LIVE.set((LIVE.get().0, LIVE.get().1 + 1));
            }
        }
        let mut calls = 0;
        let mut routine = |value: Counted| {
            calls += 1;
            value
        };
        time(Calls::First, &mut Counted::new, &mut routine, &|_| true);
        time(Calls::Timed(5_000), &mut Counted::new, &mut routine, &|_| true);
        assert_eq!((calls, LIVE.get()), (5_001, (5_001, 5_001)));
    }
}
