//! Whether calls keep memory.
//!
//! What a batch of calls leaves behind is counted, so one verdict is as good as a hundred: no clock, no noise. What looks like a leak at first is often a
//! cache that fills, and a `Vec` that only grows takes memory once in a while. So the batches get longer, each as long as all before it, until nothing
//! more is kept or it is plain that it does not end. What is kept for a moment counts once: only what exceeds all before is a rise.
//!
//! Where nobody counts there is only what the system says that the whole process takes, which is coarse; a leak has to be large to be seen there.
//!
//! This file takes figures and gives a verdict. How they come about is for [`footprint`](crate::measure::footprint).

use perf_runtime::show::units::{bytes, count};

/// What a batch of calls left behind. When there are objects that are counted by their type, they stand beside blocks here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) calls: u64,
    /// Allocated less freed.
    pub(crate) blocks: i64,
    pub(crate) bytes: i64,
}

/// Whether memory grows from call to call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Leakage {
    /// Nobody looked, or not at enough calls.
    #[default]
    NotJudged,
    /// Calls keep nothing.
    None,
    /// The first calls kept something: a cache filled, something was made once.
    Settled,
    /// They keep something, and there was no time to see whether that ends.
    Undecided(Kept),
    /// Each call keeps as much.
    Leak { blocks: f64, bytes: f64, calls: u64 },
    /// What is kept goes on to grow by steps.
    GrowsOn(Kept),
    /// The process grows.
    Resident { bytes: u64, calls: u64, rises: usize, samples: usize },
}

impl Leakage {
    /// Whether it is a leak beyond doubt.
    #[inline]
    pub(crate) fn is_leak(&self) -> bool {
        matches!(self, Leakage::Leak { .. } | Leakage::GrowsOn(_) | Leakage::Resident { .. })
    }

    /// How much is kept, for a cell of a table; empty where nothing is.
    #[inline]
    pub(crate) fn text(&self) -> String {
        match *self {
            Leakage::NotJudged | Leakage::None | Leakage::Settled => String::new(),
            Leakage::Leak { blocks, bytes, .. } => {
                let figures = if blocks < 0.1 { 4 } else { 2 };
                format!("{blocks:.figures$} blocks, {} per call", some_bytes(bytes))
            }
            Leakage::Undecided(kept) | Leakage::GrowsOn(kept) => in_calls(kept),
            Leakage::Resident { bytes, calls, .. } => {
                format!("RSS {} per call", some_bytes(bytes as f64 / calls.max(1) as f64))
            }
        }
    }

    /// Why the benchmark fails, if it does.
    #[inline]
    pub(crate) fn failure(&self) -> Option<String> {
        let what = match *self {
            Leakage::Leak { calls, .. } => {
                format!(
                    "leaks {}: as much in each of the last batches of {} calls",
                    self.text(),
                    count(calls)
                )
            }
            Leakage::GrowsOn(_) => format!("leaks: it goes on to grow, by {}", self.text()),
            Leakage::Resident { bytes: grown, calls, rises, samples } => format!(
                "leaks: the memory of the process (RSS) grew by {} in {} calls, in {rises} of {samples} samples; with \
                 `perfkit::Alloc` as the global allocator it would be counted",
                bytes(grown.cast_signed()),
                count(calls)
            ),
            _ => return None,
        };
        Some(format!(
            "{what}. If it is meant to, as a cache is that takes longer to fill, write `leaks = \"allow\"`"
        ))
    }
}

#[inline]
fn in_calls(kept: Kept) -> String {
    let Kept { calls, blocks, bytes: kept } = kept;
    let blocks =
        if blocks > 0 { format!("{} blocks, ", count(blocks.unsigned_abs())) } else { String::new() };
    format!("{blocks}{} in {} calls", bytes(kept), count(calls))
}

/// Bytes of one call, which may be less than one.
#[inline]
fn some_bytes(number: f64) -> String {
    if number < 10.0 { format!("{number:.2} B") } else { bytes(number.round() as i64) }
}

/// Of which the last have to agree.
const ENOUGH: usize = 3;
/// What a count per call may differ from another one and be the same.
const SAME: f64 = 1.15;
/// Batches in which memory has to grow, when it does so by steps, and calls in them.
const STEPS: usize = 4;
const STEPS_CALLS: u64 = 1_000;
/// What they have to add up to: more than an entry or two in a full cache that are larger than those before.
const STEPS_BYTES: i64 = 4096;
/// By how much the later half of the steps has to be larger, and the part of all growth that they have to be. They come after twice as many calls
/// each, so that the steps of a `Vec` that grows get four times as large; not so those of a full cache whose texts get longer now and then.
const LARGER: i64 = 2;
const MOST: i64 = 2;
/// The part of all growth that the last half of the calls has to make, or it has as good as ended.
const STILL: i64 = 10;

/// By how much each batch exceeded all before it.
#[inline]
fn rises(batches: &[Kept]) -> Vec<Kept> {
    let (mut blocks, mut bytes) = (Level::default(), Level::default());
    let rise = |batch: &Kept| Kept {
        calls: batch.calls,
        blocks: blocks.rise(batch.blocks),
        bytes: bytes.rise(batch.bytes),
    };
    batches.iter().map(rise).collect()
}

/// How much there is, and the most that there was.
#[derive(Default)]
struct Level {
    now: i64,
    highest: i64,
}

impl Level {
    #[inline]
    fn rise(&mut self, more: i64) -> i64 {
        self.now = self.now.saturating_add(more);
        let rise = self.now.saturating_sub(self.highest).max(0);
        self.highest += rise;
        rise
    }
}

#[inline]
fn is_rise(kept: &Kept) -> bool {
    kept.blocks > 0 || kept.bytes > 0
}

/// Whether there is nothing to be learnt from another batch: the last two added nothing.
#[inline]
pub(crate) fn is_over(batches: &[Kept]) -> bool {
    let rises = rises(batches);
    rises.len() >= ENOUGH && !rises.iter().rev().take(2).any(is_rise)
}

/// Judges batches, of which each is as long as those before it together, or twice as long as the one before.
#[inline]
pub(crate) fn judge_leakage(batches: &[Kept]) -> Leakage {
    let rises = rises(batches);
    if rises.len() < ENOUGH {
        return Leakage::NotJudged;
    }
    if !rises.iter().any(is_rise) {
        return Leakage::None;
    }
    let last = &rises[rises.len() - ENOUGH..];
    if !last[ENOUGH - 1..].iter().any(is_rise) {
        return Leakage::Settled;
    }
    let sum = |of: &[Kept]| {
        of.iter().fold(Kept::default(), |sum, kept| Kept {
            calls: sum.calls + kept.calls,
            blocks: sum.blocks + kept.blocks,
            bytes: sum.bytes + kept.bytes,
        })
    };
    let per_call = last.iter().map(|kept| kept.blocks as f64 / kept.calls.max(1) as f64);
    let (low, high) =
        per_call.fold((f64::INFINITY, 0.0), |(low, high), next| (next.min(low), next.max(high)));
    let all = sum(last);
    if low > 0.0 && high <= low * SAME {
        let calls = all.calls.max(1) as f64;
        return Leakage::Leak {
            blocks: all.blocks as f64 / calls,
            bytes: all.bytes as f64 / calls,
            calls: all.calls,
        };
    }
    let steps = &rises[rises.len().saturating_sub(STEPS)..];
    let (earlier, later) = steps.split_at(steps.len() / 2);
    let (all, stepped, last) = (sum(&rises), sum(steps), sum(&rises[rises.len() - 1..]));
    let are_large = stepped.calls >= STEPS_CALLS && stepped.bytes >= STEPS_BYTES;
    let grow = sum(later).bytes >= sum(earlier).bytes * LARGER && stepped.bytes * MOST >= all.bytes;
    if steps.len() == STEPS && steps.iter().all(is_rise) && are_large && grow {
        return Leakage::GrowsOn(stepped);
    }
    let has_ended = last.blocks * STILL < all.blocks && last.bytes * STILL < all.bytes;
    let is_little = last.blocks == 0 && all.bytes < STEPS_BYTES && all.calls >= STEPS_CALLS;
    if has_ended || is_little {
        return Leakage::Settled;
    }
    Leakage::Undecided(all)
}

/// Leakage of the process that is more than chance and the first use of memory.
const RESIDENT: u64 = 10_000_000;
/// Samples that say something.
const RESIDENT_SAMPLES: usize = 10;

/// Judges what the process took after each sample of so many calls.
#[inline]
pub(crate) fn judge_resident(samples: &[u64], calls: u64) -> Leakage {
    let Some((first, last)) = samples.first().zip(samples.last()) else { return Leakage::NotJudged };
    let steps = samples.len() - 1;
    let rises = samples.windows(2).filter(|pair| pair[1] > pair[0]).count();
    let bytes = last.saturating_sub(*first);
    let calls = calls.saturating_mul(steps as u64);
    // A process that does not grow may still leak what is too small to be seen, so this is no verdict either. More than 70 %:
    if bytes == 0 || rises * 10 <= steps * 7 {
        return Leakage::NotJudged;
    }
    if samples.len() >= RESIDENT_SAMPLES && bytes > RESIDENT {
        return Leakage::Resident { bytes, calls, rises, samples: steps };
    }
    Leakage::Undecided(Kept { calls, blocks: 0, bytes: bytes.cast_signed() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches of `n`, `n`, `2n`, `4n` … calls, of what the calls up to there keep.
    fn batches(n: i64, count: u32, kept: impl Fn(i64) -> (i64, i64)) -> Vec<Kept> {
        let mut done = n;
        let batch = |_| {
            let (before, after) = (kept(done), kept(done * 2));
            let calls = done.unsigned_abs();
            done *= 2;
            Kept { calls, blocks: after.0 - before.0, bytes: after.1 - before.1 }
        };
        (0..count).map(batch).collect()
    }

    fn verdict(n: i64, count: u32, kept: impl Fn(i64) -> (i64, i64)) -> Leakage {
        judge_leakage(&batches(n, count, kept))
    }

    #[test]
    fn each_call_keeps_as_much() {
        let leak = verdict(7, 3, |calls| (calls, 64 * calls));
        assert_eq!(leak.text(), "1.00 blocks, 64 B per call");
        assert!(leak.failure().unwrap().contains("each of the last batches of 49 calls"), "{leak:?}");
        // One in a hundred, of 64 bytes.
        let rare = verdict(128, 6, |calls| (calls / 100, 64 * calls / 100));
        assert_eq!(rare.text(), "0.0099 blocks, 0.64 B per call");
        // Two, and a call that keeps one less now and then.
        let mut some = batches(100, 4, |calls| (2 * calls, 20 * calls));
        some[2].blocks -= 30;
        assert!(matches!(judge_leakage(&some), Leakage::Leak { .. }));
        some[2].blocks -= 130;
        assert!(!matches!(judge_leakage(&some), Leakage::Leak { .. }));
    }

    #[test]
    fn what_stops_is_no_leak() {
        assert_eq!(verdict(10, 3, |_| (5, 100)), Leakage::None);
        let full = |calls: i64| (calls.min(1_000), 100 * calls.min(1_000));
        assert_eq!(verdict(100, 5, full), Leakage::Settled);
        // While it fills it looks like a leak, so one has to go on.
        let filling = batches(100, 3, full);
        assert!(!is_over(&filling) && judge_leakage(&filling).is_leak());
        assert!(is_over(&batches(100, 6, full)));
        // The last of it came into the last batch but one.
        assert!(!is_over(&batches(100, 5, full)));
        // A queue whose blocks come and go.
        let queue = [3, -2, 1, -3, 3, -1].map(|blocks| Kept { calls: 100, blocks, bytes: 40 * blocks });
        assert_eq!(judge_leakage(&queue), Leakage::Settled);
        // Texts of numbers that get longer.
        let longer = verdict(100, 8, |calls| (100, 1_000 + 1_000 * i64::from(calls.ilog2())));
        assert!(matches!(longer, Leakage::Undecided(_)), "{longer:?}");
        let mut after = batches(100, 8, full);
        after[7].bytes += 40;
        assert_eq!(judge_leakage(&after), Leakage::Settled);
        for (batch, bytes) in after[4..].iter_mut().zip([160, 320, 640, 1_280]) {
            batch.bytes = bytes;
        }
        assert_eq!(judge_leakage(&after), Leakage::Settled);
        assert_eq!(judge_leakage(&after[3..]), Leakage::Settled);
        // What was there before is freed.
        assert_eq!(verdict(10, 3, |calls| (-calls, 0)), Leakage::None);
    }

    #[test]
    fn a_vec_that_grows_is_found_by_its_steps() {
        let grows = verdict(300, 6, |calls| (1, 8 * calls.unsigned_abs().next_power_of_two().cast_signed()));
        assert!(matches!(grows, Leakage::GrowsOn(Kept { blocks: 0, .. })), "{grows:?}");
        assert!(grows.failure().unwrap().contains("goes on to grow"));
        // Of few calls nothing can be said.
        let few = verdict(3, 5, |calls| (1, 8 * calls.unsigned_abs().next_power_of_two().cast_signed()));
        assert!(matches!(few, Leakage::Undecided(_)) && !few.is_leak() && few.failure().is_none(), "{few:?}");
    }

    #[test]
    fn too_little_to_judge() {
        assert_eq!(judge_leakage(&[]), Leakage::NotJudged);
        assert_eq!(verdict(10, 2, |calls| (calls, 0)), Leakage::NotJudged);
    }

    #[test]
    fn a_process_that_grows() {
        let grown = |each: u64| (0..21).map(|sample| 50_000_000 + sample * each).collect::<Vec<u64>>();
        let leak = judge_resident(&grown(1 << 20), 1);
        assert_eq!(leak, Leakage::Resident { bytes: 20 << 20, calls: 20, rises: 20, samples: 20 });
        assert_eq!(leak.text(), "RSS 1.00 MiB per call");
        assert!(matches!(judge_resident(&grown(100_000), 1), Leakage::Undecided(_)));
        assert_eq!(judge_resident(&grown(0), 1), Leakage::NotJudged);
        assert!(matches!(judge_resident(&grown(1 << 20)[..5], 1), Leakage::Undecided(_)));
        assert_eq!(judge_resident(&grown(1 << 20)[..1], 1), Leakage::NotJudged);
        // Two thirds of the samples.
        let mut some = grown(1 << 20);
        for third in (2..21).step_by(3) {
            some[third] = some[third - 1];
        }
        assert_eq!(judge_resident(&some, 1), Leakage::NotJudged);
    }
}
