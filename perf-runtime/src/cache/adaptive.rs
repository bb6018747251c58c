//! Whether a cache should be larger: a rule on figures, which touches no cache.
//!
//! A cache whose hit ratio is below 0.7 may double, up to 50,000 entries, while less than 80 % of the memory that it may take is
//! taken. But only where more room would be used: the cache is full, and the miss-ratio curve ([`curve`]) says that
//! some larger size answers at least 2 points more of all lookups for each doubling that leads there. 2 points, because the curve
//! is right to within 1 or 2, and because the last doubling takes as much memory as all before it. Sizes beyond the next one
//! count, too, as a loop over more keys than fit gains nothing until all of them fit; where it would take more memory than there
//! is, they do not.
//!
//! The cache grows by one doubling at a time even then, so that its memory is looked at again before the next.
//!
//! The curve is that of an LRU cache. The default policy answers more, mostly where a loop does not quite fit, so what this
//! promises is rather too little.

pub(super) mod curve;
pub(super) mod sampler;

/// A hit ratio that is good enough.
const GOOD: f64 = 0.7;

/// No cache grows beyond so many entries by itself.
pub(super) const LARGEST: usize = 50_000;

/// The share of the memory that may be taken that is left to growing caches.
const MEMORY: f64 = 0.8;

/// What a doubling is to gain, as a share of all lookups.
const GAIN: f64 = 0.02;

/// Lookups that say something about a cache: as many as it has entries, and not just a few.
const FEWEST: u64 = 1_000;

/// What happened to a cache since it was last looked at, and how it is now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    pub(super) hits: u64,
    pub(super) lookups: u64,
    pub(super) len: usize,
    pub(super) max_size: usize,
    /// Bytes that its entries take, and may take at most.
    pub(super) memory: u64,
    pub(super) max_memory: u64,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Decision {
    /// Make it so large.
    Grow {
        /// The new size.
        max_size: usize,
        /// The size that it is to reach if all goes on like this.
        goal: usize,
        /// What the goal gains, as a share of all lookups.
        gain: f64,
    },
    /// Leave it.
    Stay(Reason),
}

/// Why a cache is not made larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Hardly any lookups.
    LittleSeen,
    /// The hit ratio is good enough.
    Good,
    /// It is not full, so it is not room that it lacks.
    NotFull,
    /// It is as large as it may become.
    Largest,
    /// Memory is short.
    Memory,
    /// More room would not be used.
    NoGain,
}

impl Decision {
    /// The new size, if there is one.
    #[cfg(test)]
    pub(super) fn new_size(self) -> Option<usize> {
        match self {
            Decision::Grow { max_size, .. } => Some(max_size),
            Decision::Stay(_) => None,
        }
    }
}

/// Decides; `hit_ratio_at` tells what a cache of so many entries would answer, or that it does not know.
pub(super) fn decide(seen: &Observation, hit_ratio_at: impl Fn(usize) -> Option<f64>) -> Decision {
    let room = seen.max_memory as f64 * MEMORY;
    if seen.lookups < FEWEST.max(seen.max_size as u64) {
        return Decision::Stay(Reason::LittleSeen);
    }
    if seen.hits as f64 >= GOOD * seen.lookups as f64 {
        return Decision::Stay(Reason::Good);
    }
    // An uneven spread over shards, or entries that just expired, leave a little free.
    if seen.len < seen.max_size - seen.max_size / 10 {
        return Decision::Stay(Reason::NotFull);
    }
    if seen.max_size >= LARGEST {
        return Decision::Stay(Reason::Largest);
    }
    if seen.memory as f64 >= room {
        return Decision::Stay(Reason::Memory);
    }
    let Some(now) = hit_ratio_at(seen.max_size) else { return Decision::Stay(Reason::LittleSeen) };
    let per_entry = seen.memory as f64 / seen.len.max(1) as f64;
    let next = larger(seen.max_size);
    let mut goal = next;
    for doublings in 1.. {
        // The next size may exceed the memory, which is bounded for itself; what lies beyond is then out of reach.
        if goal > next && goal as f64 * per_entry > room {
            break;
        }
        let gain = hit_ratio_at(goal).map_or(0.0, |ratio| ratio - now);
        // The last step may be less than a doubling.
        if gain >= GAIN * f64::from(doublings) {
            return Decision::Grow { max_size: next, goal, gain };
        }
        if goal >= LARGEST {
            break;
        }
        goal = larger(goal);
    }
    Decision::Stay(Reason::NoGain)
}

fn larger(size: usize) -> usize {
    (size * 2).min(LARGEST)
}

#[cfg(test)]
mod tests {
    use super::curve::Curve;
    use super::curve::traces::{self, Lru};
    use super::*;

    const FULL: Observation = Observation {
        hits: 500,
        lookups: 2_000,
        len: 1_000,
        max_size: 1_000,
        memory: 10_000,
        max_memory: 1 << 30,
    };

    /// Each doubling gains 5 points.
    const HELPS: fn(usize) -> Option<f64> = |size| Some((size as f64 / 1_000.0).log2() * 0.05);

    #[test]
    fn a_full_cache_that_misses_grows() {
        let Decision::Grow { max_size, goal, gain } = decide(&FULL, HELPS) else { panic!("it stays") };
        assert_eq!((max_size, goal), (2_000, 2_000));
        assert!((gain - 0.05).abs() < 1e-9);
        let large = Observation { len: 40_000, max_size: 40_000, lookups: 50_000, ..FULL };
        assert_eq!(decide(&large, HELPS).new_size(), None, "0.32 doublings gain too little");
        assert_eq!(decide(&large, |size| Some(size as f64 / 50_000.0)).new_size(), Some(50_000));
    }

    #[test]
    fn there_are_reasons_to_stay() {
        let stays =
            |seen: Observation, why| assert_eq!(decide(&seen, HELPS), Decision::Stay(why), "{seen:?}");
        stays(Observation { hits: 1_400, ..FULL }, Reason::Good);
        stays(Observation { lookups: 999, ..FULL }, Reason::LittleSeen);
        stays(Observation { len: 890, ..FULL }, Reason::NotFull);
        stays(Observation { memory: 8_000, max_memory: 10_000, ..FULL }, Reason::Memory);
        stays(Observation { len: 50_000, max_size: 50_000, lookups: 60_000, ..FULL }, Reason::Largest);
        assert_eq!(decide(&FULL, |_| None), Decision::Stay(Reason::LittleSeen));
        assert_eq!(decide(&FULL, |_| Some(0.3)), Decision::Stay(Reason::NoGain));
    }

    #[test]
    fn what_lies_beyond_the_memory_is_no_goal() {
        let from_8000_on = |size| Some(if size >= 8_000 { 1.0 } else { 0.0 });
        let Decision::Grow { max_size, goal, .. } = decide(&FULL, from_8000_on) else { panic!("it stays") };
        assert_eq!((max_size, goal), (2_000, 8_000));
        let small = Observation { max_memory: 50_000, ..FULL };
        assert_eq!(decide(&small, from_8000_on), Decision::Stay(Reason::NoGain));
    }

    /// Runs a cache that is looked at every so often; gives the sizes that it had and the hit ratio of the last period.
    fn run(trace: &[u64], mut max_size: usize) -> (Vec<usize>, f64) {
        let (mut lru, mut curve, mut sizes) = (Lru::default(), Curve::new(max_size), vec![max_size]);
        let mut ratio = 0.0;
        for period in trace.chunks(100_000) {
            let mut hits = 0;
            for key in period {
                curve.record(*key);
                hits += u64::from(lru.look_up(*key, max_size));
            }
            let lookups = period.len() as u64;
            ratio = hits as f64 / lookups as f64;
            let memory = lru.len() as u64 * 100;
            let seen = Observation { hits, lookups, len: lru.len(), max_size, memory, max_memory: 1 << 30 };
            if let Some(larger) = decide(&seen, |size| curve.hit_ratio_at(size)).new_size() {
                max_size = larger;
                sizes.push(larger);
            }
        }
        (sizes, ratio)
    }

    #[test]
    fn keys_that_never_come_back_grow_nothing() {
        for seed in 1..=3 {
            assert_eq!(run(&traces::scan(seed, 300_000), 2_500).0, [2_500]);
        }
        // Beside a few that do, all of which fit.
        let mixed = traces::mixed(traces::uniform(1, 500, 200_000), traces::scan(1, 200_000));
        assert_eq!(run(&mixed, 2_500).0, [2_500]);
    }

    #[test]
    fn a_loop_over_more_than_fits_grows_until_it_does() {
        for seed in 1..=2 {
            let (sizes, ratio) = run(&traces::looping(seed, 12_000, 500_000), 2_500);
            assert_eq!(sizes, [2_500, 5_000, 10_000, 20_000]);
            assert!(ratio > 0.99, "{ratio}");
            // This one will never fit.
            assert_eq!(run(&traces::looping(seed, 80_000, 300_000), 2_500).0, [2_500]);
        }
    }

    #[test]
    fn popular_keys_grow_it_until_enough_fit() {
        let (sizes, ratio) = run(&traces::zipf(1, 100_000, 0.9, 700_000), 1_000);
        assert!(sizes.len() >= 4, "{sizes:?}");
        assert!(ratio > 0.7, "{ratio}");
        // Most of the lookups are answered from the beginning.
        assert_eq!(run(&traces::zipf(1, 10_000, 1.1, 200_000), 2_500).0, [2_500]);
    }
}
