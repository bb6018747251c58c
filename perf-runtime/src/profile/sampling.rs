//! Which calls are timed, where not all are: every call is counted, and what the others took is estimated from the ones that are timed.
//!
//! A node counts down to the next call that it times, drawn at random so that no rhythm of the program's falls in with it. What the first calls
//! took, before it began to sample, counts as it is: they pay for what is made once, and would stand for thousands that do not. The one after them is
//! a sample, so that wherever calls are not timed there is something to estimate them from.
//!
//! A sample stands for as many calls as one was drawn from. That changes while the program runs, and calls of a time when many were timed must not
//! weigh more than those of another.
//!
//! A sample that is far longer than the ones before stands for itself only, while there are no more than three: hardly ever it is the function, and
//! nearly always the system, which took the processor away, and a thousand calls that were not timed did not meet that. How sure the estimate is is said
//! as if it stood for others, too. From the fourth on they are what the function does now and then, and leaving them out would be more than
//! that allows for: they stand for others like any sample.
//!
//! *Automatic* keeps what timing a function costs below a share of the function's own time, the budget: a function that takes long is always
//! timed, a short one the more rarely the shorter it is.

use std::sync::OnceLock;

use super::tree::Node;
use crate::clock;
use crate::site::{Sampling, Site};
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// In thousandths; 0 for none.
static BUDGET: AtomicU32 = AtomicU32::new(0);
/// Of functions that are sampled automatically, where nobody set another.
const DEFAULT_BUDGET: u32 = 30;
/// One call in so many at least is timed, or no estimate would ever come of a function called some thousand times.
const LONGEST_PERIOD: u32 = 1_024;
/// Timed calls between two looks at how long they are.
const SAMPLES: u64 = 64;
/// A sample is long that is so many times the mean, and so many times what timing it took.
const LONG: (f64, f64) = (64.0, 256.0);
/// So many long samples may be the system's. With n of them the error by leaving them out is √n / 1.96 of the interval that is shown.
const FEW: u64 = 3;

/// Times no more calls of short functions than keep what that costs below `share` of the time that they take: 0.03 for three hundredths. From then on
/// every function is sampled as by `sample = "auto"`; those that say another `sample` themselves keep theirs.
///
/// What counting a call costs, some nanoseconds, is beyond that; [`pause`](super::pause) saves that too.
///
/// # Panics
///
/// Never: a share that is no number, or less than 0.001, is that, and one above 1 is 1.
pub fn set_budget(share: f64) {
    let thousandths = (share.max(0.0) * 1_000.0).round().clamp(1.0, 1_000.0);
    BUDGET.store(thousandths as u32, Ordering::Relaxed);
}

/// Whether calls of `site` may go untimed, and with what budget.
fn budget(site: &Site) -> Option<u32> {
    let budget = BUDGET.load(Ordering::Relaxed);
    match site.sampling() {
        Sampling::OneIn(_) => None,
        Sampling::Automatic => Some(if budget == 0 { DEFAULT_BUDGET } else { budget }),
        Sampling::All => (budget > 0).then_some(budget),
    }
}

/// What a node knows about its timed calls, in so far as not all are.
#[derive(Debug)]
pub(super) struct Samples {
    /// One call in so many is timed.
    period: AtomicU32,
    random: AtomicU32,
    /// Calls that were not timed.
    untimed: AtomicU64,
    /// Calls that were timed and stand for others.
    timed: AtomicU64,
    /// The sum of the numbers of calls that they were drawn from, their weights; and of the squares of these.
    weight: AtomicU64,
    weight_squares: AtomicU64,
    /// What they took, and the squares of that as bits of an `f64`, each times its weight.
    ticks: AtomicU64,
    squares: AtomicU64,
    /// Those among them that are far longer.
    long: AtomicU64,
    long_weight: AtomicU64,
    long_ticks: AtomicU64,
    /// What those since the last look at how long they are took, by which the next look goes.
    recent: AtomicU64,
}

impl Samples {
    pub(super) const fn new() -> Self {
        Samples {
            period: AtomicU32::new(1),
            random: AtomicU32::new(0),
            untimed: AtomicU64::new(0),
            timed: AtomicU64::new(0),
            weight: AtomicU64::new(0),
            weight_squares: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            squares: AtomicU64::new(0),
            long: AtomicU64::new(0),
            long_weight: AtomicU64::new(0),
            long_ticks: AtomicU64::new(0),
            recent: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(super) fn count_untimed(&self) {
        self.untimed.store(self.untimed.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn untimed(&self) -> u64 {
        self.untimed.load(Ordering::Relaxed)
    }

    /// Adds a call that stands for others.
    fn add(&self, ticks: u64, is_long: bool) {
        let add = |counter: &AtomicU64, by: u64| {
            counter.store(counter.load(Ordering::Relaxed).saturating_add(by), Ordering::Relaxed);
        };
        let weight = u64::from(self.period.load(Ordering::Relaxed));
        let all = ticks.saturating_mul(weight);
        add(&self.timed, 1);
        add(&self.weight, weight);
        add(&self.weight_squares, weight * weight);
        add(&self.ticks, all);
        add(&self.recent, ticks);
        let squares =
            f64::from_bits(self.squares.load(Ordering::Relaxed)) + weight as f64 * (ticks as f64).powi(2);
        self.squares.store(squares.to_bits(), Ordering::Relaxed);
        if is_long {
            add(&self.long, 1);
            add(&self.long_weight, weight);
            add(&self.long_ticks, all);
        }
    }

    /// How many calls from now the next one is timed: 1 for the next, twice the period at most.
    fn draw(&self) -> u32 {
        let period = self.period.load(Ordering::Relaxed);
        // Xorshift (G. Marsaglia, 2003). Every node begins somewhere else.
        let mut random = self.random.load(Ordering::Relaxed);
        if random == 0 {
            random = (core::ptr::from_ref(self).addr() >> 4) as u32 | 1;
        }
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        self.random.store(random, Ordering::Relaxed);
        let among = u64::from(period) * 2 - 1;
        1 + ((u64::from(random) * among) >> 32) as u32
    }

    pub(super) fn read(&self) -> SamplesReading {
        SamplesReading { untimed: self.untimed.load(Ordering::Relaxed), sums: self.sums(), earlier: None }
    }

    fn sums(&self) -> Sums {
        Sums {
            timed: self.timed.load(Ordering::Relaxed),
            weight: self.weight.load(Ordering::Relaxed),
            weight_squares: self.weight_squares.load(Ordering::Relaxed),
            ticks: self.ticks.load(Ordering::Relaxed),
            squares: f64::from_bits(self.squares.load(Ordering::Relaxed)),
            long: self.long.load(Ordering::Relaxed),
            long_weight: self.long_weight.load(Ordering::Relaxed),
            long_ticks: self.long_ticks.load(Ordering::Relaxed),
        }
    }
}

impl Node {
    /// Begins to sample, where the site says how often: with the call after this one.
    pub(super) fn sample_as_told(&self) {
        if let Sampling::OneIn(period @ 2..) = self.site.sampling() {
            self.samples.period.store(period, Ordering::Relaxed);
            self.set_skip(1);
        }
    }

    /// Notes what a call took that stands for others.
    pub(super) fn sampled(&self, ticks: u64) {
        let is_long = ticks as f64 > LONG.1 * probe()
            && self.samples.sums().mean().is_some_and(|mean| ticks as f64 > LONG.0 * mean);
        self.samples.add(ticks, is_long);
        if self.samples.timed.load(Ordering::Relaxed).is_multiple_of(SAMPLES) {
            let recent = self.samples.recent.load(Ordering::Relaxed);
            self.samples.recent.store(0, Ordering::Relaxed);
            self.adapt(recent as f64 / SAMPLES as f64);
        } else {
            self.set_skip(self.samples.draw());
        }
    }

    /// Thinks again about which calls are timed; to be called now and then, with what calls took lately. An interruption among them makes that too many for
    /// a while, which costs nearly nothing; the mean of all calls would never forget it.
    pub(super) fn adapt(&self, mean: f64) {
        if let Some(budget) = budget(self.site) {
            let period = probe() * 1_000.0 / (f64::from(budget) * mean.max(1.0));
            let period = (period.ceil() as u32).clamp(1, LONGEST_PERIOD).next_power_of_two();
            self.samples.period.store(period, Ordering::Relaxed);
        }
        let is_sampled = self.samples.period.load(Ordering::Relaxed) > 1;
        self.set_skip(match self.samples.timed.load(Ordering::Relaxed) {
            _ if !is_sampled => 0,
            0 => 1,
            _ => self.samples.draw(),
        });
    }
}

/// What timing a call costs more than counting it, in ticks: about two readings of the clock.
fn probe() -> f64 {
    static PROBE: OnceLock<f64> = OnceLock::new();
    *PROBE.get_or_init(|| {
        let pair = || {
            let start = clock::now();
            let _ = (clock::now(), clock::now());
            clock::now().saturating_sub(start)
        };
        // Three readings apart, so two thirds of the least.
        (0..16).map(|_| pair()).min().unwrap_or(0).max(3) as f64 * 2.0 / 3.0
    })
}

/// What is in [`Samples`], as plain data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SamplesReading {
    pub(super) untimed: u64,
    sums: Sums,
    /// Of samples that were taken out.
    earlier: Option<Sums>,
}

impl SamplesReading {
    pub(super) fn subtract(&mut self, earlier: &SamplesReading) {
        self.untimed = self.untimed.saturating_sub(earlier.untimed);
        self.sums.subtract(&earlier.sums);
        self.earlier = Some(earlier.sums);
    }

    /// Ticks of the calls that were timed since `earlier`; `None` if none was.
    pub(super) fn mean_since(mut self, earlier: &SamplesReading) -> Option<f64> {
        self.subtract(earlier);
        self.sums.mean()
    }

    /// Calls that were timed among others that were not.
    pub(super) fn timed(&self) -> u64 {
        self.sums.timed
    }

    /// What the untimed calls took, in ticks each, and the variance of their sum.
    ///
    /// The sum of `u` values is estimated by `u` times the mean of `n` others from the same population with variance `s²`: the
    /// error has the variance `u² s²/n + u s²` (W. G. Cochran, "Sampling Techniques", 2.6, for a part that is small). Where weights differ, `n` is as many
    /// equal ones as say as much (L. Kish, "Survey Sampling", 11.2).
    pub(super) fn estimate(&self) -> (f64, f64) {
        if self.untimed == 0 {
            return (0.0, 0.0);
        }
        // Calls from before a reset are a guess; none is worse.
        let sums = if self.sums.timed > 0 { self.sums } else { self.earlier.unwrap_or_default() };
        let Some(mean) = sums.mean() else { return (0.0, 0.0) };
        let untimed = self.untimed as f64;
        let (variance, n) = sums.variance().unwrap_or((mean * mean, 1.0));
        (mean, untimed * untimed * variance / n + untimed * variance)
    }
}

/// What samples add up to.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    timed: u64,
    weight: u64,
    weight_squares: u64,
    ticks: u64,
    squares: f64,
    long: u64,
    long_weight: u64,
    long_ticks: u64,
}

impl Sums {
    fn subtract(&mut self, earlier: &Sums) {
        self.timed = self.timed.saturating_sub(earlier.timed);
        self.weight = self.weight.saturating_sub(earlier.weight);
        self.weight_squares = self.weight_squares.saturating_sub(earlier.weight_squares);
        self.ticks = self.ticks.saturating_sub(earlier.ticks);
        self.squares = (self.squares - earlier.squares).max(0.0);
        self.long = self.long.saturating_sub(earlier.long);
        self.long_weight = self.long_weight.saturating_sub(earlier.long_weight);
        self.long_ticks = self.long_ticks.saturating_sub(earlier.long_ticks);
    }

    /// Ticks of one call, as far as these tell; `None` where there are none.
    fn mean(&self) -> Option<f64> {
        let (mut weight, mut ticks) = (self.weight, self.ticks);
        if self.long <= FEW && self.long < self.timed {
            weight = weight.saturating_sub(self.long_weight);
            ticks = ticks.saturating_sub(self.long_ticks);
        }
        (weight > 0).then(|| ticks as f64 / weight as f64)
    }

    /// The variance of the calls, the long ones among them, and of how many of equal weight it is. `None` of one, which says nothing about how
    /// they differ.
    fn variance(&self) -> Option<(f64, f64)> {
        let weight = self.weight as f64;
        let (n, equal) = (self.timed as f64, weight * weight / self.weight_squares as f64);
        let mean = self.ticks as f64 / weight;
        let variance = ((self.squares / weight - mean * mean) * n / (n - 1.0)).max(0.0);
        (self.timed > 1 && self.weight_squares > 0).then_some((variance, equal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_in_so_many_on_average_and_never_in_step() {
        let samples = Samples::new();
        samples.period.store(16, Ordering::Relaxed);
        let draws: Vec<u32> = (0..10_000).map(|_| samples.draw()).collect();
        let mean = f64::from(draws.iter().sum::<u32>()) / 10_000.0;
        assert!((15.5..16.5).contains(&mean), "{mean}");
        assert_eq!((draws.iter().min(), draws.iter().max()), (Some(&1), Some(&31)));
    }

    #[test]
    fn the_true_sum_is_in_the_interval_nineteen_times_in_twenty() {
        let mut random = 1_u64;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % 1_000
        };
        let mut inside = 0;
        for _ in 0..1_000 {
            let (samples, mut truth) = (Samples::new(), 0.0);
            for call in 0..1_600 {
                if call % 16 == 0 {
                    samples.add(next(), false);
                } else {
                    samples.count_untimed();
                    truth += next() as f64;
                }
            }
            let (mean, variance) = samples.read().estimate();
            inside += usize::from((mean * 1_500.0 - truth).abs() <= 1.96 * variance.sqrt());
        }
        assert!((920..=980).contains(&inside), "{inside} of 1000");
    }

    #[test]
    fn three_long_calls_stand_for_themselves_and_make_the_estimate_unsure() {
        let samples = Samples::new();
        for _ in 0..100 {
            samples.add(50, false);
            (0..15).for_each(|_| samples.count_untimed());
        }
        let (mean, variance) = samples.read().estimate();
        assert!((mean - 50.0).abs() < 1e-9 && variance.abs() < 1e-9, "{mean} {variance}");
        for _ in 0..FEW {
            samples.add(10_000_000, true);
            let (mean, variance) = samples.read().estimate();
            assert!((mean - 50.0).abs() < 1e-9, "{mean}");
            assert!(variance.sqrt() > 10_000_000.0, "{variance}");
        }
        // The fourth is no accident.
        samples.add(10_000_000, true);
        let (mean, _) = samples.read().estimate();
        assert!((mean - 40_005_000.0 / 104.0).abs() < 1e-6, "{mean}");
    }

    #[test]
    fn a_sample_weighs_as_much_as_it_stands_for() {
        let samples = Samples::new();
        // A thousand calls of 10 ticks of which ten were timed, and a thousand of 100 of which half were.
        for (period, timed, ticks) in [(100, 10, 10), (2, 500, 100)] {
            samples.period.store(period, Ordering::Relaxed);
            (0..timed).for_each(|_| samples.add(ticks, false));
            (0..1_000 - timed).for_each(|_| samples.count_untimed());
        }
        let (mean, _) = samples.read().estimate();
        assert!((mean - 55.0).abs() < 1e-9, "{mean}");
    }

    #[test]
    fn where_no_sample_was_taken_since_a_reset_earlier_ones_serve() {
        let samples = Samples::new();
        (0..100).for_each(|ticks| samples.add(ticks, false));
        let earlier = samples.read();
        samples.count_untimed();
        let mut reading = samples.read();
        reading.subtract(&earlier);
        assert_eq!((reading.untimed, reading.timed()), (1, 0));
        let (mean, variance) = reading.estimate();
        assert!((mean - 49.5).abs() < 1e-9 && variance > 0.0, "{mean} {variance}");
    }

    #[test]
    fn a_budget_is_a_share_whatever_is_said() {
        for (share, thousandths) in
            [(0.03, 30), (0.0, 1), (-1.0, 1), (f64::NAN, 1), (7.0, 1_000), (f64::INFINITY, 1_000)]
        {
            set_budget(share);
            assert_eq!(BUDGET.swap(0, Ordering::Relaxed), thousandths, "{share}");
        }
    }
}
