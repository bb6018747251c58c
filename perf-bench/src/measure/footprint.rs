//! What calls allocate and what they keep, counted apart from the timed samples, which counting would disturb.
//!
//! Only the routine's own requests are a call's: the loops of [`bencher`](crate::measure::bencher) take a [`Reading`] before and after it, and make inputs and drop results
//! outside of that. What is *kept* is counted around all of it, inputs and results included, and by then the loops allocate nothing of their own.
//!
//! It comes before the samples: by the time these are over, a `Vec` that grows may have room for a million more.
//!
//! Where tests run in parallel, others allocate at the same time. Then a call's are the requests of its thread; and kept is what this thread did not free, but no more
//! than what nobody freed, so that memory given to another thread is not kept if that one frees it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use perf_runtime::memory::{Counts, Watch};
use perf_runtime::order;

use crate::judge::{Kept, Leakage, is_over, judge_leakage, judge_resident};
use crate::measure::plan::Mode;
use crate::measure::resident;
use crate::registry::entry::BenchmarkEntry;

/// What a call uses, in the middle of those counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Of which this is the middle.
    pub(crate) calls: u64,
    /// Requests for memory, larger blocks for smaller ones among them.
    pub(crate) allocations: u64,
    /// The bytes of these.
    pub(crate) bytes: u64,
    /// What it adds at most to the bytes that live.
    pub(crate) peak: u64,
}

/// What is known of a benchmark's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Memory {
    /// `None` where the program's allocator tells nothing.
    pub(crate) usage: Option<Usage>,
    pub(crate) growth: Leakage,
}

/// Requests of a stretch of calls.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Requests {
    of_thread: Usage,
    of_process: Usage,
}

impl Requests {
    /// Of another stretch as well.
    #[inline]
    pub(crate) fn add(&mut self, other: Requests) {
        self.of_thread.add(other.of_thread);
        self.of_process.add(other.of_process);
    }
}

impl Usage {
    #[inline]
    fn between(before: Counts, after: Counts) -> Self {
        Usage {
            calls: 0,
            allocations: after.allocations.wrapping_sub(before.allocations),
            bytes: after.allocated.wrapping_sub(before.allocated),
            peak: after.peak.saturating_sub(before.bytes).max(0).unsigned_abs(),
        }
    }

    #[inline]
    fn add(&mut self, other: Usage) {
        self.allocations += other.allocations;
        self.bytes += other.bytes;
        self.peak = self.peak.max(other.peak);
    }

    /// The middle of each figure, the lower one of two.
    #[inline]
    fn middle(all: &[Usage]) -> Self {
        let middle = |figure: fn(&Usage) -> u64| {
            let mut figures: Vec<u64> = all.iter().map(figure).collect();
            order::sort(&mut figures, Ord::cmp);
            figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or(0)
        };
        Usage {
            calls: all.len() as u64,
            allocations: middle(|usage| usage.allocations),
            bytes: middle(|usage| usage.bytes),
            peak: middle(|usage| usage.peak),
        }
    }
}

/// The counts at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    of_thread: Counts,
    of_process: Counts,
}

impl Reading {
    #[inline]
    fn now() -> Self {
        Reading { of_thread: Watch::of_thread(), of_process: Watch::of_process() }
    }

    /// Before a call.
    #[inline]
    pub(crate) fn begin() -> Self {
        Watch::begin_peak();
        Reading::now()
    }

    /// After it.
    #[inline]
    pub(crate) fn end(self) -> Requests {
        let now = Reading::now();
        Requests {
            of_thread: Usage::between(self.of_thread, now.of_thread),
            of_process: Usage::between(self.of_process, now.of_process),
        }
    }
}

/// A benchmark was left behind, and allocates whenever it likes.
static LEFT_BEHIND: AtomicBool = AtomicBool::new(false);

/// Says that a benchmark goes on running beside all that come.
#[inline]
pub(crate) fn one_is_left_behind() {
    LEFT_BEHIND.store(true, Ordering::Relaxed);
}

/// Whether nothing but the benchmark that this thread waits for runs in the process: nextest gives it one of its own, and when a program's first
/// thread waits, it runs no tests on others.
#[inline]
pub(crate) fn is_alone() -> bool {
    let waits_alone = thread::current().name() == Some("main") || std::env::var_os("NEXTEST").is_some();
    waits_alone && !LEFT_BEHIND.load(Ordering::Relaxed)
}

/// How a benchmark's memory is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) mode: Mode,
    /// When somebody gives up on it: no look takes more than a part of that.
    pub(crate) timeout: Duration,
    /// See [`is_alone`].
    pub(crate) alone: bool,
    /// Whether calls may keep memory, so that nobody is to look.
    pub(crate) may_grow: bool,
    /// Whether it is to be looked at: not what several threads run at once, of which it is not known whose request is whose.
    pub(crate) looks: bool,
}

/// What a run of so many calls took, and what they asked for.
pub(crate) struct Counted {
    pub(crate) nanos: f64,
    pub(crate) requests: Requests,
}

/// Calls that are counted one by one, if that is over in time.
const SINGLE: usize = 11;
const SINGLE_TIME: Duration = Duration::from_millis(20);

/// The three batches without which nothing can be said take so long together, and no longer than that.
const LOOK: Duration = Duration::from_millis(5);
const LONG_LOOK: Duration = Duration::from_millis(250);
/// Calls in the first of them, if these do not take too long: then one leak in a hundred calls shows itself.
const FIRST: f64 = 128.0;
const FIRST_TIME: Duration = Duration::from_millis(100);
/// Batches before it at most, of which each is longer than the one before.
const WARM_UPS: u32 = 4;
/// How long to go on where memory grows; and how long until there were so many calls and batches.
const SUSPICION: Duration = Duration::from_millis(250);
const LONG_SUSPICION: Duration = Duration::from_secs(1);
const SUSPICIOUS_CALLS: u64 = 1_000;
const SUSPICIOUS_BATCHES: usize = 7;
/// What may be kept before it is plain, and in how many calls.
const PLENTY: i64 = 64 << 20;
/// What may be kept at all.
const TOO_MUCH: i64 = 2 << 30;
const MOST_CALLS: u64 = 1 << 22;

impl Look {
    /// At what runs next.
    #[inline]
    pub(crate) fn at(entry: &BenchmarkEntry, timeout: Duration, mode: Mode, threads: usize) -> Self {
        Look { mode, timeout, alone: is_alone(), may_grow: entry.may_grow, looks: threads == 1 }
    }

    /// Not at all.
    #[inline]
    pub(crate) const fn none() -> Self {
        Look { mode: Mode::Test, timeout: Duration::ZERO, alone: false, may_grow: true, looks: false }
    }

    /// Counts, if the allocator tells. `done` calls were made; `run` makes more, or none where there is no time.
    #[inline]
    pub(crate) fn count(self, done: u64, run: &mut dyn FnMut(u64) -> Option<Counted>) -> Memory {
        if !self.looks {
            return Memory::default();
        }
        let Some(_watch) = Watch::begin() else { return Memory::default() };
        let begun = Instant::now();
        let mut single = Vec::with_capacity(SINGLE);
        let mut each = f64::INFINITY;
        let mut kept = Kept::default();
        while single.len() < SINGLE && (single.is_empty() || begun.elapsed() < SINGLE_TIME) {
            let Some(batch) = Batch::run(1, Reading::now(), run) else { break };
            each = each.min(batch.wall);
            kept.bytes += batch.kept(self.alone).bytes.max(0);
            single.push(if self.alone { batch.requests.of_process } else { batch.requests.of_thread });
        }
        if single.is_empty() {
            return Memory::default();
        }
        kept.calls = single.len() as u64;
        let growth =
            if self.may_grow { Leakage::NotJudged } else { self.growth(done + kept.calls, each, kept, run) };
        Memory { usage: Some(Usage::middle(&single)), growth }
    }

    /// Looks for what calls keep. A call takes `each` nanoseconds, at first.
    #[inline]
    fn growth(
        self,
        mut done: u64,
        mut each: f64,
        kept: Kept,
        run: &mut dyn FnMut(u64) -> Option<Counted>,
    ) -> Leakage {
        let nanos = |time: Duration| time.min(self.timeout / 10).as_nanos() as f64;
        let by_memory = PLENTY as f64 * kept.calls as f64 / (8 * kept.bytes.max(1)) as f64;
        let calls_in = |each: f64| {
            let by_time = (nanos(LOOK) / (7.0 * each)).max(FIRST.min(nanos(FIRST_TIME) / (7.0 * each)));
            by_time.min(by_memory).clamp(1.0, 65_536.0) as u64
        };
        let mut first = calls_in(each);
        // With room, as what is allocated between batches would be theirs.
        let mut batches = Vec::with_capacity(64);
        let mut before = Reading::now();
        // The single calls may have been disturbed, and say nothing of how quick many are.
        for _ in 0..WARM_UPS {
            if 7.0 * each > nanos(LONG_LOOK) {
                return Leakage::NotJudged;
            }
            let Some(batch) = Batch::run(first, before, run) else { return Leakage::NotJudged };
            before = batch.after;
            done += first;
            each = each.min(batch.wall / first as f64);
            if calls_in(each) <= first * 2 {
                break;
            }
            first = calls_in(each);
        }
        let (mut held, mut spent, mut calls) = (0, 0.0, first);
        while let Some(mut batch) = Batch::run(calls, before, run) {
            let kept = batch.kept(self.alone);
            spent += batch.nanos;
            done += calls;
            held += kept.bytes;
            batches.push(kept);
            let enough = batches.len() >= 3;
            let soon = done < SUSPICIOUS_CALLS || batches.len() < SUSPICIOUS_BATCHES;
            let patience = if soon || self.mode == Mode::Measure { LONG_SUSPICION } else { SUSPICION };
            let next = if enough { done } else { calls * 2 };
            let ends_in_time = spent + batch.nanos / calls as f64 * next as f64 <= nanos(patience);
            let is_plain = !ends_in_time || held > PLENTY || next > MOST_CALLS;
            if enough && is_over(&batches) {
                break;
            }
            if (enough && is_plain) || held > TOO_MUCH {
                // Other threads may not yet have freed what they were given.
                batch.after.of_process = settled(batch.before.of_process, LONG_NAP);
                batches.pop();
                batches.push(batch.kept(self.alone));
                break;
            }
            calls = next;
            before = batch.after;
        }
        judge_leakage(&batches)
    }
}

/// A batch of calls.
struct Batch {
    calls: u64,
    before: Reading,
    after: Reading,
    requests: Requests,
    /// What it took, less what its thread waited for a processor; and with that.
    nanos: f64,
    wall: f64,
}

impl Batch {
    /// `before` is what there was after the batch before, so that what other threads free between two batches is seen.
    #[inline]
    fn run(calls: u64, before: Reading, run: &mut dyn FnMut(u64) -> Option<Counted>) -> Option<Self> {
        let begun = Instant::now();
        let Counted { nanos, requests } = run(calls)?;
        let wall = (begun.elapsed().as_nanos() as f64).max(1.0);
        let after = Reading { of_thread: Watch::of_thread(), of_process: settled(before.of_process, NAP) };
        Some(Batch { calls, before, after, requests, nanos, wall })
    }

    /// What was left of it.
    #[inline]
    fn kept(&self, alone: bool) -> Kept {
        let Batch { calls, before, after, .. } = *self;
        let left = |before: Counts, after: Counts| (after.blocks - before.blocks, after.bytes - before.bytes);
        let (blocks, bytes) = left(before.of_process, after.of_process);
        if alone {
            return Kept { calls, blocks, bytes };
        }
        let (of_thread, bytes_of_thread) = left(before.of_thread, after.of_thread);
        Kept { calls, blocks: blocks.min(of_thread), bytes: bytes.min(bytes_of_thread) }
    }
}

/// How long to wait for other threads to free something; and before it is said that nobody does.
const NAP: Duration = Duration::from_millis(1);
const LONG_NAP: Duration = Duration::from_millis(40);
/// Such naps, as long as something is freed.
const NAPS: u32 = 10;

/// What the process has when other threads are done with what they were given, as far as that is soon.
#[inline]
fn settled(before: Counts, nap: Duration) -> Counts {
    let mut now = Watch::of_process();
    for _ in 0..NAPS {
        if now.bytes <= before.bytes {
            break;
        }
        thread::sleep(nap);
        let later = Watch::of_process();
        if later.bytes >= now.bytes {
            break;
        }
        now = later;
    }
    now
}

/// What the process took after each sample, where the allocator tells nothing.
#[derive(Debug)]
pub(crate) struct Residents {
    is_on: bool,
    samples: Vec<u64>,
}

impl Residents {
    #[inline]
    pub(crate) fn new(look: Look, memory: &Memory) -> Self {
        Residents {
            is_on: look.alone && !look.may_grow && memory.usage.is_none(),
            samples: Vec::with_capacity(128),
        }
    }

    /// After a sample.
    #[inline]
    pub(crate) fn note(&mut self) {
        if self.is_on {
            self.samples.extend(resident::bytes());
        }
    }

    /// Goes on while the process grows and it is not yet plain; `run` runs another sample of so many calls, or none where there is no time.
    #[inline]
    pub(crate) fn growth(mut self, calls: u64, run: &mut dyn FnMut() -> Option<()>) -> Leakage {
        let begun = Instant::now();
        loop {
            let growth = judge_resident(&self.samples, calls);
            let goes_on = matches!(growth, Leakage::Undecided(_)) && begun.elapsed() < LONG_SUSPICION;
            if !goes_on || run().is_none() {
                return growth;
            }
            self.note();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_each_figure() {
        let usage = |allocations, bytes, peak| Usage { calls: 0, allocations, bytes, peak };
        let all = [usage(1, 900, 5), usage(3, 100, 5), usage(2, 300, 9), usage(2, 300, 1)];
        assert_eq!(Usage::middle(&all), Usage { calls: 4, allocations: 2, bytes: 300, peak: 5 });
        assert_eq!(Usage::middle(&[]), Usage::default());
    }

    /// This program's allocator is the system's.
    #[test]
    fn an_allocator_that_tells_nothing_is_not_asked() {
        let look = Look {
            mode: Mode::Test,
            timeout: Duration::from_secs(30),
            alone: true,
            may_grow: false,
            looks: true,
        };
        let mut calls = 0;
        let memory = look.count(1, &mut |more| {
            calls += more;
            None
        });
        assert_eq!((memory, calls), (Memory::default(), 0));
    }
}
