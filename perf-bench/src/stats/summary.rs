//! Samples in short.

use perf_runtime::order;

use super::interval::interval_of_median;
use super::outliers::{Outliers, deviation};
use super::series;
use crate::measure::footprint::Memory;

/// One timed batch, in nanoseconds per call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Below zero where the call takes less than the loop's own time is known.
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
    /// The least when what samples waited for a processor is taken off them: see [`least`].
    pub(crate) undisturbed: f64,
    /// The share of the time that was waiting for a processor.
    pub(crate) waited: f64,
    /// The middle one.
    pub(crate) median: f64,
    /// The ends of the interval that holds the true median with a probability of 95 %; of fewer than [`ENOUGH`] samples, the least and the most.
    pub(crate) interval: (f64, f64),
    /// What 95 % and 99 % of the samples did not exceed.
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    /// How far the samples lie apart: see [`deviation`].
    pub(crate) deviation: f64,
    pub(crate) outliers: Outliers,
    /// What makes the figures less sure than they look.
    pub(crate) noise: Noise,
    /// What calls allocate and keep, counted apart.
    pub(crate) memory: Memory,
}

/// What makes figures less sure than they look.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Noise {
    /// How much the last samples lie above the first ones, as a share of the median; 0 where that may be chance.
    pub(crate) drift: f64,
    /// The correlation of a sample with the next one; 0 where that may be chance.
    pub(crate) autocorrelation: f64,
}

/// The least of samples, less what it waited. Those that waited for more than half of their time do not count unless there are no others, and then
/// as they are: of one that was interrupted just before its clock started, the waiting may seem to be all.
#[inline]
fn least(samples: &[Sample]) -> Option<f64> {
    let (mut undisturbed, mut least) = (f64::INFINITY, f64::INFINITY);
    for sample in samples {
        least = least.min(sample.nanos);
        if sample.waited <= sample.nanos / 2.0 {
            undisturbed = undisturbed.min(sample.nanos - sample.waited);
        }
    }
    [undisturbed, least].into_iter().find(|nanos| nanos.is_finite())
}

/// The true median is between the least and the most of so many samples with a probability of `1 - 2 / 2^6`, which is 97 %. Of fewer no
/// interval can be said to hold it with 95 %.
const ENOUGH: usize = 6;

impl Summary {
    /// `None` without samples, which are in the order in which they were taken. What the loop itself takes is known up to `error`.
    #[inline]
    pub(crate) fn of(samples: &[Sample], calls: u64, error: f64) -> Option<Self> {
        let in_time: Vec<f64> = samples.iter().map(|sample| sample.nanos).collect();
        let mut sorted = in_time.clone();
        order::sort(&mut sorted, f64::total_cmp);
        let (best, worst) = (*sorted.first()?, *sorted.last()?);
        let all: f64 = sorted.iter().sum();
        let waited: f64 = samples.iter().map(|sample| sample.waited).sum();
        let noise =
            Noise { drift: series::drift(&in_time), autocorrelation: series::autocorrelation(&in_time) };
        let (low, high) = if sorted.len() < ENOUGH {
            (best, worst)
        } else {
            interval_of_median(&sorted, noise.autocorrelation)
        };
        // No call takes less than nothing.
        let real = |nanos: f64| nanos.max(0.0);
        Some(Summary {
            samples: sorted.len(),
            calls,
            best: real(best),
            undisturbed: real(least(samples)?),
            waited: if all > 0.0 { (waited / all).min(1.0) } else { 0.0 },
            median: real(median(&sorted)),
            interval: (real(low - error), real(high + error)),
            p95: real(quantile(&sorted, 0.95)),
            p99: real(quantile(&sorted, 0.99)),
            deviation: deviation(&sorted),
            outliers: Outliers::of(&sorted),
            noise,
            memory: Memory::default(),
        })
    }

    /// Whether `interval` is of 95 %, and not just from the least to the most.
    #[inline]
    pub(crate) fn has_interval(&self) -> bool {
        self.samples >= ENOUGH
    }

    /// Whether the waiting is to be told of: what less does is lost among other noise.
    #[inline]
    pub(crate) fn waited_much(&self) -> bool {
        self.waited >= 0.01
    }

    /// Half of the interval.
    #[inline]
    pub(crate) fn spread(&self) -> f64 {
        (self.interval.1 - self.interval.0) / 2.0
    }

    /// Why the median is not to be relied on, if it is not: its interval is wide, or it changed while it was measured.
    #[inline]
    pub(crate) fn doubt(&self) -> Option<String> {
        /// A tenth is what people look for.
        const MUCH: f64 = 0.1;
        /// Below that, in nanoseconds, a share of it means nothing.
        const LITTLE: f64 = 1.0;
        if !self.has_interval() || self.median < LITTLE {
            return None;
        }
        let spread = self.spread() / self.median;
        let Noise { drift, autocorrelation } = self.noise;
        let mut reasons = Vec::new();
        if spread >= MUCH {
            reasons.push(format!("the interval is \u{b1}{:.0} % of the median", 100.0 * spread));
        }
        if drift.abs() >= MUCH {
            let way = if drift > 0.0 { "slower" } else { "faster" };
            reasons.push(format!("it became {:.0} % {way} while it was measured", 100.0 * drift.abs()));
        }
        if !reasons.is_empty() && autocorrelation >= 0.5 {
            reasons.push(format!("samples are like those before them ({autocorrelation:.1})"));
        }
        (!reasons.is_empty()).then(|| reasons.join(", "))
    }
}

#[inline]
pub(super) fn median(sorted: &[f64]) -> f64 {
    quantile(sorted, 0.5)
}

/// The value that a share of the sorted samples do not exceed, between two of them where it falls between (type 7 of R. Hyndman, Y. Fan,
/// "Sample Quantiles in Statistical Packages", 1996).
#[inline]
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * share;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(nanos: impl IntoIterator<Item = f64>) -> Vec<Sample> {
        nanos.into_iter().map(|nanos| Sample { nanos, waited: 0.0 }).collect()
    }

    #[test]
    fn of_the_first_hundred() {
        // In no order: 37 and 101 have no divisor in common.
        let samples = quiet((1..=100).map(|n| f64::from(n * 37 % 101)));
        let summary = Summary::of(&samples, 7, 0.0).unwrap();
        assert_eq!((summary.samples, summary.calls, summary.best, summary.median), (100, 7, 1.0, 50.5));
        assert!((summary.p95 - 95.05).abs() < 1e-9, "{summary:?}");
        // The exact interval of order statistics 40 and 61.
        let (low, high) = summary.interval;
        assert!((38.0..=43.0).contains(&low) && (58.0..=63.0).contains(&high), "{summary:?}");
        assert_eq!(summary, Summary::of(&samples, 7, 0.0).unwrap());
    }

    #[test]
    fn of_one_and_of_none() {
        let summary = Summary::of(&quiet([3.0]), 1, 0.0).unwrap();
        assert_eq!((summary.median, summary.interval, summary.p95), (3.0, (3.0, 3.0), 3.0));
        assert_eq!(Summary::of(&[], 1, 0.0), None);
        assert!(Summary::of(&quiet([0.0; 5]), 1, 0.0).unwrap().waited.abs() < 1e-9);
    }

    #[test]
    fn of_too_few_for_an_interval() {
        let five = Summary::of(&quiet([5.0, 1.0, 2.0, 9.0, 3.0]), 1, 0.0).unwrap();
        assert_eq!((five.has_interval(), five.interval), (false, (1.0, 9.0)));
        assert!(Summary::of(&quiet([1.0; 6]), 1, 0.0).unwrap().has_interval());
    }

    #[test]
    fn the_least_is_of_what_is_known() {
        let of = |samples: &[(f64, f64)]| {
            let samples = samples.iter().map(|(nanos, waited)| Sample { nanos: *nanos, waited: *waited });
            least(&samples.collect::<Vec<_>>())
        };
        assert_eq!(of(&[(10.0, 0.0), (12.0, 4.0), (11.0, 11.0)]), Some(8.0));
        assert_eq!(of(&[(20.0, 19.0), (30.0, 30.0)]), Some(20.0));
        assert_eq!((of(&[(0.0, 0.0)]), of(&[])), (Some(0.0), None));
    }

    #[test]
    fn of_samples_that_waited() {
        let samples = [(10.0, 2.0), (14.0, 7.0), (16.0, 1.0)].map(|(nanos, waited)| Sample { nanos, waited });
        let summary = Summary::of(&samples, 1, 0.0).unwrap();
        assert_eq!((summary.best, summary.undisturbed, summary.waited), (10.0, 7.0, 0.25));
    }

    #[test]
    fn of_what_takes_nothing() {
        let nothing = Summary::of(&quiet((0..20).map(|n| f64::from(n) / 100.0 - 0.1)), 1, 0.05).unwrap();
        assert_eq!((nothing.best, nothing.interval.0, nothing.doubt()), (0.0, 0.0, None));
        assert!(nothing.interval.1 > 0.05 && nothing.interval.1 < 0.2, "{nothing:?}");
    }

    #[test]
    fn what_is_not_to_be_relied_on() {
        let doubt =
            |nanos: &dyn Fn(u32) -> f64| Summary::of(&quiet((0..60).map(nanos)), 1, 0.0).unwrap().doubt();
        assert_eq!(doubt(&|n| 100.0 + f64::from(n * 7 % 11)), None);
        let drifting = doubt(&|n| 100.0 + f64::from(n)).unwrap();
        assert!(drifting.contains("% slower while it was measured"), "{drifting}");
        let wide = doubt(&|n| if n * 7 % 13 < 6 { 100.0 } else { 200.0 }).unwrap();
        assert!(wide.starts_with("the interval is"), "{wide}");
    }
}
