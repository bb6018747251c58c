//! The miss-ratio curve of a cache that many threads look into.
//!
//! The filter is beside the lock, so that a lookup of a key that is not followed, which is nearly every one, costs a load, two
//! multiplications and a comparison, and while there is no curve the same. The few others wait for the lock: a list of what is to
//! be recorded later would be shared, too.

use super::curve::{Curve, Filter};
use crate::sync::{AtomicU64, Mutex, Ordering};

/// See the module.
#[derive(Debug)]
pub(in super::super) struct Sampler {
    /// Bits of a [`Filter`]; a copy, which may let more pass than are followed.
    filter: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    curve: Option<Box<Curve>>,
    /// Lookups of the cache that the curve was told of.
    counted: u64,
}

impl Sampler {
    /// Without a curve, which costs nothing but this.
    pub(in super::super) const fn new() -> Self {
        Sampler { filter: AtomicU64::new(0), state: Mutex::new(State { curve: None, counted: 0 }) }
    }

    /// Begins a curve for a cache that has so many entries at most, and has counted so many lookups, unless there is one.
    #[inline]
    pub(in super::super) fn start(&self, max_size: usize, lookups: u64) {
        let mut state = self.state.lock();
        if state.curve.is_none() {
            let curve = Box::new(Curve::new(max_size));
            self.filter.store(curve.filter().to_bits(), Ordering::Relaxed);
            *state = State { curve: Some(curve), counted: lookups };
        }
    }

    /// Gives the memory back.
    #[inline]
    pub(in super::super) fn stop(&self) {
        self.filter.store(0, Ordering::Relaxed);
        let curve = self.state.lock().curve.take();
        drop(curve);
    }

    /// A key was looked up. To be called with no lock held.
    #[inline]
    pub(in super::super) fn look_up(&self, hash: u64) {
        if Filter::from_bits(self.filter.load(Ordering::Relaxed)).follows(hash) {
            self.record(hash);
        }
    }

    #[cold]
    #[inline]
    fn record(&self, hash: u64) {
        let mut state = self.state.lock();
        let Some(curve) = &mut state.curve else { return };
        let before = curve.filter();
        curve.record_followed(hash);
        if curve.filter() != before {
            self.filter.store(curve.filter().to_bits(), Ordering::Relaxed);
        }
    }

    /// What the curve says, for a cache that has counted so many lookups by now; `None` without a curve.
    #[inline]
    pub(in super::super) fn read<R>(&self, lookups: u64, read: impl FnOnce(&Curve) -> R) -> Option<R> {
        let mut state = self.state.lock();
        let State { curve, counted } = &mut *state;
        let curve = curve.as_mut()?;
        // Fewer where the counters were read while others counted, or were reset.
        curve.count(lookups.saturating_sub(*counted));
        *counted = lookups;
        Some(read(curve))
    }
}

#[cfg(test)]
mod tests {
    use super::super::curve::traces;
    use super::*;

    #[test]
    fn threads_draw_one_curve() {
        let sampler = Sampler::new();
        sampler.look_up(0);
        assert_eq!(sampler.read(1, |_| ()), None);
        sampler.start(5_000, 1);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for key in traces::uniform(1, 10_000, 50_000) {
                        sampler.look_up(key);
                    }
                });
            }
        });
        let ratio = sampler.read(200_001, |curve| curve.hit_ratio_at(20_000)).flatten().unwrap();
        assert!((ratio - 0.95).abs() < 0.03, "{ratio}");
        sampler.start(10, 0);
        assert!(
            sampler.read(200_001, |curve| curve.hit_ratio_at(20_000)).flatten().is_some(),
            "it is the same"
        );
        sampler.stop();
        assert_eq!(sampler.read(0, |_| ()), None);
    }

    /// The filter becomes finer, and is told so.
    #[test]
    fn fewer_keys_take_the_lock_over_time() {
        let sampler = Sampler::new();
        sampler.start(1_000, 0);
        let before = sampler.filter.load(Ordering::Relaxed);
        for key in traces::scan(1, 200_000) {
            sampler.look_up(key);
        }
        let after = sampler.filter.load(Ordering::Relaxed);
        assert!(after <= before / 8, "{before} {after}");
        assert_eq!(sampler.read(200_000, |curve| curve.filter().to_bits()), Some(after));
    }
}
