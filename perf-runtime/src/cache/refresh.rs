//! When a kept result is computed again: before its time is up, after, or only if need be.
//!
//! *Before*: each hit draws whether it is the one that refreshes, the more likely the nearer the end and the longer the body
//! takes, so that a hot key is computed again shortly before it would be missed, and callers who act on their own, also in other
//! processes, seldom do so together: `XFetch` (A. Vattani, F. Chierichetti, K. Lowenstein, "Optimal Probabilistic Cache Stampede
//! Prevention", VLDB 2015). *After*: within the stale window the old result is handed out while one caller computes a new one
//! (RFC 5861, `stale-while-revalidate` and `stale-if-error`).
//!
//! All of it is a rule on numbers. It reads no clock, takes no lock and keeps nothing but a thread's random numbers.

use core::cell::Cell;
use core::hash::{BuildHasher, Hasher};
use std::collections::hash_map::RandomState;

use crate::sync::thread_local;

/// What is to be done with an entry that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Hand it out.
    Fresh,
    /// Hand it out; this caller, if nobody does so yet, computes it again.
    RefreshEarly,
    /// Its time is up. Hand it out as long as somebody computes it again; this caller, if nobody does so yet.
    Stale,
    /// Compute it; hand this one out only if that fails.
    OnlyIfError,
    /// It is as if it were not there.
    Gone,
}

/// How a cache treats the time of its entries. Times are in ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    /// How eager early refreshes are: 1 is what the authors recommend, more is earlier, 0 is never.
    pub(super) beta: f64,
    /// For how long after its end an entry is handed out while it is computed again.
    pub(super) stale: u64,
    /// For how long after its end an entry is handed out where computing it again fails.
    pub(super) stale_if_error: u64,
}

impl Windows {
    /// An entry is good until its time is up, and then gone.
    #[cfg(test)]
    pub(super) const NONE: Windows = Windows { beta: 0.0, stale: 0, stale_if_error: 0 };

    /// For how long after its end an entry is of any use: a store keeps it until then.
    pub(super) fn longest(&self) -> u64 {
        self.stale.max(self.stale_if_error)
    }

    /// What is to be done at `now` with an entry that `expires` then and took `load` to compute, in ticks. `random` is asked only
    /// near the end.
    #[inline]
    pub(super) fn freshness(
        &self,
        now: u64,
        expires: u64,
        load: u64,
        random: impl FnOnce() -> f64,
    ) -> Freshness {
        if now < expires {
            return if is_early(now, expires, load, self.beta, random) {
                Freshness::RefreshEarly
            } else {
                Freshness::Fresh
            };
        }
        let late = now - expires;
        if late < self.stale {
            Freshness::Stale
        } else if late < self.stale_if_error {
            Freshness::OnlyIfError
        } else {
            Freshness::Gone
        }
    }
}

/// No draw is farther from the end than this many times the body's time: `random` is at least 2⁻⁵³.
const FARTHEST: f64 = 37.0;

/// Whether a hit at `now` refreshes an entry that `expires` later and took `load` to compute. `random` is above 0 and at most 1.
#[inline]
fn is_early(now: u64, expires: u64, load: u64, beta: f64, random: impl FnOnce() -> f64) -> bool {
    if expires == u64::MAX {
        return false;
    }
    let (left, scale) = (expires.saturating_sub(now) as f64, load as f64 * beta);
    // Most hits are far from the end and draw nothing.
    left < scale * FARTHEST && left <= scale * -random().ln()
}

thread_local! {
    /// The state of this thread's random numbers; 0 before the first.
    static STATE: Cell<u64> = const { Cell::new(0) };
}

/// A number above 0 and at most 1, by `SplitMix64` (G. Steele, D. Lea, C. Flood, OOPSLA 2014): one addition and three
/// multiplications or shifts.
pub(super) fn random() -> f64 {
    let number = STATE.try_with(|state| {
        let before = match state.get() {
            0 => RandomState::new().build_hasher().finish(),
            before => before,
        };
        let next = before.wrapping_add(0x9E37_79B9_7F4A_7C15);
        state.set(next);
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    });
    // A thread that ends refreshes nothing.
    number.map_or(1.0, |number| ((number >> 11) + 1) as f64 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: Windows = Windows { beta: 1.0, stale: 100, stale_if_error: 300 };

    #[test]
    fn an_entry_ages() {
        let at = |now| WINDOWS.freshness(now, 1_000, 10, || 0.5);
        assert_eq!(at(0), Freshness::Fresh);
        // 10 x ln 2 is 6.9.
        assert_eq!((at(993), at(994)), (Freshness::Fresh, Freshness::RefreshEarly));
        assert_eq!((at(1_000), at(1_099)), (Freshness::Stale, Freshness::Stale));
        assert_eq!((at(1_100), at(1_299)), (Freshness::OnlyIfError, Freshness::OnlyIfError));
        assert_eq!((at(1_300), at(u64::MAX)), (Freshness::Gone, Freshness::Gone));
        assert_eq!(WINDOWS.longest(), 300);
    }

    #[test]
    fn without_windows_an_entry_is_good_or_gone() {
        let at =
            |now| Windows::NONE.freshness(now, 1_000, u64::MAX, || unreachable!("there is nothing to draw"));
        assert_eq!((at(0), at(999), at(1_000)), (Freshness::Fresh, Freshness::Fresh, Freshness::Gone));
    }

    #[test]
    fn what_never_expires_is_always_fresh() {
        let now = WINDOWS.freshness(u64::MAX - 1, u64::MAX, u64::MAX, || unreachable!("nothing is drawn"));
        assert_eq!(now, Freshness::Fresh);
    }

    #[test]
    fn far_from_the_end_nothing_is_drawn() {
        let far = WINDOWS.freshness(0, 371, 10, || unreachable!("it is too far"));
        assert_eq!(far, Freshness::Fresh);
        assert_eq!(WINDOWS.freshness(2, 371, 10, || 1.0 / (1_u64 << 53) as f64), Freshness::Fresh);
        assert_eq!(WINDOWS.freshness(5, 371, 10, || 1.0 / (1_u64 << 53) as f64), Freshness::RefreshEarly);
    }

    #[test]
    fn random_numbers_are_spread_evenly() {
        let (mut sum, mut least, mut most) = (0.0, 1.0_f64, 0.0_f64);
        for _ in 0..100_000 {
            let number = random();
            assert!(number > 0.0 && number <= 1.0);
            (sum, least, most) = (sum + number, least.min(number), most.max(number));
        }
        assert!((sum / 100_000.0 - 0.5).abs() < 0.01, "{sum}");
        assert!(least < 0.001 && most > 0.999, "{least} {most}");
    }

    /// Hits each `gap` ticks on a key that takes `load` to compute. Gives how many of them refresh before the first refresh is
    /// done, and whether the key's time was up before that.
    fn one_life(beta: f64, gap: u64, load: u64) -> (u32, bool) {
        let expires = 1_000_000;
        let (mut refreshes, mut done) = (0, u64::MAX);
        // Farther from the end than one hit in a million reaches.
        let mut now = expires - (15.0 * beta * load as f64) as u64;
        while now < done && now < expires {
            if is_early(now, expires, load, beta, random) {
                refreshes += 1;
                done = done.min(now + load);
            }
            now += gap;
        }
        (refreshes, done > expires)
    }

    /// With `n` hits during one computation the first refresh comes about `load x ln n` before the end. While it runs the
    /// likelihood grows by a factor of e, so callers who know nothing of each other begin e computations on average, with `beta`
    /// 2 the root of e; a store lets one of them through.
    #[test]
    fn a_hot_key_is_refreshed_about_once_before_it_is_missed() {
        let lives = 3_000;
        for (beta, expected) in [(1.0, core::f64::consts::E), (2.0, core::f64::consts::E.sqrt())] {
            let (mut begun, mut misses) = (0, 0);
            for _ in 0..lives {
                let (refreshes, was_missed) = one_life(beta, 50, 10_000);
                begun += refreshes;
                misses += u32::from(was_missed);
            }
            let mean = f64::from(begun) / f64::from(lives);
            assert!((mean - expected).abs() < 0.15, "beta {beta}: {mean} computations begin, not {expected}");
            // e^(-n/e) where n hits come during one computation.
            assert!(misses < lives / 100, "beta {beta}: {misses} of {lives} were missed");
        }
    }
}
