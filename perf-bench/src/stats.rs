//! What samples say: median, interval, percentiles. Pure functions over slices of nanoseconds per call.

use perf_runtime::order;

/// One timed batch, in nanoseconds per call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) nanos: f64,
    /// Of these, how many its thread waited for a processor.
    pub(crate) waited: f64,
}

/// Samples in short, all in nanoseconds per call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    /// How many samples there were.
    pub(crate) samples: usize,
    /// Calls in each sample.
    pub(crate) calls: u64,
    /// The least: noise only ever adds, so this is nearest to what the code itself takes.
    pub(crate) best: f64,
    /// The least when what each sample waited for a processor is taken off it.
    pub(crate) undisturbed: f64,
    /// The share of the time that was waiting for a processor.
    pub(crate) waited: f64,
    /// The middle one.
    pub(crate) median: f64,
    /// The ends of the interval that holds the true median with a probability of 95 %; of fewer than [`ENOUGH`] samples, the least and the most.
    pub(crate) interval: (f64, f64),
    /// What 95 % of the samples did not exceed.
    pub(crate) p95: f64,
}

/// The true median is between the least and the most of so many samples with a probability of `1 - 2 / 2^6`, which is 97 %. Of fewer no
/// interval can be said to hold it with 95 %.
const ENOUGH: usize = 6;

impl Summary {
    /// `None` without samples.
    pub(crate) fn of(samples: &[Sample], calls: u64) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.iter().map(|sample| sample.nanos).collect();
        order::sort(&mut sorted, f64::total_cmp);
        let (best, worst) = (*sorted.first()?, *sorted.last()?);
        let all: f64 = sorted.iter().sum();
        let waited: f64 = samples.iter().map(|sample| sample.waited).sum();
        Some(Summary {
            samples: sorted.len(),
            calls,
            best,
            undisturbed: samples
                .iter()
                .map(|sample| (sample.nanos - sample.waited).max(0.0))
                .fold(f64::INFINITY, f64::min),
            waited: if all > 0.0 { (waited / all).min(1.0) } else { 0.0 },
            median: quantile(&sorted, 0.5),
            interval: if sorted.len() < ENOUGH { (best, worst) } else { bootstrap_median(&sorted) },
            p95: quantile(&sorted, 0.95),
        })
    }

    /// Whether `interval` is of 95 %, and not just from the least to the most.
    pub(crate) fn has_interval(&self) -> bool {
        self.samples >= ENOUGH
    }

    /// Whether the waiting is to be told of: what less does is lost among other noise.
    pub(crate) fn waited_much(&self) -> bool {
        self.waited >= 0.01
    }

    /// Half of the interval.
    pub(crate) fn spread(&self) -> f64 {
        (self.interval.1 - self.interval.0) / 2.0
    }
}

/// The value that a share of the sorted samples do not exceed, between two of them where it falls between (type 7 of R. Hyndman, Y. Fan,
/// "Sample Quantiles in Statistical Packages", 1996).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * share;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// Where every series of resamples begins.
const SEED: u64 = 0x9E37_79B9_7F4A_7C15;
/// Resamples; the interval's ends are then within a percent of where more would put them.
const RESAMPLES: usize = 1_000;

/// The 95 % interval of the median by the percentile bootstrap (B. Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979), with
/// a fixed seed: the same samples give the same interval.
fn bootstrap_median(sorted: &[f64]) -> (f64, f64) {
    let mut random = Random(SEED);
    let mut drawn = Vec::new();
    interval_of((0..RESAMPLES).map(|_| median_of_resample(sorted, &mut drawn, &mut random)))
}

/// The middle 95 %.
fn interval_of(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut sorted: Vec<f64> = values.collect();
    order::sort(&mut sorted, f64::total_cmp);
    (quantile(&sorted, 0.025), quantile(&sorted, 0.975))
}

/// The median of as many samples as there are, drawn from them.
fn median_of_resample(sorted: &[f64], drawn: &mut Vec<u32>, random: &mut Random) -> f64 {
    drawn.clear();
    drawn.resize(sorted.len(), 0);
    for _ in 0..sorted.len() {
        drawn[random.below(sorted.len())] += 1;
    }
    median_of_counted(sorted, drawn)
}

/// The median of the samples, each taken as often as counted.
fn median_of_counted(sorted: &[f64], counts: &[u32]) -> f64 {
    let total: usize = counts.iter().map(|count| *count as usize).sum();
    let at = |rank: usize| {
        let mut seen = 0;
        for (value, count) in sorted.iter().zip(counts) {
            seen += *count as usize;
            if seen > rank {
                return *value;
            }
        }
        0.0
    };
    f64::midpoint(at((total - 1) / 2), at(total / 2))
}

/// Xorshift (G. Marsaglia, 2003): good enough to draw samples, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * bound as u128) >> 64) as usize
    }
}

/// The median of `now` by that of `before`, and the 95 % interval of it, by resamples of both; `None` where there is nothing to divide by.
#[cfg(feature = "bench")]
pub(crate) fn ratio_of_medians(now: &[f64], before: &[f64]) -> Option<(f64, (f64, f64))> {
    let sorted = |samples: &[f64]| {
        let mut sorted = samples.to_vec();
        order::sort(&mut sorted, f64::total_cmp);
        sorted
    };
    let (now, before) = (sorted(now), sorted(before));
    // A call that takes nothing has no median to divide by.
    if now.is_empty() || before.first().is_none_or(|least| *least <= 0.0) {
        return None;
    }
    let (mut random, mut drawn) = (Random(SEED), Vec::new());
    let interval = interval_of((0..RESAMPLES).map(|_| {
        let now = median_of_resample(&now, &mut drawn, &mut random);
        now / median_of_resample(&before, &mut drawn, &mut random)
    }));
    Some((quantile(&now, 0.5) / quantile(&before, 0.5), interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(nanos: impl IntoIterator<Item = f64>) -> Vec<Sample> {
        nanos.into_iter().map(|nanos| Sample { nanos, waited: 0.0 }).collect()
    }

    #[test]
    fn of_the_first_hundred() {
        let samples = quiet((1..=100).rev().map(f64::from));
        let summary = Summary::of(&samples, 7).unwrap();
        assert_eq!((summary.samples, summary.calls, summary.best, summary.median), (100, 7, 1.0, 50.5));
        assert!((summary.p95 - 95.05).abs() < 1e-9, "{summary:?}");
        // The exact interval of order statistics 40 and 61.
        let (low, high) = summary.interval;
        assert!((38.0..=43.0).contains(&low) && (58.0..=63.0).contains(&high), "{summary:?}");
        assert_eq!(summary, Summary::of(&samples, 7).unwrap());
    }

    #[test]
    fn of_one_and_of_none() {
        let summary = Summary::of(&quiet([3.0]), 1).unwrap();
        assert_eq!((summary.median, summary.interval, summary.p95), (3.0, (3.0, 3.0), 3.0));
        assert_eq!(Summary::of(&[], 1), None);
        assert!(Summary::of(&quiet([0.0; 5]), 1).unwrap().waited.abs() < 1e-9);
    }

    #[test]
    fn of_too_few_for_an_interval() {
        let five = Summary::of(&quiet([5.0, 1.0, 2.0, 9.0, 3.0]), 1).unwrap();
        assert_eq!((five.has_interval(), five.interval), (false, (1.0, 9.0)));
        assert!(Summary::of(&quiet([1.0; 6]), 1).unwrap().has_interval());
    }

    #[test]
    fn of_samples_that_waited() {
        let samples = [(10.0, 2.0), (14.0, 7.0), (16.0, 1.0)].map(|(nanos, waited)| Sample { nanos, waited });
        let summary = Summary::of(&samples, 1).unwrap();
        assert_eq!((summary.best, summary.undisturbed, summary.waited), (10.0, 7.0, 0.25));
    }

    /// The interval holds the true median about as often as it says.
    #[test]
    fn the_interval_holds_the_truth() {
        let mut random = Random(7);
        let holds = (0..400)
            .filter(|_| {
                // Skewed, as times are: the median of x^4 on 0..1 is 1/16.
                let samples =
                    quiet((0..40).map(|_| (random.below(1 << 30) as f64 / f64::from(1 << 30)).powi(4)));
                let (low, high) = Summary::of(&samples, 1).unwrap().interval;
                (low..=high).contains(&0.0625)
            })
            .count();
        assert!((360..=396).contains(&holds), "{holds} of 400");
    }
}
