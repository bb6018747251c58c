//! Work of a known cost.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

/// Under this name who starts a program says how many units of each kind it is to do.
pub const UNITS: &str = "TRUST_UNITS";

/// About ten nanoseconds of instructions that wait for nothing around them: each of eight lanes goes its own way.
#[inline(never)]
#[must_use]
pub fn lanes() -> u64 {
    let mut lanes = black_box([1_u64, 2, 3, 4, 5, 6, 7, 8]);
    for _ in 0..12 {
        for lane in &mut lanes {
            *lane = lane.rotate_left(5) ^ 0x5555;
        }
    }
    lanes.iter().fold(0, |all, lane| all ^ lane)
}

/// What [`lanes`] takes on this machine now, in nanoseconds, with its call: what a loop takes longer that calls it twice, undisturbed at best.
#[must_use]
pub fn cost_of_lanes() -> f64 {
    const TURNS: u32 = 10_000;
    let time = |run: fn()| {
        let start = Instant::now();
        for _ in 0..TURNS {
            run();
        }
        start.elapsed().as_nanos() as f64 / f64::from(TURNS)
    };
    let least = |run: fn()| (0..200).map(|_| time(run)).fold(f64::INFINITY, f64::min);
    let once = || {
        black_box(lanes());
    };
    let twice = || {
        black_box(lanes());
        black_box(lanes());
    };
    least(twice) - least(once)
}

/// Nanoseconds of a unit, undisturbed at best, where so many are done that they take about `whole`.
#[must_use]
pub fn cost_of_a_unit(kind: Kind, whole: f64) -> f64 {
    let mut units = 100;
    loop {
        let time = || {
            let start = Instant::now();
            black_box(do_units(kind, units));
            start.elapsed().as_nanos() as f64
        };
        let best = (0..300).map(|_| time()).fold(f64::INFINITY, f64::min);
        if best >= 0.7 * whole {
            return best / units as f64;
        }
        units = (units as f64 * (whole / best).clamp(1.1, 10.0)) as u64;
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Multiplications, each of what the last one gave.
    Arithmetic,
    /// Steps through a hundred kilobytes, each to where the last one points. (Through more the cost is that of what other machines on this processor do.)
    Memory,
    /// Vectors made and dropped.
    Allocation,
}

impl Kind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Kind; 3] = [Kind::Arithmetic, Kind::Memory, Kind::Allocation];
}

/// Of each kind, so many units as `UNITS` says; one where nothing is said.
#[must_use]
pub fn units_told(kind: Kind) -> u64 {
    static TOLD: LazyLock<Vec<u64>> = LazyLock::new(|| {
        let told = std::env::var(UNITS).unwrap_or_default();
        told.split(',').filter_map(|number| number.parse().ok()).collect()
    });
    TOLD.get(kind as usize).copied().unwrap_or(1)
}

/// Does so many units.
#[must_use]
pub fn do_units(kind: Kind, units: u64) -> u64 {
    match kind {
        Kind::Arithmetic => {
            (0..units).fold(black_box(3), |x, _| x.wrapping_mul(0x5851_F42D_4C95_7F2D) ^ (x >> 7))
        }
        Kind::Memory => {
            thread_local!(static STEPS: Vec<u32> = ring(25_000));
            STEPS.with(|steps| {
                let last = (0..units).fold(black_box(0), |at, _| steps[at as usize]);
                u64::from(last)
            })
        }
        Kind::Allocation => {
            let sizes = (0..units).map(|n| black_box(vec![1_u8; 64 + (n as usize * 37) % 512]).len() as u64);
            sizes.sum()
        }
    }
}

/// Numbers of which each is where to go next, until all were visited (S. Sattolo, 1986).
fn ring(length: u32) -> Vec<u32> {
    let mut steps: Vec<u32> = (0..length).collect();
    for (place, number) in (1..steps.len()).rev().zip(numbers(steps.len())) {
        steps.swap(place, (number % place as u64) as usize);
    }
    steps
}

/// Numbers without a pattern, always the same (xorshift: G. Marsaglia, 2003).
#[must_use]
pub fn numbers(count: usize) -> Vec<u64> {
    let mut x = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    };
    (0..count).map(|_| next()).collect()
}

/// Fifty benchmarks of about a microsecond, each by the attribute of that path.
#[macro_export]
macro_rules! fifty {
    ($attribute:path) => {
        $crate::fifty_of! { $attribute; a b c d e f g h i j }
    };
}

/// Ten times five.
#[doc(hidden)]
#[macro_export]
macro_rules! fifty_of {
    ($attribute:path; $($module:ident)*) => {
        $(mod $module { $crate::five_of! { $attribute; one two three four five } })*
    };
}

/// Five.
#[doc(hidden)]
#[macro_export]
macro_rules! five_of {
    ($attribute:path; $($name:ident)*) => {
        $(
            #[$attribute]
            fn $name() -> u64 {
                $crate::work::do_units($crate::work::Kind::Arithmetic, 500)
            }
        )*
    };
}
