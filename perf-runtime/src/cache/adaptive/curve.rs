//! How many lookups a cache of another size would answer: a sampled miss-ratio curve.
//!
//! A lookup hits in an LRU cache of `C` entries if fewer than `C` other keys were looked up since the same key was last (R.
//! Mattson et al., "Evaluation techniques for storage hierarchies", 1970). To know this number, the *reuse distance*, for all
//! keys would take as much memory as the largest cache asked about. SHARDS (C. Waldspurger, N. Park, A. Garthwaite, I. Ahmad,
//! "Efficient MRC Construction with SHARDS", FAST 2015) follows only the keys whose hash is below a threshold, a share R of all,
//! and takes a distance of d among them for one of d / R. Whether a few popular keys are among them shifts the curve as a whole,
//! so what is missing from, or too much in, the N x R lookups that there should have been counts as hits of the smallest cache
//! (SHARDS-adj).
//!
//! Two things differ from the paper's variant of fixed size. Where a new key finds no room, the threshold is halved, which
//! forgets half of the keys, instead of being lowered key by key, which takes a priority queue. And it is not lowered for ever:
//! once the keys that are followed stand for [`HORIZON`] entries, more than any cache asked about, the one that was looked up the
//! longest ago makes room, as a lookup of it would be a miss anyway. So a stream of keys that never come back, of which there is
//! no end, does not drive everything else out.
//!
//! Counts are halved now and then, so that what a program did an hour ago does not outweigh what it does now.
//!
//! Memory: 55 KiB, all of it taken when it is made. A lookup that is not sampled costs two multiplications and a comparison; one
//! that is, 30 to 50 ns (Zen 3, release). It knows hashes only, and locks nothing: its owner does.

/// Keys that are followed at most.
const KEYS: usize = 2048;

/// The largest cache that can be asked about, and more: entries.
pub(in super::super) const HORIZON: usize = 1 << 17;

/// The least share of the keys that is followed is one in 2 to this power: then [`KEYS`] of them stand for [`HORIZON`].
const RAREST: u32 = (HORIZON / KEYS).ilog2();

/// Lookups that should have been sampled, after which counts are halved.
const MEMORY: f64 = 16_384.0;

/// Lookups that should have been sampled, without which nothing is said.
const FEWEST: f64 = 256.0;

/// Moments that are told apart until the keys are numbered anew.
const MOMENTS: usize = 2 * KEYS;

/// Places of the table of keys, so that it is half full at most.
const PLACES: usize = 2 * KEYS;

const NONE: u16 = u16::MAX;

/// Which keys are followed: those whose hash is not above a threshold. To be copied to where it can be read without the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Filter {
    /// Of mixed hashes.
    most: u64,
}

impl Filter {
    /// One key in 2 to the power of `halvings`.
    const fn one_in(halvings: u32) -> Self {
        Filter { most: u64::MAX >> halvings }
    }

    /// As a number, for an atomic; 0 follows next to nothing.
    pub(in super::super) const fn to_bits(self) -> u64 {
        self.most
    }

    /// From what [`to_bits`](Self::to_bits) gave.
    pub(in super::super) const fn from_bits(most: u64) -> Self {
        Filter { most }
    }

    /// Whether lookups of the key with this hash are to be recorded.
    #[inline]
    pub(in super::super) fn follows(self, hash: u64) -> bool {
        mix(hash) <= self.most
    }
}

/// The finaliser of `MurmurHash3` (A. Appleby). A hash that is good enough for a table may be no sample at all: its upper bits
/// may hardly depend on the key, or choose the shard.
#[inline]
fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    hash ^ (hash >> 33)
}

/// See the module.
#[derive(Debug)]
pub(in super::super) struct Curve {
    filter: Filter,
    /// The share of the keys that is followed is one in 2 to this power.
    halvings: u32,
    keys: Keys,
    /// Lookups by distance, as they would be at the present share.
    distances: Box<[f64; BUCKETS]>,
    /// Lookups that were recorded, at the present share.
    sampled: f64,
    /// Lookups that there were, sampled or not, times the present share.
    expected: f64,
}

impl Curve {
    /// A curve for a cache of `max_size` entries that may become larger: a share of the keys is followed from the beginning that
    /// tells enough about this size, and no more, since whoever records a lookup waits for a lock.
    #[inline]
    pub(in super::super) fn new(max_size: usize) -> Self {
        /// Keys that are to stand for a cache of the present size.
        const ENOUGH: usize = KEYS / 4;
        let halvings = (max_size / ENOUGH).max(1).ilog2().clamp(3, RAREST);
        Curve::with_share(halvings)
    }

    #[inline]
    fn with_share(halvings: u32) -> Self {
        Curve {
            filter: Filter::one_in(halvings),
            halvings,
            keys: Keys::new(),
            distances: Box::new([0.0; BUCKETS]),
            sampled: 0.0,
            expected: 0.0,
        }
    }

    /// Which lookups to [`record_followed`](Self::record_followed). Less are followed over time, never more.
    #[inline]
    pub(in super::super) fn filter(&self) -> Filter {
        self.filter
    }

    /// A lookup of the key with this hash.
    #[cfg(test)]
    pub(in super::super) fn record(&mut self, hash: u64) {
        self.count(1);
        if self.filter.follows(hash) {
            self.record_followed(hash);
        }
    }

    /// Says that there were so many lookups, followed or not, since this was said last: what corrects for how many were followed.
    /// Whoever calls `record` for all of them does not call it; whoever records those that are followed calls it before
    /// asking for anything.
    #[inline]
    pub(in super::super) fn count(&mut self, lookups: u64) {
        self.expected += lookups as f64 / f64::from(1_u32 << self.halvings);
        // Here and not where one is recorded, as it is here that as much is expected as was sampled.
        while self.expected >= MEMORY {
            self.scale(0.5);
        }
    }

    /// A lookup of a key that the filter let pass, now or before it became finer. It is to be counted besides.
    pub(in super::super) fn record_followed(&mut self, hash: u64) {
        let mixed = mix(hash);
        if mixed > self.filter.most {
            return;
        }
        self.sampled += 1.0;
        if let Some(others) = self.keys.renew(mixed) {
            self.distances[bucket((others as u64) << self.halvings)] += 1.0;
        } else {
            self.make_room();
            if mixed <= self.filter.most {
                self.keys.insert(mixed);
            }
        }
    }

    /// The share of lookups that an LRU cache of so many entries would answer; `None` where too little was seen, or for more than
    /// [`HORIZON`].
    pub(in super::super) fn hit_ratio_at(&self, entries: usize) -> Option<f64> {
        let all = self.expected;
        if all < FEWEST || entries > HORIZON {
            return None;
        }
        if entries == 0 {
            return Some(0.0);
        }
        let last = bucket(entries as u64);
        let (start, end) = (start_of(last), start_of(last + 1));
        let part = (entries as u64 - start) as f64 / (end - start) as f64;
        let below: f64 = self.distances[..last].iter().sum();
        let hits = below + part * self.distances[last] + (all - self.sampled);
        Some((hits / all).clamp(0.0, 1.0))
    }

    fn make_room(&mut self) {
        while self.keys.is_full() {
            if self.halvings == RAREST {
                self.keys.remove_oldest();
                return;
            }
            self.halvings += 1;
            self.filter = Filter::one_in(self.halvings);
            self.keys.retain_up_to(self.filter.most);
            self.scale(0.5);
        }
    }

    fn scale(&mut self, factor: f64) {
        self.distances.iter_mut().for_each(|count| *count *= factor);
        self.sampled *= factor;
        self.expected *= factor;
    }
}

/// Buckets to each power of two, of which [`HORIZON`] is one.
const STEPS: u64 = 1 << STEP_BITS;
const STEP_BITS: u32 = 4;
/// Distances beyond the horizon, of which there are a few when keys are followed that stand for more, are in the last one.
const BUCKETS: usize = ((HORIZON.ilog2() - STEP_BITS + 1) as usize + 1) << STEP_BITS;

/// Log-linear: distances below 16 are told apart, those above to 1/16.
fn bucket(distance: u64) -> usize {
    let distance = distance.min(2 * HORIZON as u64 - 1);
    let shift = (u64::BITS - distance.leading_zeros()).saturating_sub(STEP_BITS + 1);
    ((u64::from(shift) << STEP_BITS) + (distance >> shift)) as usize
}

/// The least distance of a bucket.
fn start_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    ((bucket & (STEPS - 1)) + STEPS) << ((bucket >> STEP_BITS) - 1)
}

/// The keys that are followed, in the order in which they were looked up.
///
/// Each has the number of a moment. A bit for each moment tells whether it is some key's last, so that the keys that were looked
/// up after another one are counted 64 at a time.
#[derive(Debug)]
struct Keys {
    /// Numbers of keys by their hashes, by linear probing.
    places: Box<[u16; PLACES]>,
    /// By number.
    followed: Vec<Key>,
    /// Numbers by moment; only where `is_last` says so.
    at: Box<[u16; MOMENTS]>,
    is_last: [u64; MOMENTS / 64],
    now: usize,
    free: Vec<u16>,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    hash: u64,
    moment: u16,
}

impl Keys {
    fn new() -> Self {
        Keys {
            places: Box::new([NONE; PLACES]),
            followed: Vec::with_capacity(KEYS),
            at: Box::new([NONE; MOMENTS]),
            is_last: [0; MOMENTS / 64],
            now: 0,
            free: Vec::with_capacity(KEYS),
        }
    }

    fn is_full(&self) -> bool {
        self.followed.len() - self.free.len() >= KEYS
    }

    /// Notes that a key was looked up, and tells how many others were since it was last; `None` if it is not followed.
    fn renew(&mut self, hash: u64) -> Option<usize> {
        let place = self.find(hash).ok()?;
        let number = self.places[place];
        let before = usize::from(self.followed[usize::from(number)].moment);
        let others = self.count_after(before);
        self.is_last[before / 64] &= !(1 << (before % 64));
        self.stamp(number);
        Some(others)
    }

    /// Adds a key that is not followed. There is room.
    fn insert(&mut self, hash: u64) {
        let key = Key { hash, moment: 0 };
        let number = if let Some(number) = self.free.pop() {
            self.followed[usize::from(number)] = key;
            number
        } else {
            self.followed.push(key);
            (self.followed.len() - 1) as u16
        };
        if let Err(place) = self.find(hash) {
            self.places[place] = number;
        }
        self.stamp(number);
    }

    /// Forgets keys with greater hashes.
    fn retain_up_to(&mut self, most: u64) {
        for number in 0..self.followed.len() {
            let Key { hash, moment } = self.followed[number];
            let is_followed = self.number_at(usize::from(moment)) == Some(number as u16);
            if is_followed && hash > most {
                self.remove(usize::from(moment));
            }
        }
    }

    /// Forgets the key that was looked up the longest ago.
    fn remove_oldest(&mut self) {
        let oldest = self.is_last.iter().position(|word| *word != 0);
        if let Some(word) = oldest {
            self.remove(word * 64 + self.is_last[word].trailing_zeros() as usize);
        }
    }

    /// Keys whose last moment is after `moment`.
    fn count_after(&self, moment: usize) -> usize {
        let word = moment / 64;
        // In two steps, since a shift by 64 is none.
        let rest = self.is_last[word] >> (moment % 64) >> 1;
        let more: u32 = self.is_last[word + 1..=self.now.min(MOMENTS - 1) / 64]
            .iter()
            .map(|word| word.count_ones())
            .sum();
        (rest.count_ones() + more) as usize
    }

    fn number_at(&self, moment: usize) -> Option<u16> {
        (self.is_last[moment / 64] >> (moment % 64) & 1 == 1).then(|| self.at[moment])
    }

    /// Makes now the last moment of a key that has none.
    fn stamp(&mut self, number: u16) {
        if self.now == MOMENTS {
            self.renumber();
        }
        let now = self.now;
        self.is_last[now / 64] |= 1 << (now % 64);
        self.at[now] = number;
        self.followed[usize::from(number)].moment = now as u16;
        self.now += 1;
    }

    /// Numbers the moments that are some key's last anew, from 0 on. At most half of them are, so this happens once in 2048
    /// lookups.
    fn renumber(&mut self) {
        let mut next = 0;
        for moment in 0..MOMENTS {
            if let Some(number) = self.number_at(moment) {
                self.at[next] = number;
                self.followed[usize::from(number)].moment = next as u16;
                next += 1;
            }
        }
        self.is_last = core::array::from_fn(|word| match next.saturating_sub(word * 64) {
            0 => 0,
            bits @ 1..64 => (1 << bits) - 1,
            _ => u64::MAX,
        });
        self.now = next;
    }

    /// Forgets the key whose last moment this is.
    fn remove(&mut self, moment: usize) {
        let Some(number) = self.number_at(moment) else { return };
        self.is_last[moment / 64] &= !(1 << (moment % 64));
        self.free.push(number);
        let Ok(mut hole) = self.find(self.followed[usize::from(number)].hash) else { return };
        // Move back what a search would no longer reach across the hole.
        let mut at = hole;
        loop {
            at = (at + 1) % PLACES;
            let other = self.places[at];
            if other == NONE {
                break;
            }
            let start = home(self.followed[usize::from(other)].hash);
            if at.wrapping_sub(start) % PLACES >= at.wrapping_sub(hole) % PLACES {
                self.places[hole] = other;
                hole = at;
            }
        }
        self.places[hole] = NONE;
    }

    /// Where a hash is in the table, or where it would be.
    fn find(&self, hash: u64) -> Result<usize, usize> {
        let mut place = home(hash);
        loop {
            match self.places[place] {
                NONE => return Err(place),
                number if self.followed[usize::from(number)].hash == hash => return Ok(place),
                _ => place = (place + 1) % PLACES,
            }
        }
    }
}

/// Where a search begins: by the lower bits, as the upper ones are alike in all that are followed.
fn home(hash: u64) -> usize {
    hash as usize % PLACES
}

#[cfg(test)]
pub(in super::super) mod traces {
    //! Lookups of many kinds, and what an LRU cache makes of them.

    use std::collections::{BTreeMap, HashMap};

    /// `SplitMix64`.
    pub(in super::super) struct Random(pub u64);

    impl Random {
        pub(in super::super) fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        }

        pub(in super::super) fn below_one(&mut self) -> f64 {
            (self.next() >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    /// Keys by popularity: the n-th most popular is looked up in proportion to 1 / n^skew.
    pub(in super::super) fn zipf(seed: u64, keys: usize, skew: f64, lookups: usize) -> Vec<u64> {
        let mut sums = Vec::with_capacity(keys);
        let mut sum = 0.0;
        for n in 1..=keys {
            sum += (n as f64).powf(-skew);
            sums.push(sum);
        }
        let mut random = Random(seed);
        (0..lookups)
            .map(|_| {
                let point = random.below_one() * sum;
                sums.partition_point(|sum| *sum < point) as u64 + (seed << 32)
            })
            .collect()
    }

    pub(in super::super) fn uniform(seed: u64, keys: u64, lookups: usize) -> Vec<u64> {
        let mut random = Random(seed);
        (0..lookups).map(|_| random.next() % keys + (seed << 32)).collect()
    }

    /// The same keys again and again.
    pub(in super::super) fn looping(seed: u64, keys: u64, lookups: usize) -> Vec<u64> {
        (0..lookups as u64).map(|n| n % keys + (seed << 32)).collect()
    }

    /// Each key once.
    pub(in super::super) fn scan(seed: u64, lookups: usize) -> Vec<u64> {
        (0..lookups as u64).map(|n| n + (seed << 32)).collect()
    }

    /// Of both in turn.
    pub(in super::super) fn mixed(one: Vec<u64>, other: Vec<u64>) -> Vec<u64> {
        one.into_iter().zip(other).flat_map(|(one, other)| [one, other | 1 << 60]).collect()
    }

    /// An LRU cache that can be made larger.
    #[derive(Default)]
    pub(in super::super) struct Lru {
        last: HashMap<u64, u64>,
        order: BTreeMap<u64, u64>,
        now: u64,
    }

    impl Lru {
        /// Whether it was there.
        pub(in super::super) fn look_up(&mut self, key: u64, max_size: usize) -> bool {
            self.now += 1;
            let before = self.last.insert(key, self.now);
            if let Some(before) = before {
                self.order.remove(&before);
            }
            self.order.insert(self.now, key);
            while self.last.len() > max_size {
                let Some((_, key)) = self.order.pop_first() else { break };
                self.last.remove(&key);
            }
            before.is_some()
        }

        pub(in super::super) fn len(&self) -> usize {
            self.last.len()
        }
    }

    /// The shares of `trace` that LRU caches of so many entries answer: from the distances of all keys, which a tree of sums counts
    /// (P. Fenwick, 1994).
    pub(in super::super) fn hit_ratios<const N: usize>(trace: &[u64], sizes: [usize; N]) -> [f64; N] {
        let mut tree = vec![0_i32; trace.len() + 1];
        let add = |tree: &mut [i32], mut at: usize, what| {
            while at < tree.len() {
                tree[at] += what;
                at += at & at.wrapping_neg();
            }
        };
        let sum = |tree: &[i32], mut at: usize| {
            let mut sum = 0;
            while at > 0 {
                sum += tree[at];
                at &= at - 1;
            }
            sum
        };
        let (mut last, mut hits) = (HashMap::new(), [0_u32; N]);
        for (at, key) in (1..).zip(trace) {
            if let Some(before) = last.insert(*key, at) {
                let others = (sum(&tree, at - 1) - sum(&tree, before)) as usize;
                (0..N).filter(|n| others < sizes[*n]).for_each(|n| hits[n] += 1);
                add(&mut tree, before, -1);
            }
            add(&mut tree, at, 1);
        }
        hits.map(|hits| f64::from(hits) / trace.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn curve(max_size: usize, trace: &[u64]) -> Curve {
        let mut curve = Curve::new(max_size);
        for key in trace {
            curve.record(*key);
        }
        curve
    }

    #[test]
    fn it_is_within_three_points_of_a_cache_of_that_size() {
        use traces::{looping, mixed, scan, uniform, zipf};
        let length = 200_000;
        type Make = fn(u64, usize) -> Vec<u64>;
        let kinds: [(&str, Make); 8] = [
            ("zipf 0.7", |seed, length| zipf(seed, 100_000, 0.7, length)),
            ("zipf 0.9", |seed, length| zipf(seed, 100_000, 0.9, length)),
            ("zipf 1.1", |seed, length| zipf(seed, 100_000, 1.1, length)),
            ("zipf 1.0 of 300", |seed, length| zipf(seed, 300, 1.0, length)),
            ("uniform of 30,000", |seed, length| uniform(seed, 30_000, length)),
            ("loop of 12,000", |seed, length| looping(seed, 12_000, length)),
            ("scan", scan),
            ("zipf 0.9 and a scan", |seed, length| {
                mixed(zipf(seed, 100_000, 0.9, length / 2), scan(seed, length / 2))
            }),
        ];
        let (mut sum, mut all) = (0.0, 0);
        for (name, make) in kinds {
            let (mut errors, mut worst) = (0.0, 0.0_f64);
            let sizes = [1_000, 2_500, 10_000, 20_000, 50_000];
            for seed in 1..=3 {
                let trace = make(seed, length);
                let curve = curve(2_500, &trace);
                for (size, exact) in sizes.into_iter().zip(traces::hit_ratios(&trace, sizes)) {
                    let error = (curve.hit_ratio_at(size).unwrap() - exact).abs();
                    errors += error;
                    worst = worst.max(error);
                }
            }
            let mean = errors / 15.0;
            println!("{name}: mean error {:.2} points, at most {:.2}", mean * 100.0, worst * 100.0);
            assert!(mean < 0.03, "{name}: {mean}");
            (sum, all) = (sum + mean, all + 1);
        }
        println!("mean of all {:.2}", sum / f64::from(all) * 100.0);
        assert!(sum / f64::from(all) < 0.015);
    }

    #[test]
    fn it_says_nothing_of_what_it_did_not_see() {
        let mut curve = Curve::new(1_000);
        assert_eq!(curve.hit_ratio_at(100), None);
        for key in traces::uniform(1, 500, 5_000) {
            curve.record(key);
        }
        assert!(curve.hit_ratio_at(500).is_some_and(|ratio| ratio > 0.8));
        assert_eq!(curve.hit_ratio_at(0), Some(0.0));
        assert_eq!(curve.hit_ratio_at(HORIZON + 1), None);
        assert!(curve.hit_ratio_at(HORIZON).is_some());
    }

    #[test]
    fn the_filter_lets_pass_what_is_recorded() {
        let (mut all, mut filtered) = (Curve::new(20_000), Curve::new(20_000));
        let trace = traces::zipf(7, 50_000, 0.9, 300_000);
        let mut passed = 0;
        for chunk in trace.chunks(1_000) {
            for key in chunk {
                all.record(*key);
                let filter = Filter::from_bits(filtered.filter().to_bits());
                if filter.follows(*key) {
                    passed += 1;
                    filtered.record_followed(*key);
                }
            }
            filtered.count(1_000);
        }
        for size in [1_000, 20_000, 50_000] {
            let difference = all.hit_ratio_at(size).unwrap() - filtered.hit_ratio_at(size).unwrap();
            assert!(difference.abs() < 0.005, "{size}: {difference}");
        }
        assert!(passed < trace.len() / 12, "{passed} took the lock");
    }

    /// Neither keys without end nor their number make it forget those that come back.
    #[test]
    fn a_scan_does_not_drive_out_the_rest() {
        let mut curve = curve(10_000, &traces::scan(1, 1_000_000));
        assert!(curve.hit_ratio_at(50_000).unwrap() < 0.01);
        for key in traces::looping(2, 20_000, 1_200_000) {
            curve.record(key);
        }
        assert!(curve.hit_ratio_at(30_000).unwrap() > 0.6);
        assert!(curve.hit_ratio_at(10_000).unwrap() < 0.1);
    }

    #[test]
    fn it_follows_change() {
        let mut curve = curve(2_000, &traces::uniform(1, 40_000, 700_000));
        assert!(curve.hit_ratio_at(2_000).unwrap() < 0.1);
        for key in traces::uniform(2, 2_000, 1_500_000) {
            curve.record(key);
        }
        assert!(curve.hit_ratio_at(2_000).unwrap() > 0.8, "{:?}", curve.hit_ratio_at(2_000));
    }

    #[test]
    fn buckets_are_in_order_and_reach_the_horizon() {
        for n in 0..BUCKETS - 1 {
            assert_eq!((bucket(start_of(n)), bucket(start_of(n + 1) - 1)), (n, n));
        }
        assert_eq!(bucket(HORIZON as u64), BUCKETS - STEPS as usize);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn its_memory_is_fixed() {
        let bytes =
            size_of::<Curve>() + PLACES * 2 + MOMENTS * 2 + KEYS * (size_of::<Key>() + 2) + BUCKETS * 8;
        assert!(bytes <= 55 * 1024, "{bytes}");
        let mut curve = Curve::with_share(0);
        let before = (curve.keys.followed.capacity(), curve.keys.free.capacity());
        for key in 0..1_000_000 {
            curve.record(key);
        }
        assert_eq!((curve.keys.followed.capacity(), curve.keys.free.capacity()), before);
    }

    proptest! {
        /// Beside a list of keys, the one that was looked up last at its end.
        #[test]
        fn distances_are_exact_among_the_keys_that_are_followed(
            lookups in vec((0..40_u64, 0..20_u8), 0..6_000)
        ) {
            let (mut keys, mut model) = (Keys::new(), Vec::new());
            for (key, kind) in lookups {
                // With places in the table that clash.
                let hash = key % 7 + (key << 20);
                if kind == 0 {
                    keys.remove_oldest();
                    if !model.is_empty() {
                        model.remove(0);
                    }
                } else if kind == 1 {
                    keys.retain_up_to(hash);
                    model.retain(|other| *other <= hash);
                } else {
                    let place = model.iter().position(|other| *other == hash);
                    prop_assert_eq!(keys.renew(hash), place.map(|place| model.len() - 1 - place));
                    match place {
                        Some(place) => _ = model.remove(place),
                        None => keys.insert(hash),
                    }
                    model.push(hash);
                }
                prop_assert_eq!(keys.followed.len() - keys.free.len(), model.len());
            }
        }
    }
}
