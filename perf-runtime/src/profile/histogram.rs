//! A log-linear histogram: durations from one tick to centuries, each within 1/32 of what it was.
//!
//! A power of two (an *octave*) is divided into 16 buckets of equal width, so a bucket is at most 1/16 of its lower bound wide
//! and its middle at most 1/32 from anything in it. (The layout of `HdrHistogram`, G. Tene.) Octaves come into being when
//! first used: most functions use two or three of the 61.

use super::link::{Link, leak};
use crate::sync::{AtomicU64, Ordering};

const BUCKETS: usize = 16;
/// Of the numbers below 16 in one octave of exact buckets, then 60 octaves from `2^4` to `2^63`.
const OCTAVES: usize = 61;

type Octave = [AtomicU64; BUCKETS];

/// Written by one thread, read by any.
pub(super) struct Histogram {
    octaves: [Link<Octave>; OCTAVES],
}

impl Histogram {
    pub(super) const fn new() -> Self {
        Histogram { octaves: [const { Link::empty() }; OCTAVES] }
    }

    /// Counts one value. Only the owning thread may call this.
    pub(super) fn add(&self, value: u64) {
        let (octave, bucket) = position(value);
        let link = &self.octaves[octave];
        let counts = link.get().unwrap_or_else(|| {
            let counts = leak([const { AtomicU64::new(0) }; BUCKETS]);
            link.set(counts);
            counts
        });
        let count = &counts[bucket];
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Adds the counts to `into`.
    pub(super) fn read(&self, into: &mut Counts) {
        for (octave, link) in self.octaves.iter().enumerate() {
            let Some(counts) = link.get() else { continue };
            for (bucket, count) in counts.iter().enumerate() {
                into.add(octave * BUCKETS + bucket, count.load(Ordering::Relaxed));
            }
        }
    }
}

/// The counts of one or many histograms, as plain data.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Counts {
    /// By bucket, trailing zeros left out.
    buckets: Vec<u64>,
    total: u64,
}

impl Counts {
    fn add(&mut self, index: usize, count: u64) {
        if count == 0 {
            return;
        }
        if self.buckets.len() <= index {
            self.buckets.resize(index + 1, 0);
        }
        self.buckets[index] += count;
        self.total += count;
    }

    /// Counts one more value.
    pub(super) fn add_value(&mut self, value: u64) {
        let (octave, bucket) = position(value);
        self.add(octave * BUCKETS + bucket, 1);
    }

    /// Takes away what an earlier reading of the same histogram held.
    pub(super) fn subtract(&mut self, earlier: &Counts) {
        for (count, earlier) in self.buckets.iter_mut().zip(&earlier.buckets) {
            *count = count.saturating_sub(*earlier);
        }
        self.total = self.buckets.iter().sum();
    }

    /// Adds another's counts.
    pub(super) fn merge(&mut self, other: &Counts) {
        for (index, count) in other.buckets.iter().enumerate() {
            self.add(index, *count);
        }
    }

    /// The value that `quantile` (0 to 1) of all values do not exceed; 0 where there are none.
    pub(super) fn quantile(&self, quantile: f64) -> u64 {
        let rank = ((self.total as f64 * quantile).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return middle(index);
            }
        }
        0
    }

    /// The middles of the lowest and the highest bucket that hold something.
    pub(super) fn range(&self) -> Option<(u64, u64)> {
        let lowest = self.buckets.iter().position(|count| *count > 0)?;
        let highest = self.buckets.iter().rposition(|count| *count > 0)?;
        Some((middle(lowest), middle(highest)))
    }
}

/// Octave and bucket of a value.
fn position(value: u64) -> (usize, usize) {
    if value < BUCKETS as u64 {
        return (0, value as usize);
    }
    let exponent = value.ilog2();
    ((exponent - 3) as usize, (value >> (exponent - 4)) as usize & (BUCKETS - 1))
}

/// The middle of a bucket.
fn middle(index: usize) -> u64 {
    let (octave, bucket) = (index / BUCKETS, (index % BUCKETS) as u64);
    if octave == 0 {
        return bucket;
    }
    let shift = octave - 1;
    let width = 1_u64 << shift;
    ((BUCKETS as u64 + bucket) << shift) + width / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_value_comes_back_within_a_thirty_second() {
        let mut value = 0_u64;
        while value < u64::MAX / 2 {
            let mut counts = Counts::default();
            counts.add_value(value);
            let read = counts.quantile(0.5);
            assert!(read.abs_diff(value) * 32 <= value, "{value} came back as {read}");
            value = value + value / 61 + 1;
        }
        for value in [u64::MAX, u64::MAX - 1, 1 << 63] {
            let mut counts = Counts::default();
            counts.add_value(value);
            assert!(counts.quantile(1.0).abs_diff(value) <= value / 32);
        }
    }

    #[test]
    fn quantiles_of_the_first_thousand() {
        let histogram = Histogram::new();
        for value in 1..=1000 {
            histogram.add(value);
        }
        let mut counts = Counts::default();
        histogram.read(&mut counts);
        assert_eq!(counts.total, 1000);
        for (quantile, truth) in
            [(0.5, 500_u64), (0.95, 950), (0.99, 990), (0.999, 999), (0.0, 1), (1.0, 1000)]
        {
            let read = counts.quantile(quantile);
            assert!(read.abs_diff(truth) * 32 <= truth, "p{quantile}: {read} is not {truth}");
        }
    }

    #[test]
    fn an_empty_histogram_has_no_quantile() {
        assert_eq!(Counts::default().quantile(0.5), 0);
        assert_eq!(Counts::default().range(), None);
    }

    #[test]
    fn what_was_there_before_is_taken_away() {
        let histogram = Histogram::new();
        histogram.add(1_000_000);
        let (mut before, mut after) = (Counts::default(), Counts::default());
        histogram.read(&mut before);
        histogram.add(7);
        histogram.read(&mut after);
        after.subtract(&before);
        assert_eq!(after.range(), Some((7, 7)));
    }
}
