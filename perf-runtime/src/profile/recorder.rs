//! Durations as they come: a short buffer in front of a histogram.
//!
//! Finding a bucket and counting in it costs ten nanoseconds at the end of a call; putting the duration into a buffer costs one. The buffer is
//! emptied into the histogram when it is full, and a reader reads both.

use core::time::Duration;

use super::histogram::{Counts, Histogram};
use crate::sync::{AtomicU32, AtomicU64, Ordering, fence, sleep, yield_now};

const BUFFER: usize = 64;

/// Durations of one site on one thread. Written by that thread, read by any.
pub(super) struct Recorder {
    len: AtomicU32,
    /// Odd while the buffer is being emptied: then what is read may be counted twice or not at all.
    version: AtomicU32,
    buffer: [AtomicU64; BUFFER],
    histogram: Histogram,
    /// Of what is in the histogram.
    sum: AtomicU64,
    count: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
}

impl Recorder {
    pub(super) const fn new() -> Self {
        Recorder {
            len: AtomicU32::new(0),
            version: AtomicU32::new(0),
            buffer: [const { AtomicU64::new(0) }; BUFFER],
            histogram: Histogram::new(),
            sum: AtomicU64::new(0),
            count: AtomicU64::new(0),
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
        }
    }

    /// Notes one duration. Only the owning thread may call this.
    pub(super) fn record(&self, ticks: u64) {
        if !self.has_recorded(ticks) {
            self.record_in_full(ticks);
        }
    }

    /// The same, unless the buffer is full: then nothing is noted, and is for [`record_in_full`](Self::record_in_full) to do.
    #[inline]
    pub(super) fn has_recorded(&self, ticks: u64) -> bool {
        let len = self.len.load(Ordering::Relaxed);
        let Some(slot) = self.buffer.get(len as usize) else { return false };
        slot.store(ticks, Ordering::Relaxed);
        self.len.store(len + 1, Ordering::Release);
        true
    }

    /// Empties the buffer and notes the duration; returns the mean of what was in the buffer.
    #[cold]
    #[inline(never)]
    pub(super) fn record_in_full(&self, ticks: u64) -> f64 {
        let before = self.sum.load(Ordering::Relaxed);
        self.empty();
        self.has_recorded(ticks);
        self.sum.load(Ordering::Relaxed).wrapping_sub(before) as f64 / BUFFER as f64
    }

    fn empty(&self) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        let mut durations = [0; BUFFER];
        for (duration, slot) in durations.iter_mut().zip(&self.buffer) {
            *duration = slot.load(Ordering::Relaxed);
        }
        // Before the histogram, which may allocate and so, in a program that profiles its allocator, come back here.
        self.len.store(0, Ordering::Relaxed);
        let add = |counter: &AtomicU64, n: u64| {
            counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
        };
        for &duration in &durations {
            self.histogram.add(duration);
            add(&self.sum, duration);
            self.min.store(self.min.load(Ordering::Relaxed).min(duration), Ordering::Relaxed);
            self.max.store(self.max.load(Ordering::Relaxed).max(duration), Ordering::Relaxed);
        }
        add(&self.count, BUFFER as u64);
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }

    /// All durations so far, from any thread.
    pub(super) fn read(&self) -> Durations {
        // The owner empties its buffer in less than a microsecond once it has a processor, so the reader leaves it one, for a tenth of a
        // second at last. If that does not help, the owner is stopped, and a reading that may be off by one buffer beats none.
        let mut durations = Durations::default();
        for attempt in 0..2_000 {
            let version = self.version.load(Ordering::Acquire);
            durations = self.read_once();
            fence(Ordering::Acquire);
            if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
                break;
            }
            if attempt < 1_000 {
                yield_now();
            } else {
                sleep(Duration::from_micros(100));
            }
        }
        durations
    }

    fn read_once(&self) -> Durations {
        let mut durations = Durations {
            count: self.count.load(Ordering::Relaxed),
            sum: self.sum.load(Ordering::Relaxed),
            min: self.min.load(Ordering::Relaxed),
            max: self.max.load(Ordering::Relaxed),
            counts: Counts::default(),
        };
        self.histogram.read(&mut durations.counts);
        let len = self.len.load(Ordering::Acquire) as usize;
        for slot in self.buffer.iter().take(len) {
            durations.add(slot.load(Ordering::Relaxed));
        }
        durations
    }
}

/// What a [`Recorder`] holds, as plain data in ticks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Durations {
    pub(super) count: u64,
    pub(super) sum: u64,
    /// `u64::MAX` where there are none.
    pub(super) min: u64,
    pub(super) max: u64,
    pub(super) counts: Counts,
}

impl Default for Durations {
    fn default() -> Self {
        Durations { count: 0, sum: 0, min: u64::MAX, max: 0, counts: Counts::default() }
    }
}

impl Durations {
    fn add(&mut self, ticks: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(ticks);
        self.min = self.min.min(ticks);
        self.max = self.max.max(ticks);
        self.counts.add_value(ticks);
    }

    pub(super) fn merge(&mut self, other: &Durations) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.counts.merge(&other.counts);
    }

    /// Takes away an earlier reading. The least and the greatest of the rest are then known as well as the histogram knows them.
    pub(super) fn subtract(&mut self, earlier: &Durations) {
        if earlier.count == 0 {
            return;
        }
        self.count = self.count.saturating_sub(earlier.count);
        self.sum = self.sum.wrapping_sub(earlier.sum);
        self.counts.subtract(&earlier.counts);
        (self.min, self.max) = match self.counts.range() {
            Some((min, max)) => (min.max(self.min).min(self.max), max.max(self.min).min(self.max)),
            None => (u64::MAX, 0),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffered_and_emptied_durations_are_read_alike() {
        let recorder = Recorder::new();
        for ticks in 1..=150 {
            recorder.record(ticks);
            let read = recorder.read();
            assert_eq!((read.count, read.min, read.max), (ticks, 1, ticks));
            assert_eq!(read.sum, ticks * (ticks + 1) / 2);
        }
    }

    #[test]
    fn a_reader_never_sees_a_duration_twice() {
        let recorder = Recorder::new();
        let done = crate::sync::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..200_000 {
                    recorder.record(3);
                }
                done.store(true, Ordering::Release);
            });
            let mut last = 0;
            while !done.load(Ordering::Acquire) {
                let read = recorder.read();
                assert!(read.count >= last && read.count <= 200_000, "{} after {last}", read.count);
                assert_eq!(read.sum, read.count * 3);
                last = read.count;
            }
        });
        assert_eq!(recorder.read().count, 200_000);
    }
}
