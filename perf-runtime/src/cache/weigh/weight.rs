//! The weight of an entry in 16 bits, so that a cache bounded by memory pays two bytes an entry for it.
//!
//! Log-linear, as the buckets of `HdrHistogram` (G. Tene): numbers below 2048 stand for themselves, and above that each power of
//! two is divided into 1024 steps, which reaches to the largest `u64` with codes to spare. A number is rounded to the nearest
//! step, so what is read back is off by 1/2048 at most. The order of numbers is kept, and what was read back is packed into the
//! same code again, so that what is added to a sum when an entry comes is what is taken from it when it goes, as long as both are
//! read from the code.

/// Steps to each power of two.
const STEPS: u64 = 1 << BITS;
const BITS: u32 = 10;

/// The code of the largest number.
const LARGEST: u64 = 54 * STEPS + (STEPS - 1);

/// A weight in bytes, packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Weight(u16);

impl Weight {
    /// Packs a number of bytes.
    #[inline]
    pub(in super::super) const fn new(bytes: u64) -> Self {
        if bytes < 2 * STEPS {
            return Weight(bytes as u16);
        }
        // The top bit is one of the bits that are kept, which leaves STEPS..2 * STEPS.
        let shift = u64::BITS - bytes.leading_zeros() - (BITS + 1);
        let nearest = (bytes >> shift) + (bytes >> (shift - 1) & 1);
        // Rounded up to the next power of two, the step too many goes over to the next shift.
        let code = ((shift as u64) << BITS) + nearest;
        Weight(if code < LARGEST { code } else { LARGEST } as u16)
    }

    /// The number of bytes, to within 1/2048.
    #[inline]
    pub(in super::super) const fn bytes(self) -> u64 {
        let code = self.0 as u64;
        if code < 2 * STEPS {
            return code;
        }
        ((code & (STEPS - 1)) + STEPS) << ((code >> BITS) - 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers() -> impl Strategy<Value = u64> {
        (0..64_u32, any::<u64>()).prop_map(|(shift, number)| number >> shift)
    }

    proptest! {
        #[test]
        fn a_number_is_read_back_nearly(bytes in numbers()) {
            let back = Weight::new(bytes).bytes();
            prop_assert!(back.abs_diff(bytes) as f64 <= bytes as f64 / 2048.0, "{} as {}", bytes, back);
            prop_assert_eq!(Weight::new(back), Weight::new(bytes));
            prop_assert_eq!(Weight::new(back).bytes(), back);
        }

        #[test]
        fn the_order_is_kept(one in numbers(), other in numbers()) {
            let (least, most) = (one.min(other), one.max(other));
            prop_assert!(Weight::new(least) <= Weight::new(most));
            prop_assert!(Weight::new(least).bytes() <= Weight::new(most).bytes());
        }
    }

    #[test]
    fn small_numbers_are_exact_and_the_edges_join() {
        for bytes in 0..=2048 {
            assert_eq!(Weight::new(bytes).bytes(), bytes);
        }
        // Halfway it is rounded up.
        assert_eq!(Weight::new(2049).bytes(), 2050);
        for power in 11..64 {
            let bytes = 1_u64 << power;
            assert_eq!(Weight::new(bytes).bytes(), bytes);
            assert_eq!(Weight::new(bytes - 1).bytes(), if power < 12 { bytes - 1 } else { bytes });
        }
        assert_eq!(Weight::new(u64::MAX).bytes(), u64::MAX - (u64::MAX >> 11));
        assert_eq!(Weight::default().bytes(), 0);
    }
}
