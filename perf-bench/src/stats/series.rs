//! Whether samples depend on those before them. An interval that takes them for independent is too narrow when they do, and one that is computed from
//! a drift is about no particular moment.

use perf_runtime::order;

use super::summary::median;

/// From here on a trend is not told of by chance: the standard normal deviate of one in a thousand, on both sides.
const SURE: f64 = 3.29;
/// Samples that are compared each with each; of more, so many at even distances.
const MOST: usize = 200;

/// How much the last third of the samples lies above the first, as a share of the median, where the order of the samples is hardly one of chance
/// (Mann-Kendall: M. Kendall, "Rank Correlation Methods", 1948); 0 otherwise.
#[inline]
pub(super) fn drift(samples: &[f64]) -> f64 {
    let third = samples.len() / 3;
    if third < 3 || trend(&thinned(samples)).abs() < SURE {
        return 0.0;
    }
    let median_of = |samples: &[f64]| {
        let mut sorted = samples.to_vec();
        order::sort(&mut sorted, f64::total_cmp);
        median(&sorted)
    };
    let whole = median_of(samples);
    if whole <= 0.0 {
        return 0.0;
    }
    (median_of(&samples[samples.len() - third..]) - median_of(&samples[..third])) / whole
}

#[inline]
fn thinned(samples: &[f64]) -> Vec<f64> {
    let step = samples.len().div_ceil(MOST).max(1);
    samples.iter().step_by(step).copied().collect()
}

/// The standardised statistic of Mann and Kendall: pairs in ascending order less those in descending order.
#[inline]
fn trend(samples: &[f64]) -> f64 {
    let mut balance = 0_i64;
    for (place, earlier) in samples.iter().enumerate() {
        for later in &samples[place + 1..] {
            balance += i64::from(later > earlier) - i64::from(later < earlier);
        }
    }
    let count = samples.len() as f64;
    let variance = count * (count - 1.0) * (2.0 * count + 5.0) / 18.0;
    // One less: the balance moves in steps of two.
    let balance = balance as f64;
    (balance - balance.signum()) / variance.sqrt()
}

/// The correlation of each sample with the next one, by ranks, which no outlier bends; 0 where chance gives as much more often than not.
#[inline]
pub(super) fn autocorrelation(samples: &[f64]) -> f64 {
    if samples.len() < 8 {
        return 0.0;
    }
    let ranks = ranks(samples);
    let mean = (ranks.len() - 1) as f64 / 2.0;
    let variance: f64 = ranks.iter().map(|rank| (rank - mean).powi(2)).sum();
    if variance <= 0.0 {
        return 0.0;
    }
    let together: f64 = ranks.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    let correlation = together / variance;
    // Bartlett's deviation for what is independent. A correlation that is taken for chance makes an interval too narrow, which is worse than one that is a little too wide.
    if correlation > 1.0 / (samples.len() as f64).sqrt() { correlation } else { 0.0 }
}

/// From 0; those that are equal share the mean of theirs.
#[inline]
fn ranks(samples: &[f64]) -> Vec<f64> {
    let mut places: Vec<usize> = (0..samples.len()).collect();
    order::sort(&mut places, |a, b| samples[*a].total_cmp(&samples[*b]));
    let mut ranks = vec![0.0; samples.len()];
    let mut from = 0;
    while from < places.len() {
        let value = samples[places[from]];
        let equal = places[from..].iter().take_while(|place| samples[**place] <= value).count();
        let rank = from as f64 + (equal - 1) as f64 / 2.0;
        for place in &places[from..from + equal] {
            ranks[*place] = rank;
        }
        from += equal;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::super::random::Random;
    use super::*;

    fn noise(seed: u64, count: usize) -> Vec<f64> {
        let mut random = Random::new(seed);
        (0..count).map(|_| 100.0 + random.normal().exp()).collect()
    }

    #[test]
    fn independent_samples_have_neither() {
        let wrong = (1..=1_000).filter(|seed| drift(&noise(*seed, 60)) != 0.0).count();
        assert!(wrong <= 5, "{wrong} of 1000 drift");
        let wrong = (1..=1_000).filter(|seed| autocorrelation(&noise(*seed, 60)) > 0.3).count();
        assert!(wrong <= 20, "{wrong} of 1000 are correlated");
        assert_eq!((drift(&[5.0; 40]), autocorrelation(&[5.0; 40])), (0.0, 0.0));
        assert_eq!((drift(&[1.0, 2.0]), autocorrelation(&[1.0, 2.0])), (0.0, 0.0));
    }

    #[test]
    fn a_drift_is_found_and_its_size() {
        for count in [30, 100, 1_000] {
            let samples: Vec<f64> =
                noise(5, count).iter().enumerate().map(|(n, x)| x + 30.0 * n as f64 / count as f64).collect();
            let found = drift(&samples);
            assert!((0.14..0.22).contains(&found), "{found} of {count}");
        }
    }

    #[test]
    fn what_goes_on_for_a_while_is_correlated() {
        let mut random = Random::new(11);
        let mut state = 0.0;
        let samples: Vec<f64> = (0..200)
            .map(|_| {
                state = 0.7 * state + random.normal();
                100.0 + state
            })
            .collect();
        let found = autocorrelation(&samples);
        assert!((0.5..0.85).contains(&found), "{found}");
    }
}
