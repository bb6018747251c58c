//! Whether calls allocate no more than was promised.
//!
//! These are counts, so there is no interval: the same calls give the same counts, in any build and on any machine.

use perf_runtime::show::units::count;

use super::Verdict;
use crate::measure::footprint::Usage;

/// What a benchmark promises of its memory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Promise {
    /// Allocations of a call.
    pub(crate) allocations: Option<u64>,
    /// Bytes that a call adds at most to those that live.
    pub(crate) bytes: Option<u64>,
}

/// Judges what calls used; `None` where nobody counted.
#[inline]
pub(crate) fn judge_usage(usage: Option<&Usage>, promise: Promise) -> Verdict {
    let Some(usage) = usage else {
        return if promise == Promise::default() { Verdict::NoTarget } else { Verdict::NotJudged };
    };
    match exceeded(usage, promise).next() {
        Some(_) => Verdict::Missed,
        None if promise == Promise::default() => Verdict::NoTarget,
        None => Verdict::Met,
    }
}

/// What was promised and is exceeded, each with what there is instead.
#[inline]
pub(crate) fn exceeded(usage: &Usage, promise: Promise) -> impl Iterator<Item = String> {
    let Usage { calls, allocations, peak, .. } = *usage;
    let of = if calls == 1 { String::new() } else { format!(", as in most of {calls} calls counted") };
    let allocations = promise.allocations.filter(|target| allocations > *target).map(|target| {
        let target =
            if target == 1 { String::from("1 allocation") } else { format!("{} allocations", count(target)) };
        format!(
            "missed its target of {target} per call: a call makes {} ({} bytes){of}",
            count(allocations),
            count(usage.bytes)
        )
    });
    let bytes = promise.bytes.filter(|target| peak > *target).map(|target| {
        format!("missed its target of {}: a call adds up to {} bytes{of}", megabytes(target), count(peak))
    });
    allocations.into_iter().chain(bytes)
}

/// As `target_memory_mb` has it.
#[inline]
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: Usage = Usage { calls: 11, allocations: 5, bytes: 1_200, peak: 900 };

    fn verdict(allocations: Option<u64>, bytes: Option<u64>) -> (Verdict, Vec<String>) {
        let promise = Promise { allocations, bytes };
        (judge_usage(Some(&USAGE), promise), exceeded(&USAGE, promise).collect())
    }

    #[test]
    fn counts_are_exact() {
        assert_eq!(verdict(None, None), (Verdict::NoTarget, vec![]));
        assert_eq!(verdict(Some(5), Some(900)), (Verdict::Met, vec![]));
        let (missed, why) = verdict(Some(4), Some(899));
        assert_eq!(missed, Verdict::Missed);
        assert_eq!(
            why,
            [
                "missed its target of 4 allocations per call: a call makes 5 (1 200 bytes), as in most of 11 calls counted",
                "missed its target of 0.000899 MB: a call adds up to 900 bytes, as in most of 11 calls counted"
            ]
        );
    }

    #[test]
    fn what_nobody_counted_is_not_judged() {
        assert_eq!(judge_usage(None, Promise { allocations: Some(0), bytes: None }), Verdict::NotJudged);
        assert_eq!(judge_usage(None, Promise::default()), Verdict::NoTarget);
    }
}
