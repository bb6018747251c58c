//! The timed loops.
//!
//! A loop calls the routine through a `dyn` that the compiler cannot look through, or it would move a call that always gives the same out of the loop.
//! How often a loop runs is for [`measure`](crate::measure::sampling) to decide. A loop must never make, drop or look at a value while the clock is on.

use core::hint::black_box;
use core::mem::{needs_drop, size_of};
use core::time::Duration;

use perf_runtime::clock;

use crate::measure::check::Check;
use crate::measure::footprint::{Reading, Requests};
use crate::measure::waiting;

/// What one run of the loop is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calls {
    /// The first call of all, whose result is looked at.
    First,
    /// So many, to be timed; at least one.
    Timed(u64),
    /// So many, whose allocations are counted: one at a time, so that the loop allocates nothing for them.
    Counted(u64),
    /// So many inputs and calls with the first of them, for whoever counts instructions: what is left is not dropped, and no clock decides anything.
    Traced { inputs: u64, calls: u64 },
}

impl Calls {
    #[inline]
    pub(crate) fn count(self) -> u64 {
        match self {
            Calls::First => 1,
            Calls::Timed(count) | Calls::Counted(count) | Calls::Traced { calls: count, .. } => count,
        }
    }

    #[inline]
    fn inputs(self) -> u64 {
        if let Calls::Traced { inputs, .. } = self { inputs } else { self.count() }
    }

    #[inline]
    fn are_counted(self) -> bool {
        matches!(self, Calls::Counted(_))
    }

    #[inline]
    fn are_traced(self) -> bool {
        matches!(self, Calls::Traced { .. })
    }
}

/// What one run of the loop took.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// With the clock on.
    pub(crate) ticks: u64,
    /// With everything around that: making inputs, dropping results.
    pub(crate) whole: u64,
    /// Nanoseconds of `ticks` in which the thread waited for a processor.
    pub(crate) waited: u64,
    /// How often the clock was started and stopped.
    pub(crate) stretches: u64,
    pub(crate) shape: Shape,
    /// What the calls asked the allocator for, if they are counted.
    pub(crate) requests: Requests,
    /// Why the result of the first call is not as it should be.
    pub(crate) refusal: Option<String>,
}

/// Which loop it was; each takes its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Calls, one after the other.
    Bare,
    /// Calls with values made beforehand.
    Batched,
}

/// Calls that take nothing beforehand and leave nothing to drop afterwards.
#[inline(never)]
pub(crate) fn time_calls<R>(
    calls: Calls,
    routine: &mut dyn FnMut() -> R,
    check: &dyn Fn(&R) -> Option<String>,
) -> Batch {
    let routine = black_box(routine);
    let waited = waiting::so_far();
    let reading = calls.are_counted().then(Reading::begin);
    let start = clock::now();
    for _ in 1..calls.count() {
        black_box(routine());
    }
    let last = black_box(routine());
    let ticks = clock::now().saturating_sub(start);
    let requests = reading.map(Reading::end).unwrap_or_default();
    let waited = waiting::so_far().saturating_sub(waited);
    let refusal = if calls == Calls::First { check(&last) } else { None };
    Batch { ticks, whole: ticks, waited, stretches: 1, shape: Shape::Bare, requests, refusal }
}

/// Runs a routine over inputs that lie ready, with the clock on. Generated code is given one.
#[doc(hidden)]
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "what a stretch is for decides each of them by itself")]
pub struct Stopwatch {
    ticks: u64,
    waited: u64,
    /// Whether the waiting is worth a system call: not where the stretch is much shorter than a turn on a processor.
    minds_waiting: bool,
    /// Whether a result is to be looked at.
    looks: bool,
    /// Whether allocations are to be counted.
    counts: bool,
    requests: Requests,
    /// Whether what is made and left is to be forgotten, as dropping it is no part of what is counted.
    forgets: bool,
    refusal: Option<String>,
}

impl Stopwatch {
    /// Calls `routine` with each input.
    #[inline]
    pub fn run<'i, I, R, C: Check>(
        &mut self,
        inputs: &'i mut [I],
        mut routine: impl FnMut(&'i mut I) -> R,
        check: impl Fn(&R) -> C,
    ) {
        let routine: &mut dyn FnMut(&'i mut I) -> R = black_box(&mut routine);
        if !needs_drop::<R>() && !self.looks {
            self.time(|| {
                for input in inputs {
                    black_box(routine(input));
                }
            });
            return;
        }
        let mut results = Vec::with_capacity(inputs.len());
        self.time(|| {
            for input in inputs {
                results.push(routine(input));
            }
        });
        self.look_at(black_box(&results), |result| check(result).refusal());
        self.dispose(&mut results);
    }

    /// The same with inputs by value, and a place for results, which may have been used before.
    #[inline]
    pub(crate) fn run_by_value<I, R>(
        &mut self,
        inputs: &mut Vec<I>,
        results: &mut Vec<R>,
        routine: &mut dyn FnMut(I) -> R,
        check: impl Fn(&R) -> Option<String>,
    ) {
        let routine = black_box(routine);
        if !needs_drop::<R>() && !self.looks {
            self.time(|| {
                for input in inputs.drain(..) {
                    black_box(routine(input));
                }
            });
            return;
        }
        results.reserve(inputs.len());
        self.time(|| {
            for input in inputs.drain(..) {
                results.push(routine(input));
            }
        });
        self.look_at(black_box(results), check);
        self.dispose(results);
    }

    /// Empties it.
    #[inline]
    pub(crate) fn dispose<T>(&self, left: &mut Vec<T>) {
        if self.forgets {
            left.drain(..).for_each(core::mem::forget);
        } else {
            left.clear();
        }
    }

    #[inline]
    fn time(&mut self, run: impl FnOnce()) {
        let waited = if self.minds_waiting { waiting::so_far() } else { 0 };
        let reading = self.counts.then(Reading::begin);
        let start = clock::now();
        run();
        self.ticks = clock::now().saturating_sub(start);
        self.requests = reading.map(Reading::end).unwrap_or_default();
        self.waited = if self.minds_waiting { waiting::so_far().saturating_sub(waited) } else { 0 };
    }

    #[inline]
    fn look_at<R>(&mut self, results: &[R], check: impl Fn(&R) -> Option<String>) {
        if self.looks {
            self.refusal = results.first().and_then(check);
        }
    }
}

/// Runs `run` over stretches of inputs that were made beforehand, until there were as many calls as wanted.
#[inline]
pub(crate) fn time_stretches<I>(
    calls: Calls,
    bytes: usize,
    setup: &mut dyn FnMut() -> I,
    inputs: &mut Vec<I>,
    run: &mut dyn FnMut(&mut Vec<I>, &mut Stopwatch),
) -> Batch {
    let begun = clock::now();
    let mut batch = Batch {
        ticks: 0,
        whole: 0,
        waited: 0,
        stretches: 0,
        shape: Shape::Batched,
        requests: Requests::default(),
        refusal: None,
    };
    let mut stretch = Stretch::first(bytes);
    let mut left = calls.inputs();
    // Those for which there is no call come last.
    let unused = left - calls.count();
    while left > 0 {
        let now = match calls {
            Calls::Counted(_) => 1,
            Calls::Traced { .. } => stretch.counted(left, unused),
            Calls::First | Calls::Timed(_) => stretch.calls.min(left),
        };
        let is_used = left > unused;
        left -= now;
        let made = clock::now();
        for _ in 0..now {
            inputs.push(setup());
        }
        let made = clock::now().saturating_sub(made);
        let mut stopwatch = Stopwatch {
            ticks: 0,
            waited: 0,
            minds_waiting: stretch.is_long && !calls.are_traced(),
            looks: calls == Calls::First,
            counts: calls.are_counted(),
            requests: Requests::default(),
            forgets: calls.are_traced(),
            refusal: None,
        };
        if is_used {
            run(black_box(inputs), &mut stopwatch);
        } else {
            stopwatch.dispose(inputs);
        }
        batch.ticks += stopwatch.ticks;
        batch.waited += stopwatch.waited;
        batch.stretches += 1;
        batch.requests.add(stopwatch.requests);
        batch.refusal = stopwatch.refusal;
        if !calls.are_traced() {
            stretch.next(now, made, stopwatch.ticks);
        }
    }
    batch.whole = clock::now().saturating_sub(begun);
    batch
}

/// How many values are made before the clock is started: so many that starting it does not count, and so few that they stay in the
/// cache and do not fill the memory. How large a value is nobody knows, but what takes long to make is.
struct Stretch {
    calls: u64,
    most: u64,
    /// Whether the last one was, or there was none.
    is_long: bool,
}

impl Stretch {
    #[inline]
    fn first(bytes: usize) -> Self {
        /// A part of the second-level cache of anything.
        const ROOM: usize = 256 << 10;
        Stretch { calls: 1, most: (ROOM / bytes.max(1)).clamp(1, 1024) as u64, is_long: true }
    }

    /// Where instructions are counted: the same whatever the clock says, and all of it used or none.
    #[inline]
    fn counted(&self, left: u64, unused: u64) -> u64 {
        let alike = if left > unused { left - unused } else { left };
        self.most.min(64).min(alike)
    }

    /// After `calls` whose values took so long to make, and which took so long.
    #[inline]
    fn next(&mut self, calls: u64, making: u64, running: u64) {
        /// The clock is then known to a thousandth.
        const ENOUGH: Duration = Duration::from_micros(25);
        /// Memory is written at some gigabytes a second, so that this makes a megabyte at most.
        const TOO_LONG: Duration = Duration::from_micros(250);
        let rate = clock::rate();
        let times = |ticks: u64, each: u64| ticks.saturating_mul(calls) / each.max(1);
        let wanted = times(rate.ticks(ENOUGH), running).saturating_add(1);
        let bearable = times(rate.ticks(TOO_LONG), making);
        self.calls = wanted.min(bearable).min(calls * 8).clamp(1, self.most);
        self.is_long = running >= rate.ticks(TOO_LONG);
    }
}

/// What the loops take with [`work`] in them so many times, twice at most: with none, what they themselves take.
#[inline]
pub(crate) fn time_loop(calls: u64, shape: Shape, times: u32) -> Batch {
    let calls = Calls::Timed(calls);
    match (shape, times) {
        (Shape::Bare, 0) => time_calls(calls, &mut || (), &|()| None),
        (Shape::Bare, 1) => time_calls(calls, &mut || work(1), &|_| None),
        (Shape::Bare, _) => time_calls(calls, &mut || black_box(work(1)) ^ work(2), &|_| None),
        (Shape::Batched, _) => {
            let (mut none, mut once) = (|number| number, work);
            let mut twice = |number| black_box(work(number)) ^ work(2);
            let routine: &mut dyn FnMut(u64) -> u64 = match times {
                0 => &mut none,
                1 => &mut once,
                _ => &mut twice,
            };
            let bytes = 2 * size_of::<u64>();
            time_stretches(calls, bytes, &mut || 1_u64, &mut Vec::new(), &mut |inputs, stopwatch| {
                stopwatch.run_by_value(inputs, &mut Vec::new(), routine, |_| None);
            })
        }
    }
}

/// Some nanoseconds of instructions that do not wait for what is around them: each of eight lanes goes its own way.
#[inline(never)]
fn work(number: u64) -> u64 {
    let mut lanes = black_box([number; 8]);
    for _ in 0..8 {
        for lane in &mut lanes {
            *lane = lane.rotate_left(5) ^ 0x5555;
        }
    }
    lanes.iter().fold(0, |all, lane| all ^ lane)
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
        assert!((20..40).contains(&quick.calls) && !quick.is_long, "{}", quick.calls);
        let mut costly = Stretch::first(8);
        costly.next(1, microsecond * 10_000, 1);
        assert_eq!(costly.calls, 1);
        assert_eq!(Stretch::first(1 << 30).most, 1);
        costly.next(1, 1, microsecond * 10_000);
        assert!(costly.is_long);
    }

    /// Memory in use stays within what one stretch may hold, whatever is returned.
    #[test]
    fn results_do_not_pile_up() {
        use std::cell::Cell;
        struct Large<'a>(
            &'a Cell<(usize, usize)>,
            #[allow(dead_code, reason = "what makes it large")] [u8; 4096],
        );
        impl Drop for Large<'_> {
            fn drop(&mut self) {
                self.0.set((self.0.get().0 - 1, self.0.get().1));
            }
        }
        let live = Cell::new((0, 0));
        let mut routine = |()| {
            let now = live.get().0 + 1;
            live.set((now, live.get().1.max(now)));
            Large(&live, [0; 4096])
        };
        let bytes = size_of::<Large<'_>>();
        let mut results = Vec::new();
        time_stretches(Calls::Timed(3_000), bytes, &mut || (), &mut Vec::new(), &mut |inputs, stopwatch| {
            stopwatch.run_by_value(inputs, &mut results, &mut routine, |_| None);
        });
        let (left, most) = live.get();
        assert!(left == 0 && most * bytes <= 256 << 10, "{most} of {bytes} bytes, {left} left");
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
        for calls in [Calls::First, Calls::Timed(5_000), Calls::Counted(7)] {
            time_stretches(calls, 1, &mut Counted::new, &mut Vec::new(), &mut |inputs, stopwatch| {
                stopwatch.run_by_value(inputs, &mut Vec::new(), &mut routine, |_| None);
            });
        }
        assert_eq!((calls, LIVE.get()), (5_008, (5_008, 5_008)));
    }

    /// What is made but not used, and what is left, is not dropped: that would be counted.
    #[test]
    fn where_instructions_are_counted_nothing_else_is_done() {
        use std::cell::Cell;
        thread_local!(static DROPPED: Cell<u32> = const { Cell::new(0) });
        struct Counted;
        impl Drop for Counted {
            fn drop(&mut self) {
                DROPPED.set(DROPPED.get() + 1);
            }
        }
        for (inputs, calls, expected) in [(200, 100, 100), (200, 200, 200), (7, 1, 1)] {
            let (mut inputs_made, mut called, mut largest) = (0, 0, 0);
            let mut routine = |value: Counted| {
                called += 1;
                value
            };
            let mut make = || {
                inputs_made += 1;
                Counted
            };
            time_stretches(
                Calls::Traced { inputs, calls },
                1,
                &mut make,
                &mut Vec::new(),
                &mut |inputs, stopwatch| {
                    largest = largest.max(inputs.len());
                    stopwatch.run_by_value(inputs, &mut Vec::new(), &mut routine, |_| None);
                },
            );
            assert_eq!((inputs_made, called, DROPPED.get()), (inputs, expected, 0));
            assert!(largest <= 64);
        }
    }

    #[test]
    fn only_the_first_result_is_looked_at() {
        let refuse = |_: &u32| Some(String::from("no"));
        assert_eq!(time_calls(Calls::First, &mut || 1, &refuse).refusal.as_deref(), Some("no"));
        assert_eq!(time_calls(Calls::Timed(9), &mut || 1, &refuse).refusal, None);
    }
}
