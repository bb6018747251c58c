//! What samples say: median, interval, percentiles. Pure functions over slices of nanoseconds per call.

/// Samples in short, all in nanoseconds per call.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// How many samples there were.
    pub samples: usize,
    /// Calls in each sample.
    pub calls: u64,
    /// The least: noise only ever adds, so this is nearest to what the code itself takes.
    pub best: f64,
    /// The middle one.
    pub median: f64,
    /// The ends of the interval that holds the true median with a probability of 95 %.
    pub interval: (f64, f64),
    /// What 95 % of the samples did not exceed.
    pub p95: f64,
}

impl Summary {
    /// `None` without samples.
    #[must_use]
    pub fn of(samples: &[f64], calls: u64) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Summary {
            samples: sorted.len(),
            calls,
            best: *sorted.first()?,
            median: quantile(&sorted, 0.5),
            interval: bootstrap_median(&sorted),
            p95: quantile(&sorted, 0.95),
        })
    }

    /// Calls per second at the median.
    #[must_use]
    pub fn per_second(&self) -> Option<f64> {
        (self.median > 0.0).then(|| 1e9 / self.median)
    }
}

/// The value that a share of the sorted samples do not exceed, between two of them where it falls between (type 7 of R. Hyndman, Y. Fan,
/// "Sample Quantiles in Statistical Packages", 1996).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * share;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// Resamples; the interval's ends are then within a percent of where more would put them.
const RESAMPLES: usize = 1_000;

/// The 95 % interval of the median by the percentile bootstrap (B. Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979), with
/// a fixed seed: the same samples give the same interval.
fn bootstrap_median(sorted: &[f64]) -> (f64, f64) {
    let count = sorted.len();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut drawn = vec![0_u32; count];
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            drawn.fill(0);
            for _ in 0..count {
                drawn[random.below(count)] += 1;
            }
            median_of_counted(sorted, &drawn)
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    (quantile(&medians, 0.025), quantile(&medians, 0.975))
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
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_first_hundred() {
        let samples: Vec<f64> = (1..=100).rev().map(f64::from).collect();
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
        let summary = Summary::of(&[3.0], 1).unwrap();
        assert_eq!((summary.median, summary.interval, summary.p95), (3.0, (3.0, 3.0), 3.0));
        assert!((summary.per_second().unwrap() - 1e9 / 3.0).abs() < 1.0);
        assert_eq!(Summary::of(&[], 1), None);
        assert_eq!(Summary::of(&[0.0; 5], 1).unwrap().per_second(), None);
    }

    /// The interval holds the true median about as often as it says.
    #[test]
    fn the_interval_holds_the_truth() {
        let mut random = Random(7);
        let holds = (0..400)
            .filter(|_| {
                // Skewed, as times are: the median of x^4 on 0..1 is 1/16.
                let samples: Vec<f64> =
                    (0..40).map(|_| (random.below(1 << 30) as f64 / f64::from(1 << 30)).powi(4)).collect();
                let (low, high) = Summary::of(&samples, 1).unwrap().interval;
                (low..=high).contains(&0.0625)
            })
            .count();
        assert!((360..=396).contains(&holds), "{holds} of 400");
    }
}
