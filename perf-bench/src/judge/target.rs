//! Whether a target was kept.
//!
//! Noise only ever adds time. So a target is missed only if every sample is beyond it, the best one too, after rounds some time apart
//! (see [`measure`](crate::measure::sampling)), and still is when what it waited for a processor is taken off; it is met if the whole interval of the median
//! is within; and between the two nothing can be said.

use perf_runtime::show::units::{nanos, per_second};

use crate::measure::work::Work;
use crate::stats::Summary;

/// What is promised of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// It takes so many nanoseconds at most.
    Nanos(f64),
    /// All threads together do so many in a second at least: items, or calls where items are not counted.
    PerSecond(f64),
}

impl Target {
    /// For a table.
    #[inline]
    pub(crate) fn text(self) -> String {
        match self {
            Target::Nanos(target) => nanos(target),
            Target::PerSecond(rate) => per_second(rate),
        }
    }

    /// The nanoseconds that a call may take on each of so many threads; `None` of a call that works off no item, of which no number is so many in a second.
    #[inline]
    pub(crate) fn limit(self, work: Work, threads: usize) -> Option<f64> {
        match self {
            Target::Nanos(nanos) => Some(nanos),
            Target::PerSecond(_) if work.units() == 0.0 => None,
            Target::PerSecond(rate) => Some(work.units() * threads as f64 * 1e9 / rate),
        }
    }
}

/// What became of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The whole interval is within it.
    Met,
    /// Some samples are within it, but not the whole interval; or would be, had they not had to wait.
    Inconclusive,
    /// Every sample is beyond it, waiting apart.
    Missed,
    /// There is one, but the code was not compiled with optimisation, or it is of items and there are none.
    NotJudged,
    /// There is none.
    NoTarget,
}

/// Judges a summary by a target in nanoseconds per call.
#[inline]
pub(crate) fn judge(summary: &Summary, target: Option<f64>, judged: bool) -> Verdict {
    match target {
        None => Verdict::NoTarget,
        Some(_) if !judged => Verdict::NotJudged,
        Some(target) if summary.undisturbed > target => Verdict::Missed,
        Some(target) if summary.interval.1 <= target => Verdict::Met,
        Some(_) => Verdict::Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Sample;

    fn verdict(samples: &[f64]) -> Verdict {
        verdict_of(&samples.iter().map(|nanos| (*nanos, 0.0)).collect::<Vec<_>>())
    }

    /// Of samples and what they waited.
    fn verdict_of(samples: &[(f64, f64)]) -> Verdict {
        let samples: Vec<Sample> =
            samples.iter().map(|(nanos, waited)| Sample { nanos: *nanos, waited: *waited }).collect();
        judge(&Summary::of(&samples, 1, 0.0).unwrap(), Some(100.0), true)
    }

    #[test]
    fn only_what_is_beyond_doubt_is_missed() {
        assert_eq!(verdict(&[90.0; 20]), Verdict::Met);
        assert_eq!(verdict(&[100.0; 20]), Verdict::Met);
        assert_eq!(verdict(&[101.0; 20]), Verdict::Missed);
        // One call in twenty shows what the code can do.
        let mut disturbed = [170.0; 20];
        disturbed[7] = 99.0;
        assert_eq!(verdict(&disturbed), Verdict::Inconclusive);
        let mut half = [90.0; 20];
        half[..10].fill(130.0);
        assert_eq!(verdict(&half), Verdict::Inconclusive);
        // A few outliers change nothing.
        let mut outliers: [f64; 20] = core::array::from_fn(|n| 90.0 + (n * 7 % 13) as f64 / 10.0);
        outliers[..3].fill(9_000.0);
        assert_eq!(verdict(&outliers), Verdict::Met);
    }

    #[test]
    fn waiting_is_not_the_codes_fault() {
        assert_eq!(verdict_of(&[(180.0, 90.0); 20]), Verdict::Inconclusive);
        assert_eq!(verdict_of(&[(180.0, 70.0); 20]), Verdict::Missed);
        let mut one_waited = [(180.0, 0.0); 20];
        one_waited[3].1 = 90.0;
        assert_eq!(verdict_of(&one_waited), Verdict::Inconclusive);
    }

    #[test]
    fn of_few_samples_each_counts() {
        assert_eq!(verdict(&[90.0, 99.0]), Verdict::Met);
        assert_eq!(verdict(&[90.0, 101.0]), Verdict::Inconclusive);
        assert_eq!(verdict(&[101.0]), Verdict::Missed);
    }

    #[test]
    fn a_throughput_is_a_time() {
        let thousand = Work { items: Some(1_000), ..Work::default() };
        let million = Target::PerSecond(1e6);
        let limits = [
            million.limit(Work::default(), 1),
            million.limit(thousand, 2),
            Target::Nanos(5.0).limit(thousand, 2),
        ];
        assert_eq!(limits, [Some(1e3), Some(2e6), Some(5.0)]);
        let nothing = Work { items: Some(0), ..Work::default() };
        assert_eq!([million, Target::Nanos(5.0)].map(|target| target.limit(nothing, 1)), [None, Some(5.0)]);
    }

    #[test]
    fn what_is_not_judged_is_not_missed() {
        let slow = Summary::of(&[Sample { nanos: 1e9, waited: 0.0 }; 3], 1, 0.0).unwrap();
        assert_eq!(judge(&slow, Some(1.0), false), Verdict::NotJudged);
        assert_eq!(judge(&slow, None, true), Verdict::NoTarget);
    }
}
