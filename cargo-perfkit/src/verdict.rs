//! What can be said of two revisions, from the launches: pure functions from numbers to a verdict with its evidence.
//!
//! A *launch* starts both programs anew and gives one number, the median of `log(new / base)` over its quads. What a process was given by chance (pages,
//! addresses, a processor) is the same all through a launch, so that the samples of one launch agree with one another and not with the truth. The launch is
//! therefore the unit of evidence, and the interval is that of launches: the mean without the fifth of them at either end, with the interval of
//! K. Yuen (1974), because now and then a launch is disturbed in whole.
//!
//! Launches are looked at after 5, 10, 20, 40 and so on. Looking often would find something in the end where there is nothing, so the looks share one
//! probability of error: the first takes a half of it, the next a fourth, and so on. Benchmarks share it as well, in equal parts (Bonferroni), so that 1 % is how often
//! a *whole comparison* of equal revisions says anything wrong. (The procedure of Benjamini and Hochberg would bear more errors the more is found, and has to know all
//! results before it gives one.)
//!
//! Must never read a clock, and never say anything that the interval does not say.

use crate::student;

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// What is too small to be called a difference, as a share: 0.01.
    pub(crate) threshold: f64,
    /// What fails, as a share, where anything does.
    pub(crate) fail_above: Option<f64>,
    /// How often, at most, an interval may be beside the truth, all looks together.
    pub(crate) error: f64,
}

/// How often a comparison as a whole may say something wrong.
pub(crate) const ERROR: f64 = 0.01;
/// Launches at the first look; each next one has twice as many.
const FIRST_LOOK: usize = 5;
/// The share of launches that is left out at either end.
const TRIM: f64 = 0.2;

/// What the launches say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The whole interval is beyond the threshold.
    Slower,
    Faster,
    /// The whole interval is within the threshold.
    Same,
    /// None of these.
    Undecided,
}

/// A ratio with its interval, as logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    pub(crate) middle: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The evidence so far, and what is to be said of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    /// `None` after too few launches for one.
    pub(crate) interval: Option<Interval>,
    /// Whether more launches could say more.
    pub(crate) is_final: bool,
}

/// Which look is due after so many launches, from 0.
pub(crate) fn look(launches: usize) -> Option<u32> {
    let times = launches / FIRST_LOOK;
    (times.is_power_of_two() && times * FIRST_LOOK == launches).then(|| times.ilog2())
}

/// Judges the launches at a look.
pub(crate) fn judge(launches: &[f64], look: u32, rule: &Rule) -> Judged {
    // The parts of all looks to come sum up to the one of this.
    let Some(interval) = interval(launches, rule.error / f64::from(look + 1).exp2()) else {
        return Judged { verdict: Verdict::Undecided, interval: None, is_final: false };
    };
    let verdict = verdict(&interval, rule.threshold);
    let fails_or_not = rule.fail_above.is_none_or(|limit| !interval.holds(limit.ln_1p()));
    // Narrower than this it is at the threshold, and no number of launches takes it away from there.
    let is_narrow = interval.high - interval.low < rule.threshold / 5.0;
    Judged {
        verdict,
        interval: Some(interval),
        is_final: (verdict != Verdict::Undecided && fails_or_not) || is_narrow,
    }
}

fn verdict(interval: &Interval, threshold: f64) -> Verdict {
    // As many times slower as faster: log(1.01), and as far on the other side.
    let threshold = threshold.ln_1p();
    if interval.low > threshold {
        Verdict::Slower
    } else if interval.high < -threshold {
        Verdict::Faster
    } else if interval.low >= -threshold && interval.high <= threshold {
        Verdict::Same
    } else {
        Verdict::Undecided
    }
}

impl Interval {
    fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Whether the whole of it is above a share.
    pub(crate) fn is_above(&self, share: f64) -> bool {
        self.low > share.ln_1p()
    }
}

/// The trimmed mean with its interval, which is beside the truth with probability `error`.
fn interval(launches: &[f64], error: f64) -> Option<Interval> {
    let mut sorted = launches.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    let cut = (count as f64 * TRIM) as usize;
    let kept = sorted.get(cut..count - cut).filter(|kept| kept.len() > 1)?;
    let (least, most) = (kept[0], kept[kept.len() - 1]);
    let middle = kept.iter().sum::<f64>() / kept.len() as f64;
    // Of the values with those left out moved in to the last that is kept.
    let moved = || sorted.iter().map(|value| value.clamp(least, most));
    let mean = moved().sum::<f64>() / count as f64;
    let squares: f64 = moved().map(|value| (value - mean).powi(2)).sum();
    let freedom = (kept.len() - 1) as f64;
    let error_of_middle = (squares / (kept.len() as f64 * freedom)).sqrt();
    let half = student::quantile(error / 2.0, freedom) * error_of_middle;
    Some(Interval { middle, low: middle - half, high: middle + half })
}

/// What one call takes, counted; see `perf-bench`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) instructions: f64,
    pub(crate) accesses: f64,
    pub(crate) first_level_misses: f64,
    pub(crate) last_level_misses: f64,
    pub(crate) branch_misses: f64,
}

/// Why the time differs, as far as counts tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// There are more instructions, or fewer.
    Instructions,
    /// As many, but they miss caches more often, or less.
    CacheMisses,
    /// As many, but other branches are mispredicted.
    BranchMisses,
    /// All as it was: what differs is where the code lies.
    Layout,
}

/// Counts of one program repeat within this.
const REPEATS: f64 = 0.001;

/// Why the one takes another time than the other.
pub(crate) fn cause(base: &Counts, new: &Counts, threshold: f64) -> Cause {
    let change = |of: fn(&Counts) -> f64| of(new) - of(base);
    if change(|counts| counts.instructions).abs() > REPEATS * base.instructions {
        return Cause::Instructions;
    }
    // What a miss costs, in instructions, as callgrind's own estimate of cycles has it.
    let caches = change(|counts| 10.0 * counts.first_level_misses + 100.0 * counts.last_level_misses).abs();
    let branches = change(|counts| 10.0 * counts.branch_misses).abs();
    if caches.max(branches) <= threshold * base.instructions {
        Cause::Layout
    } else if caches > branches {
        Cause::CacheMisses
    } else {
        Cause::BranchMisses
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const RULE: Rule = Rule { threshold: 0.01, fail_above: None, error: ERROR };

    /// Looks as a comparison does, at most at so many launches.
    fn run(most: usize, rule: &Rule, mut launch: impl FnMut() -> f64) -> (Judged, usize) {
        let mut launches = Vec::new();
        let mut last = Judged { verdict: Verdict::Undecided, interval: None, is_final: false };
        while launches.len() < most && !last.is_final {
            launches.push(launch());
            if let Some(look) = look(launches.len()) {
                last = judge(&launches, look, rule);
            }
        }
        (last, launches.len())
    }

    /// Launches as they were measured: mostly close together, now and then one that was disturbed in whole.
    fn noise(random: &mut Random) -> f64 {
        let uniform = |random: &mut Random| random.below(1 << 40) as f64 / (1_u64 << 40) as f64;
        let normal = (0..12).map(|_| uniform(random)).sum::<f64>() - 6.0;
        if random.below(10) == 0 { normal * 0.03 } else { normal * 0.006 }
    }

    fn counted(percent: f64, rule: &Rule) -> [usize; 5] {
        let mut counts = [0; 5];
        for seed in 0..1_000 {
            let mut random = Random::seeded(seed);
            let (judged, launches) = run(320, rule, || (percent / 100.0).ln_1p() + noise(&mut random));
            counts[judged.verdict as usize] += 1;
            counts[4] += launches;
        }
        counts
    }

    #[test]
    fn looks_are_after_twice_as_many() {
        let looks: Vec<usize> = (0..100).filter(|launches| look(*launches).is_some()).collect();
        assert_eq!(looks, [5, 10, 20, 40, 80]);
        assert_eq!([5, 10, 80].map(look), [Some(0), Some(1), Some(4)]);
    }

    #[test]
    fn the_same_code_is_hardly_ever_called_different() {
        let [slower, faster, same, ..] = counted(0.0, &RULE);
        assert!(slower + faster <= 2 && same >= 990, "{slower} slower, {faster} faster, {same} same of 1000");
    }

    #[test]
    fn what_got_slower_is_found_and_never_called_faster() {
        for (percent, least) in [(10.0, 999), (5.0, 999), (3.0, 990)] {
            let [slower, faster, ..] = counted(percent, &RULE);
            assert!(slower >= least && faster == 0, "{percent} %: {slower} slower, {faster} faster of 1000");
            let [slower, faster, ..] = counted(-percent, &RULE);
            assert!(faster >= least && slower == 0, "-{percent} %: {slower} slower, {faster} faster of 1000");
        }
    }

    #[test]
    fn at_the_threshold_it_is_not_decided() {
        let [slower, faster, same, undecided, _] = counted(1.0, &RULE);
        assert!(slower <= 10 && same <= 10 && faster == 0, "{slower} {faster} {same} {undecided}");
    }

    /// A suite is as seldom wrong as one benchmark.
    #[test]
    fn benchmarks_share_the_error() {
        let rule = Rule { error: ERROR / 50.0, ..RULE };
        let [slower, faster, ..] = counted(0.0, &rule);
        assert_eq!((slower, faster), (0, 0));
        let [slower, ..] = counted(3.0, &rule);
        assert!(slower >= 950, "{slower}");
    }

    #[test]
    fn what_fails_is_looked_for() {
        let rule = Rule { fail_above: Some(0.05), ..RULE };
        let mut random = Random::seeded(3);
        // Slower is soon known, and that it is above 5 % takes longer.
        let (soon, few) = run(640, &RULE, || 0.055_f64.ln_1p() + noise(&mut random));
        let (judged, many) = run(640, &rule, || 0.055_f64.ln_1p() + noise(&mut random));
        assert!(few < many && soon.verdict == Verdict::Slower, "{few} {many}");
        assert!(judged.interval.unwrap().is_above(0.05) && !judged.interval.unwrap().is_above(0.06));
    }

    #[test]
    fn an_interval_of_known_numbers() {
        // By hand: of 1 to 10 without two at either end the mean is 5.5; moved in, the squares sum to 42.5.
        let numbers: Vec<f64> = (1..=10).map(f64::from).collect();
        let found = interval(&numbers, 0.05).unwrap();
        let half = 2.570_582 * (42.5_f64 / (6.0 * 5.0)).sqrt();
        assert!(
            (found.middle - 5.5).abs() < 1e-9 && (found.high - 5.5 - half).abs() < 1e-3,
            "{found:?} {half}"
        );
        assert_eq!((interval(&[], 0.05), interval(&[1.0], 0.05)), (None, None));
        // One that has nothing to do with the others changes little.
        let mut wild = numbers.clone();
        wild[9] = 1e9;
        assert_eq!(interval(&wild, 0.05), Some(found));
    }

    #[test]
    fn why_it_differs() {
        let base = Counts {
            instructions: 1e6,
            accesses: 3e5,
            first_level_misses: 100.0,
            last_level_misses: 10.0,
            branch_misses: 50.0,
        };
        let of = |new: Counts| cause(&base, &new, 0.01);
        assert_eq!(of(base), Cause::Layout);
        assert_eq!(of(Counts { instructions: 1e6 + 999.0, ..base }), Cause::Layout);
        assert_eq!(of(Counts { instructions: 1e6 + 1_001.0, ..base }), Cause::Instructions);
        assert_eq!(of(Counts { instructions: 0.9e6, ..base }), Cause::Instructions);
        assert_eq!(of(Counts { first_level_misses: 2_000.0, ..base }), Cause::CacheMisses);
        assert_eq!(of(Counts { last_level_misses: 200.0, ..base }), Cause::CacheMisses);
        assert_eq!(of(Counts { branch_misses: 9_000.0, ..base }), Cause::BranchMisses);
    }
}
