//! Keys in the order in which a cache is asked for them: one trace for each way in which policies differ.
//!
//! The same seed gives the same keys.

/// Keys that are popular by Zipf's law. Those that come once, and loops, have others.
const KEYS: usize = 100_000;
/// Keys of a trace.
pub const LENGTH: usize = 600_000;

/// A name for the head of a column, and the keys.
#[derive(Clone, Debug)]
pub struct Trace {
    /// As short as a column is wide.
    pub name: &'static str,
    /// The keys in order.
    pub keys: Vec<u64>,
}

/// All traces with `length` keys each.
#[must_use]
pub fn all(seed: u64, length: usize) -> Vec<Trace> {
    let popular = Zipf::new(0.9);
    let zipf = |exponent| take(length, Zipf::new(exponent).keys(seed));
    let trace = |name, keys| Trace { name, keys };
    vec![
        trace("zipf .7", zipf(0.7)),
        trace("zipf .9", zipf(0.9)),
        trace("zipf 1.1", zipf(1.1)),
        trace("scans", take(length, scans(&popular, seed))),
        trace("one-hit", take(length, one_hit_wonders(&popular, seed))),
        trace("loop", take(length, (0..12_000).cycle())),
        trace("z./loop", take(length, zipf_and_loop(&popular, seed))),
        trace("reshuf.", take(length, reshuffled(&popular, seed, length / 4))),
        trace("window", take(length, moving_window(seed))),
    ]
}

fn take(length: usize, keys: impl Iterator<Item = u64>) -> Vec<u64> {
    keys.take(length).collect()
}

/// Zipf .9, each 20,000 keys followed by a scan of 5,000 keys that come once.
fn scans(popular: &Zipf, seed: u64) -> impl Iterator<Item = u64> {
    let (mut keys, mut once) = (popular.keys(seed), KEYS as u64..);
    (0_u64..).filter_map(move |n| if n % 25_000 < 20_000 { keys.next() } else { once.next() })
}

/// Zipf .9, every other key one that comes once.
fn one_hit_wonders(popular: &Zipf, seed: u64) -> impl Iterator<Item = u64> {
    let (mut keys, mut once, mut random) = (popular.keys(seed), KEYS as u64.., Random(!seed));
    core::iter::repeat_with(move || if random.next() & 1 == 0 { keys.next() } else { once.next() }).flatten()
}

/// Zipf .9 and a loop of 6,000 keys, by turns of 6,000.
fn zipf_and_loop(popular: &Zipf, seed: u64) -> impl Iterator<Item = u64> {
    let (mut keys, mut round) = (popular.keys(seed), (KEYS as u64..KEYS as u64 + 6_000).cycle());
    (0_u64..).filter_map(move |n| if n / 6_000 % 2 == 0 { keys.next() } else { round.next() })
}

/// Zipf .9; after each `interval` keys others are the popular ones.
fn reshuffled(popular: &Zipf, seed: u64, interval: usize) -> impl Iterator<Item = u64> {
    let (mut keys, mut random) = (popular.keys(seed), Random(!seed));
    let mut names: Vec<u64> = (0..KEYS as u64).collect();
    (0_usize..).filter_map(move |n| {
        if n % interval == 0 {
            for last in (1..names.len()).rev() {
                names.swap(last, random.below(last + 1));
            }
        }
        keys.next().map(|key| names[key as usize])
    })
}

/// Keys near one that moves on by one each 35 keys: the nearest most often, exponentially, 2,000 away on average.
fn moving_window(seed: u64) -> impl Iterator<Item = u64> {
    let mut random = Random(seed);
    (0_u64..).map(move |n| n / 35 + (-random.unit().ln() * 2_000.0) as u64)
}

/// Zipf's law: the sums of the frequencies up to each key.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(exponent: f64) -> Self {
        let mut sum = 0.0;
        Zipf(
            (1..=KEYS)
                .map(|rank| {
                    sum += (rank as f64).powf(-exponent);
                    sum
                })
                .collect(),
        )
    }

    fn keys(&self, seed: u64) -> impl Iterator<Item = u64> {
        let (sums, mut random) = (&self.0, Random(seed));
        core::iter::repeat_with(move || {
            let at = random.unit() * sums[KEYS - 1];
            sums.partition_point(|sum| *sum < at) as u64
        })
    }
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Above 0 and at most 1.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }
}
