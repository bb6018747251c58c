//! How long a piece of code takes, asked in one line: the counterpart of Python's `timeit`.
//!
//! It says what it measured and judges nothing; a promise about speed is for `#[benchmark]`.

use core::fmt;
use core::hint::black_box;
use std::time::{Duration, Instant};

use perf_runtime::show::units;

/// Runs of which the best counts.
const RUNS: usize = 5;
/// A run takes at least this long, so that the clock's own steps are nothing beside it.
const RUN: Duration = Duration::from_millis(50);

/// What [`timeit`] measured.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Timing {
    /// Times the code was run in each run.
    pub loops: u64,
    /// Nanoseconds per loop in each run, in the order of the runs.
    pub runs: Vec<f64>,
}

impl Timing {
    /// Nanoseconds per loop in the fastest run. What else the machine does only makes runs slower, so this is the code's own time.
    #[must_use]
    #[inline]
    pub fn best(&self) -> f64 {
        self.runs.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Nanoseconds per loop in the slowest run.
    #[must_use]
    #[inline]
    pub fn worst(&self) -> f64 {
        self.runs.iter().copied().fold(0.0, f64::max)
    }
}

impl fmt::Display for Timing {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loops = if self.loops == 1 { "loop" } else { "loops" };
        let (best, worst) = (units::nanos(self.best()), units::nanos(self.worst()));
        write!(
            f,
            "{} {loops}, best of {}: {best} per loop, worst {worst}",
            units::count(self.loops),
            self.runs.len()
        )
    }
}

/// Measures how long `code` takes: five runs of as many loops as take a twentieth of a second.
///
/// What `code` returns is dropped within the time. What it takes from outside the compiler may know beforehand; hide it with
/// [`std::hint::black_box`].
///
/// ```
/// # use perf_bench as perfkit;
/// use std::hint::black_box;
///
/// let timing = perfkit::timeit(|| black_box("3.25").parse::<f64>());
/// // 2.10 M loops, best of 5: 23.9 ns per loop, worst 24.6 ns
/// println!("{timing}");
/// ```
#[inline]
pub fn timeit<R>(mut code: impl FnMut() -> R) -> Timing {
    // The compiler cannot look through it, or it would call what always gives the same once for all loops.
    let code: &mut dyn FnMut() -> R = black_box(&mut code);
    let mut time = |loops: u64| {
        let start = Instant::now();
        for _ in 0..loops {
            black_box(code());
        }
        start.elapsed()
    };
    // The first loop pays for what is made once.
    let mut loops = 1;
    let mut first = time(loops);
    while first < RUN {
        // Ten times as many at most, since what was measured so far may be nearly nothing.
        let wanted = RUN.as_secs_f64() / first.as_secs_f64().max(1e-9) * 1.2;
        loops = (loops as f64 * wanted.clamp(2.0, 10.0)) as u64;
        first = time(loops);
    }
    let runs = (0..RUNS).map(|_| time(loops).as_secs_f64() * 1e9 / loops as f64).collect();
    Timing { loops, runs }
}

/// `timeit!(code)` is [`timeit`]`(|| code)`.
///
/// ```
/// # use perf_bench as perfkit;
/// # use std::hint::black_box;
/// println!("{}", perfkit::timeit!(black_box("3.25").parse::<f64>()));
/// ```
#[macro_export]
macro_rules! timeit {
    ($($code:tt)+) => { $crate::timeit(|| { $($code)+ }) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_loop_is_run_once_and_a_short_one_often() {
        let mut calls = 0;
        let timing = timeit(|| {
            calls += 1;
            std::thread::sleep(RUN);
        });
        // What the clock says is for the machine; that five runs of one loop were made is not.
        assert_eq!((timing.loops, timing.runs.len(), calls), (1, RUNS, 1 + RUNS));
        assert!(timing.best() >= RUN.as_nanos() as f64 && timing.worst() >= timing.best());
        let timing = timeit!(black_box(1) + 1);
        assert!(timing.loops > 1_000, "{timing}");
    }

    #[test]
    fn it_reads_like_a_sentence() {
        let timing = Timing { loops: 1_000, runs: vec![24.0, 12.5, 30.0] };
        assert_eq!(timing.to_string(), "1 000 loops, best of 3: 12.5 ns per loop, worst 30.0 ns");
    }
}
