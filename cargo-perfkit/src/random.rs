//! Random numbers for orders and choices, which only have to be unlike what the machine does by itself.

use std::hash::{BuildHasher, RandomState};

/// Xorshift (G. Marsaglia, 2003).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// One that gives other numbers in each run.
    pub(crate) fn new() -> Self {
        Random::seeded(RandomState::new().hash_one(std::process::id()))
    }

    /// One that always gives the same.
    pub(crate) fn seeded(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        // The first numbers of similar seeds are similar.
        for _ in 0..8 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Less than `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 1
    }
}
