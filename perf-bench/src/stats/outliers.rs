//! What lies far from the other samples, and how far they lie apart. Outliers are told of and never left out: the median hardly feels them.

use super::summary::{median, quantile};
use perf_runtime::order;

/// Samples beyond the fences of J. Tukey ("Exploratory Data Analysis", 1977): mild ones are more than 1.5 times the distance of the quartiles away
/// from them, severe ones more than 3 times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outliers {
    pub(crate) low: usize,
    pub(crate) mild: usize,
    pub(crate) severe: usize,
}

impl Outliers {
    #[inline]
    pub(super) fn of(sorted: &[f64]) -> Self {
        let (lower, upper) = (quantile(sorted, 0.25), quantile(sorted, 0.75));
        let distance = upper - lower;
        let above = |times: f64| sorted.iter().filter(|nanos| **nanos > upper + times * distance).count();
        let severe = above(3.0);
        let low = sorted.iter().filter(|nanos| **nanos < lower - 1.5 * distance).count();
        Outliers { low, mild: above(1.5) - severe, severe }
    }

    #[inline]
    pub(crate) fn count(self) -> usize {
        self.low + self.mild + self.severe
    }
}

/// Median absolute deviation from the median (F. Hampel, "The Influence Curve and Its Role in Robust Estimation", 1974), times 1.4826, which makes it the standard
/// deviation of what is normally distributed.
#[inline]
pub(super) fn deviation(sorted: &[f64]) -> f64 {
    let middle = median(sorted);
    let mut distances: Vec<f64> = sorted.iter().map(|nanos| (nanos - middle).abs()).collect();
    order::sort(&mut distances, f64::total_cmp);
    1.4826 * median(&distances)
}

#[cfg(test)]
mod tests {
    use super::super::random::Random;
    use super::*;

    #[test]
    fn fences() {
        // Quartiles 3.25 and 7.75: mild above 14.5, severe above 21.25, low below -3.5.
        let sorted = [-4.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 15.0, 30.0];
        assert_eq!(Outliers::of(&sorted), Outliers { low: 1, mild: 1, severe: 1 });
        assert_eq!(Outliers::of(&[1.0; 9]), Outliers::default());
    }

    #[test]
    fn the_deviation_of_what_is_normal_and_of_what_has_outliers() {
        let mut random = Random::new(3);
        let mut samples: Vec<f64> = (0..2_000).map(|_| 100.0 + 5.0 * random.normal()).collect();
        samples[..40].fill(1e6);
        order::sort(&mut samples, f64::total_cmp);
        assert!((deviation(&samples) - 5.0).abs() < 0.3, "{}", deviation(&samples));
        assert!(deviation(&[7.0]).abs() < 1e-12);
    }
}
