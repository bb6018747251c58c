//! Whether a benchmark is slower than it was in a run before.
//!
//! Two runs at two times differ though the code is the same: by what else the machine does, by where memory happens to lie. The interval within one run knows
//! nothing of that; only other runs do. So a change is told with its interval, and called a regression only if the interval excludes "no change", it is
//! larger than a threshold, and both the median and the best sample are outside of what the last runs were by as much as those differ from each other, and by a
//! tenth at least: where neighbours come and go for minutes, a few runs have not seen all that there is. It is said, and must never fail a run: what gates
//! is counted (allocations, instructions) or measured in turn with what it is compared to.

use crate::results::Past;
use crate::stats::ratio_of_medians;

/// When a change is told of, as shares: 0.2 is 20 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Thresholds {
    pub(crate) regression: f64,
    pub(crate) high_regression: f64,
    pub(crate) improvement: f64,
    /// How far outside of what the last runs were, at least.
    pub(crate) outside: f64,
    /// Of instructions, which are counted and repeat: so many more than in a baseline are a failure.
    pub(crate) instructions: f64,
}

impl Thresholds {
    pub(crate) const DEFAULT: Self = Thresholds {
        regression: 0.2,
        high_regression: 0.5,
        improvement: 0.1,
        outside: 0.1,
        instructions: 0.01,
    };
}

/// What a run is compared with.
#[derive(Clone, Debug)]
pub(crate) struct Before<'a> {
    /// The samples of one run.
    pub(crate) samples: &'a [f64],
    /// The last runs on the same machine, that one among them.
    pub(crate) runs: Vec<Past>,
}

/// How much has changed, and what is to be said of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Change {
    /// The median now by the median before.
    pub(crate) ratio: f64,
    /// The 95 % interval of that.
    pub(crate) interval: (f64, f64),
    /// From the least to the most median of the last runs.
    pub(crate) spread: (f64, f64),
    pub(crate) trend: Trend,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trend {
    /// Nothing beyond what runs differ by.
    None,
    /// Not enough runs to know what they differ by.
    TooFewRuns,
    Improvement,
    Regression,
    HighRegression,
}

/// Runs until it is known what runs of the same code differ by. The next of a series is beyond all before it once in `runs + 1` times on either side; that it is beyond
/// them by a tenth and more, in median and best, is then rare enough.
pub(crate) const ENOUGH_RUNS: usize = 5;

/// Compares the samples of a run, of which `now` are the median and the best, with those before; `None` where nothing can be compared.
pub(crate) fn compare(
    samples: &[f64],
    now: Past,
    before: &Before<'_>,
    thresholds: &Thresholds,
) -> Option<Change> {
    let (ratio, interval) = ratio_of_medians(samples, before.samples)?;
    let span = |of: fn(&Past) -> f64| {
        before
            .runs
            .iter()
            .map(of)
            .fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)))
    };
    let (spread, bests) = (span(|run| run.median), span(|run| run.best));
    // How far from there on it is still what runs may differ by.
    let margin = |(least, most): (f64, f64), end: f64| (most - least).max(end * thresholds.outside);
    let is_above = |now, span: (f64, f64)| now > span.1 + margin(span, span.1);
    let is_below = |now, span: (f64, f64)| now < span.0 - margin(span, span.0);
    let slower = interval.0 > 1.0 && is_above(now.median, spread) && is_above(now.best, bests);
    let faster = interval.1 < 1.0 && is_below(now.median, spread) && is_below(now.best, bests);
    let trend = if before.runs.len() < ENOUGH_RUNS {
        Trend::TooFewRuns
    } else if slower && ratio > 1.0 + thresholds.high_regression {
        Trend::HighRegression
    } else if slower && ratio > 1.0 + thresholds.regression {
        Trend::Regression
    } else if faster && ratio < 1.0 - thresholds.improvement {
        Trend::Improvement
    } else {
        Trend::None
    };
    Some(Change { ratio, interval, spread, trend })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Random;

    /// Runs of one benchmark on a machine that pretends: each run is off by a factor of its own, and so is each sample, upwards only.
    struct Machine {
        random: Random,
        /// How much slower a run may be than the quickest.
        between: f64,
        /// How much slower a sample may be than its run.
        within: f64,
        /// One run in so many is disturbed: most of its samples take half as long again.
        disturbed: usize,
    }

    impl Machine {
        fn new(seed: u64, between: f64, within: f64, disturbed: usize) -> Self {
            Machine { random: Random::new(seed), between, within, disturbed }
        }

        fn share(&mut self) -> f64 {
            self.random.below(1 << 30) as f64 / f64::from(1 << 30)
        }

        fn run(&mut self, nanos: f64) -> Vec<f64> {
            let run = nanos * (1.0 + self.between * self.share());
            let disturbed = if self.random.below(self.disturbed) == 0 { 0.8 } else { 0.0 };
            let sample = |_| {
                let slower = if self.share() < disturbed { 1.5 } else { 1.0 };
                run * slower * (1.0 + self.within * self.share().powi(3))
            };
            (0..20).map(sample).collect()
        }
    }

    fn past(samples: &[f64]) -> Past {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        Past { median: sorted[sorted.len() / 2], best: sorted[0] }
    }

    fn trend(now: &[f64], runs: &[Vec<f64>]) -> Trend {
        let before =
            Before { samples: &runs[runs.len() / 2], runs: runs.iter().map(|run| past(run)).collect() };
        compare(now, past(now), &before, &Thresholds::DEFAULT).unwrap().trend
    }

    /// A run that took so long, all of it.
    fn flat(nanos: f64) -> Vec<f64> {
        vec![nanos; 20]
    }

    #[test]
    fn what_the_specification_says() {
        let runs: Vec<_> = (0..10).map(|_| flat(100.0)).collect();
        for (nanos, expected) in [
            (100.0, Trend::None),
            (119.0, Trend::None),
            (121.0, Trend::Regression),
            (149.0, Trend::Regression),
            (151.0, Trend::HighRegression),
            (91.0, Trend::None),
            (89.0, Trend::Improvement),
        ] {
            assert_eq!(trend(&flat(nanos), &runs), expected, "{nanos}");
            assert_eq!(trend(&flat(nanos), &runs[..ENOUGH_RUNS - 1]), Trend::TooFewRuns);
        }
    }

    #[test]
    fn what_the_last_runs_were_is_no_change() {
        let mut runs: Vec<_> = (0..10).map(|_| flat(100.0)).collect();
        runs[3] = flat(118.0);
        // Nor is what is beyond them by less than they differ by.
        assert_eq!(trend(&flat(135.0), &runs), Trend::None);
        assert_eq!(trend(&flat(137.0), &runs), Trend::Regression);
        // Where the best sample shows what the code can do, the machine was busy.
        let mut busy = flat(150.0);
        busy[4] = 101.0;
        runs[3] = flat(100.0);
        assert_eq!(trend(&busy, &runs), Trend::None);
    }

    #[test]
    fn an_interval_that_holds_no_change_is_none() {
        let then: Vec<f64> = (0..20).map(|n| if n < 10 { 100.0 } else { 300.0 }).collect();
        let now: Vec<f64> = (0..20).map(|n| if n < 9 { 150.0 } else { 320.0 }).collect();
        let before = Before { samples: &then, runs: vec![Past { median: 100.0, best: 100.0 }; 10] };
        let change =
            compare(&now, Past { median: 320.0, best: 150.0 }, &before, &Thresholds::DEFAULT).unwrap();
        assert!(change.interval.0 < 1.0 && change.interval.1 > 1.0, "{change:?}");
        assert_eq!(change.trend, Trend::None);
    }

    #[test]
    fn what_takes_nothing_is_compared_with_nothing() {
        let before = |samples| Before { samples, runs: vec![Past { median: 0.0, best: 0.0 }; 10] };
        let now = Past { median: 1.0, best: 1.0 };
        assert_eq!(compare(&[1.0; 9], now, &before(&[0.0; 9]), &Thresholds::DEFAULT), None);
        assert_eq!(compare(&[], now, &before(&[1.0; 9]), &Thresholds::DEFAULT), None);
    }

    /// Shares of the runs of unchanged code that are called a change, and of the changes that are found, on machines that are quiet, restless and disturbed.
    #[test]
    fn false_alarms_are_rare_and_changes_are_found() {
        for (between, within, disturbed, found_at_least) in
            [(0.05, 0.1, usize::MAX, 1.0), (0.2, 0.3, usize::MAX, 0.9), (0.1, 0.2, 20, 0.5)]
        {
            let mut machine = Machine::new(7, between, within, disturbed);
            let (mut compared, mut alarms, mut found) = (0, 0, 0);
            for _ in 0..10 {
                let runs: Vec<_> = (0..20).map(|_| machine.run(100.0)).collect();
                for last in ENOUGH_RUNS..runs.len() {
                    let runs_before = &runs[last.saturating_sub(10)..last];
                    compared += 1;
                    alarms += i32::from(trend(&runs[last], runs_before) != Trend::None);
                }
                let slower = machine.run(160.0);
                found += i32::from(matches!(
                    trend(&slower, &runs[10..]),
                    Trend::Regression | Trend::HighRegression
                ));
            }
            assert!(f64::from(alarms) <= 0.01 * f64::from(compared), "{between}: {alarms} of {compared}");
            assert!(f64::from(found) >= 10.0 * found_at_least, "{between}: {found} of 10");
        }
    }

    /// A machine that gets slower by a half over a hundred runs, a little each time, as it warms up or fills: no run is beyond the ten before it.
    #[test]
    fn drift_is_no_alarm() {
        let mut machine = Machine::new(11, 0.05, 0.1, usize::MAX);
        let runs: Vec<_> = (0..100).map(|number| machine.run(100.0 + f64::from(number) / 2.0)).collect();
        let alarms = (ENOUGH_RUNS..100)
            .filter(|last| trend(&runs[*last], &runs[last.saturating_sub(10)..*last]) != Trend::None);
        assert_eq!(alarms.count(), 0);
    }
}
