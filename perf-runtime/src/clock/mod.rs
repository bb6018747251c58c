//! Time in *ticks*: as cheap to read as the machine allows, converted to [`Duration`] only when somebody looks.
//!
//! A tick is a cycle of the time-stamp counter where that counter is invariant and the kernel itself keeps time with it, and
//! a nanosecond of the operating system's monotonic clock everywhere else. Reading the counter costs a third of what
//! [`Instant::now`] costs, which is most of what a profiled call costs.
//!
//! A difference of two readings must be taken with `saturating_sub`: two cores' counters may disagree by a few ticks.

mod tsc;

use core::time::Duration;
use std::sync::OnceLock;
use std::time::Instant;

use crate::sync::{AtomicU8, AtomicU64, Ordering};

/// Which clock [`now`] reads. Decided once, on the first reading.
static SOURCE: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const COUNTER: u8 = 1;
const SYSTEM: u8 = 2;

/// A moment read on both clocks, from which the length of a tick is derived later.
static ANCHOR: OnceLock<Anchor> = OnceLock::new();

struct Anchor {
    instant: Instant,
    ticks: u64,
}

/// The current time in ticks.
#[inline]
#[must_use]
pub fn now() -> u64 {
    if is_counter() { tsc::read() } else { now_slow() }
}

/// Whether a tick is a cycle of the processor's counter, and [`counter`] may be read instead of [`now`].
#[inline]
pub(crate) fn is_counter() -> bool {
    SOURCE.load(Ordering::Relaxed) == COUNTER
}

/// The same as [`now`] where [`is_counter`], without the question.
#[inline]
pub(crate) fn counter() -> u64 {
    tsc::read()
}

/// Lets what was to be done before a reading of the counter be done, and what comes after it wait. That costs as much as the reading itself.
#[inline]
pub(crate) fn fence() {
    tsc::fence();
}

/// The first reading of all, and every reading on a machine whose counter cannot be trusted.
#[cold]
#[inline(never)]
fn now_slow() -> u64 {
    match SOURCE.load(Ordering::Relaxed) {
        // Never zero, as the counter never is.
        SYSTEM => nanos_since(anchor().instant).saturating_add(1),
        _ => anchor().ticks,
    }
}

fn nanos_since(instant: Instant) -> u64 {
    u64::try_from(instant.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn anchor() -> &'static Anchor {
    ANCHOR.get_or_init(|| {
        let counter = tsc::is_trustworthy();
        let instant = Instant::now();
        let ticks = if counter { tsc::read() } else { 1 };
        SOURCE.store(if counter { COUNTER } else { SYSTEM }, Ordering::Relaxed);
        Anchor { instant, ticks }
    })
}

/// The exchange rate between ticks and time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    nanos_per_tick: f64,
}

impl Rate {
    /// How long `ticks` are.
    #[must_use]
    pub fn duration(self, ticks: u64) -> Duration {
        let nanos = ticks as f64 * self.nanos_per_tick;
        // Beyond 2^53 a float no longer holds every nanosecond; 104 days of one function are past caring for one.
        Duration::from_nanos(nanos.round() as u64)
    }

    /// How many ticks `duration` takes; saturates.
    #[must_use]
    pub fn ticks(self, duration: Duration) -> u64 {
        (duration.as_nanos() as f64 / self.nanos_per_tick).ceil() as u64
    }
}

/// The measured rate, as bits of an `f64`; zero until it has been measured over [`LONG_BASELINE`].
static SETTLED: AtomicU64 = AtomicU64::new(0);
/// Readings of both clocks a second apart fix the rate to 0.1 parts per million, which needs no improvement.
const LONG_BASELINE: Duration = Duration::from_secs(1);
/// The rate is never derived from less than this: two reads 50 ns late on 2 ms are 25 parts per million.
const SHORT_BASELINE: Duration = Duration::from_millis(2);

/// The current exchange rate. Within the first two milliseconds after the first reading this waits until they are over.
#[must_use]
pub fn rate() -> Rate {
    let anchor = anchor();
    if SOURCE.load(Ordering::Relaxed) == SYSTEM {
        return Rate { nanos_per_tick: 1.0 };
    }
    let settled = SETTLED.load(Ordering::Relaxed);
    if settled != 0 {
        return Rate { nanos_per_tick: f64::from_bits(settled) };
    }
    let elapsed = loop {
        let elapsed = anchor.instant.elapsed();
        if elapsed >= SHORT_BASELINE {
            break elapsed;
        }
        core::hint::spin_loop();
    };
    let ticks = tsc::read().saturating_sub(anchor.ticks).max(1);
    let nanos_per_tick = elapsed.as_nanos() as f64 / ticks as f64;
    if elapsed >= LONG_BASELINE {
        SETTLED.store(nanos_per_tick.to_bits(), Ordering::Relaxed);
    }
    Rate { nanos_per_tick }
}

/// Ticks at the first reading of the clock in this process: when measuring began.
#[must_use]
pub fn origin() -> u64 {
    anchor().ticks
}

/// As on a machine whose counter cannot be trusted. To be called before the first reading.
#[cfg(test)]
pub(crate) fn use_system() {
    SOURCE.store(SYSTEM, Ordering::Relaxed);
    ANCHOR.get_or_init(|| Anchor { instant: Instant::now(), ticks: 1 });
    assert!(!is_counter());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_agree_with_the_system_clock() {
        let (start, ticks) = (Instant::now(), now());
        while start.elapsed() < Duration::from_millis(20) {}
        let measured = rate().duration(now() - ticks);
        let truth = start.elapsed();
        assert!(measured <= truth + Duration::from_millis(1), "{measured:?} of {truth:?}");
        assert!(measured >= Duration::from_millis(19), "{measured:?} of {truth:?}");
    }

    #[test]
    fn conversion_goes_both_ways() {
        let rate = rate();
        for nanos in [0, 1, 999, 1_000_000, 3_600_000_000_000] {
            let duration = Duration::from_nanos(nanos);
            let back = rate.duration(rate.ticks(duration));
            assert!(back.abs_diff(duration) <= Duration::from_nanos(2), "{duration:?} came back as {back:?}");
        }
    }
}
