//! Numbers drawn with a seed: the same samples give the same interval, on every machine.
//!
//! Xorshift (G. Marsaglia, "Xorshift RNGs", 2003), which is good enough to draw samples. Must never be seeded from a clock.

pub(crate) struct Random(u64);

impl Random {
    /// `seed` is not 0.
    pub(crate) const fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// One of `0..bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * bound as u128) >> 64) as usize
    }

    /// At least 0, less than 1.
    #[cfg(test)]
    pub(super) fn unit(&mut self) -> f64 {
        self.below(1 << 53) as f64 / (1_u64 << 53) as f64
    }

    /// Normally distributed, by the central limit theorem: good to three deviations.
    #[cfg(test)]
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}
