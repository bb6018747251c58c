//! A cache that makes itself larger where that helps.
//!
//! Nothing happens unless it is asked for, and next to nothing while hits are many. A miss now and then, one in a thousand, looks at what was counted
//! since the last *period*. If the cache is full and answers too little, its lookups are sampled, until their curve says that a
//! larger cache would answer more, or long enough to say that none would; then it is left alone for a while. [`decide`] is the rule.
//!
//! A hit of a cache that is not sampled looks at a number that it looks at anyway. No lock is held while somebody's code runs.

use super::super::adaptive::sampler::Sampler;
use super::super::adaptive::{Decision, LARGEST, Observation, Reason, decide};
use super::super::readers::Record;
use super::super::shard::node::{Node, Times};
use super::Store;
use crate::sync::{AtomicBool, Mutex, Ordering};

/// A hit is told to the policy.
pub(super) const USES: u8 = 1;
/// A hit is told to the sampler, and so is a miss.
pub(super) const SAMPLED: u8 = 2;
/// A hit makes an entry good for longer.
pub(super) const IDLE: u8 = 4;
/// Nobody is told, but it has to ask the system for the time.
pub(super) const SYSTEM_CLOCK: u8 = 8;

/// Lookups that a period has at least, besides as many as there are entries.
const SHORTEST: u64 = 4_096;

/// Lookups that are sampled before it is said that no larger cache helps: some for each entry of the largest.
const PATIENCE: u64 = 2 * LARGEST as u64;

/// Lookups after which it is asked again.
const REST: u64 = 10 * PATIENCE;

/// Whether all caches of the program are meant.
static EVERYWHERE: AtomicBool = AtomicBool::new(false);

/// Lets every cache of the program make itself larger where a sampled miss-ratio curve says that this helps, or no longer.
///
/// A cache grows while it answers less than 70 % of its lookups, is full, and takes less than 80 % of the memory that it may take: it doubles,
/// up to 50,000 entries, and only where the curve says that more room answers more. Those that are made with `adaptive` do so
/// whatever is said here.
///
/// ```
/// perf_runtime::cache::set_adaptive(true);
/// # perf_runtime::cache::set_adaptive(false);
/// ```
pub fn set_adaptive(is_adaptive: bool) {
    EVERYWHERE.store(is_adaptive, Ordering::Relaxed);
}

/// What a cache knows of its lookups.
#[derive(Debug)]
pub(super) struct Adaptation {
    sampler: Sampler,
    period: Mutex<Period>,
}

/// The counters at its beginning, and what is going on.
#[derive(Debug)]
struct Period {
    hits: u64,
    lookups: u64,
    /// How many lookups there had been when the sampler was started, or the cache grew.
    sampled_since: Option<u64>,
    /// The sampler is not started before there were so many.
    rests_until: u64,
}

impl Adaptation {
    pub(super) const fn new() -> Self {
        let period = Period { hits: 0, lookups: 0, sampled_since: None, rests_until: 0 };
        Adaptation { sampler: Sampler::new(), period: Mutex::new(period) }
    }
}

impl<K, S, R> Store<K, S, R> {
    /// Tells of a hit those who asked for it.
    #[inline(never)]
    pub(super) fn tell_of_hit<'a>(
        &self,
        hash: u64,
        node: &Node<K, S>,
        now: u64,
        times: impl FnOnce() -> Times<'a>,
    ) {
        let told = self.on_hit.load(Ordering::Relaxed);
        if told & IDLE != 0 {
            times().touch(now, self.idle);
        }
        if told & USES != 0 {
            self.shard(hash).lock().writer.touch(node);
        }
        if told & SAMPLED != 0 {
            self.adaptation.sampler.look_up(hash);
        }
    }

    /// Counts a miss.
    #[inline]
    pub(super) fn missed(&self, record: &Record, hash: u64) {
        let is_time = record.count_miss();
        if is_time || self.on_hit.load(Ordering::Relaxed) & SAMPLED != 0 {
            self.tell_of_miss(hash, is_time);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_of_miss(&self, hash: u64, is_time: bool) {
        self.adaptation.sampler.look_up(hash);
        if is_time && let Some(larger) = self.larger() {
            self.resize(larger);
        }
    }

    /// The size that it is to have, if it is to grow.
    fn larger(&self) -> Option<usize> {
        let is_asked = self.limits.is_adaptive || EVERYWHERE.load(Ordering::Relaxed);
        let mut period = self.adaptation.period.lock();
        if !is_asked {
            if period.sampled_since.is_some() {
                self.stop_sampling(&mut period);
            }
            return None;
        }
        let counted = self.readers.counted();
        let lookups = counted.hits + counted.misses;
        let seen = Observation {
            hits: counted.hits.saturating_sub(period.hits),
            lookups: lookups.saturating_sub(period.lookups),
            len: self.len.load(Ordering::Relaxed),
            max_size: self.max_size(),
            memory: self.memory(),
            max_memory: self.limits.max_memory,
        };
        if seen.lookups < SHORTEST.max(seen.max_size as u64) {
            return None;
        }
        (period.hits, period.lookups) = (counted.hits, lookups);
        let Some(since) = period.sampled_since else {
            // All that is missing is a curve.
            if decide(&seen, |_| None) == Decision::Stay(Reason::LittleSeen) && lookups >= period.rests_until
            {
                period.sampled_since = Some(lookups);
                self.adaptation.sampler.start(seen.max_size, lookups);
                self.on_hit.fetch_or(SAMPLED, Ordering::Relaxed);
            }
            return None;
        };
        let decision =
            self.adaptation.sampler.read(lookups, |curve| decide(&seen, |size| curve.hit_ratio_at(size)));
        match decision {
            Some(Decision::Grow { max_size, .. }) => {
                period.sampled_since = Some(lookups);
                return Some(max_size);
            }
            Some(Decision::Stay(Reason::LittleSeen | Reason::NoGain)) if lookups - since < PATIENCE => {}
            Some(Decision::Stay(reason)) => {
                if matches!(reason, Reason::LittleSeen | Reason::NoGain) {
                    period.rests_until = lookups + REST;
                }
                self.stop_sampling(&mut period);
            }
            None => period.sampled_since = None,
        }
        None
    }

    fn stop_sampling(&self, period: &mut Period) {
        period.sampled_since = None;
        self.on_hit.fetch_and(!SAMPLED, Ordering::Relaxed);
        self.adaptation.sampler.stop();
    }

    /// Bytes that the entries take, by estimate.
    fn memory(&self) -> u64 {
        if self.is_flat {
            self.len.load(Ordering::Relaxed) as u64 * self.flat
        } else {
            self.bytes.load(Ordering::Relaxed)
        }
    }
}
