//! How two sets of samples compare that were taken at two times: the median of one by that of the other, with the 95 % interval of that by the percentile bootstrap of both
//! (B. Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979), since no pair of samples gives the ends of a ratio's. The seed is fixed: the same samples give the same
//! interval.

use perf_runtime::order;

use super::random::Random;
use super::summary::{median, quantile};

/// Resamples; the interval's ends are then within a percent of where more would put them.
const RESAMPLES: usize = 1_000;

/// The median of `now` by that of `before`, and the 95 % interval of it; `None` where there is nothing to divide by.
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
    let (mut random, mut drawn) = (Random::new(0x9E37_79B9_7F4A_7C15), Vec::new());
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let now = median_of_resample(&now, &mut drawn, &mut random);
            now / median_of_resample(&before, &mut drawn, &mut random)
        })
        .collect();
    order::sort(&mut ratios, f64::total_cmp);
    Some((median(&now) / median(&before), (quantile(&ratios, 0.025), quantile(&ratios, 0.975))))
}

/// The median of as many samples as there are, drawn from them.
fn median_of_resample(sorted: &[f64], drawn: &mut Vec<u32>, random: &mut Random) -> f64 {
    drawn.clear();
    drawn.resize(sorted.len(), 0);
    for _ in 0..sorted.len() {
        drawn[random.below(sorted.len())] += 1;
    }
    let at = |rank: usize| {
        let mut seen = 0;
        for (value, count) in sorted.iter().zip(&*drawn) {
            seen += *count as usize;
            if seen > rank {
                return *value;
            }
        }
        0.0
    };
    f64::midpoint(at((sorted.len() - 1) / 2), at(sorted.len() / 2))
}
