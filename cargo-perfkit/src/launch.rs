//! One launch: both programs started anew, and what they took in turn. The one number that comes out is a piece of evidence; see [`verdict`](crate::verdict).
//!
//! They run on one processor, chosen by chance for each launch, in slices that alternate A B B A or B A A B, so that what drifts hits both alike; and all that
//! happens once, starting, the first call, finding the number of calls, happens in an order drawn by chance. What one program always did first it would
//! do on a cooler machine or on other pages, and that would be read as a difference. Both make the same number of calls in each slice.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::affinity::Processors;
use crate::copy::Copy;
use crate::random::Random;
use crate::worker::Worker;

/// Long beside the clock, short beside what a scheduler gives one program.
const SLICE: Duration = Duration::from_micros(500);
/// Quads of slices: more would make a launch's own noise less, which is little beside what launches differ in.
const QUADS: usize = 40;

/// The same benchmark in both programs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a> {
    pub(crate) programs: [&'a Path; 2],
    pub(crate) name: &'a str,
    /// Whether it runs on one thread, and so on one processor.
    pub(crate) is_single: bool,
    /// What only the new side is told.
    pub(crate) variables: &'a [(String, String)],
}

/// What one launch found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Launch {
    /// The median of `log(new / base)`.
    pub(crate) log_ratio: f64,
    /// Nanoseconds per call: of all slices the median.
    pub(crate) base: f64,
    pub(crate) new: f64,
}

/// The two sides, in this order wherever there are two of anything.
pub(crate) const SIDES: [usize; 2] = [0, 1];

/// What went wrong, and on which side: 0 is the base.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub(crate) side: usize,
    pub(crate) reason: String,
}

/// Launches both programs and measures one benchmark, in `time` or in one quad, whichever is longer.
pub(crate) fn launch(
    pair: &Pair<'_>,
    processors: &Processors,
    time: Duration,
    patience: Duration,
    random: &mut Random,
) -> Result<Launch, Failed> {
    let mut workers = start(pair, processors, patience, random)?;
    let [first, second] = order(random);
    for side in [first, second] {
        workers.on(side, |worker| worker.prepare(pair.name))?;
    }
    let mut calls = 1.0_f64;
    let [first, second] = order(random);
    for side in [first, second] {
        calls *= workers.on(side, |worker| worker.calibrate(SLICE))? as f64;
    }
    // Between what the one and the other would take.
    let calls = (calls.sqrt().round() as u64).max(1);
    let begun = Instant::now();
    let mut slices = [Vec::new(), Vec::new()];
    let mut log_ratios = Vec::new();
    while log_ratios.len() < QUADS {
        let [outer, inner] = order(random);
        let mut sums = [0.0, 0.0];
        for side in [outer, inner, inner, outer] {
            let nanos = workers.on(side, |worker| worker.run(calls))?;
            sums[side] += nanos;
            slices[side].push(nanos / calls as f64);
        }
        // A clock that stood still says nothing, and does not say that it took no time.
        log_ratios.push((sums[1].max(1.0) / sums[0].max(1.0)).ln());
        if begun.elapsed() >= time {
            break;
        }
    }
    for side in SIDES {
        workers.on(side, Worker::finish)?;
    }
    let [base, new] = &mut slices;
    Ok(Launch { log_ratio: median(&mut log_ratios), base: median(base), new: median(new) })
}

/// Both, on one processor.
pub(crate) fn start(
    pair: &Pair<'_>,
    processors: &Processors,
    patience: Duration,
    random: &mut Random,
) -> Result<Workers, Failed> {
    let [first, second] = order(random);
    let copies = [first, second].map(|side| (side, Copy::of(pair.programs[side], side)));
    let start = |(side, copy): (usize, Copy)| {
        let variables = if side == 1 { pair.variables } else { &[] };
        Worker::start_copy(copy, variables, patience).map_err(|reason| Failed { side, reason })
    };
    let start_both = || copies.map(start);
    let [one, other] = if pair.is_single { processors.on_one(random, start_both) } else { start_both() };
    let (one, other) = (one?, other?);
    let mut workers = Workers(if first == 0 { [one, other] } else { [other, one] });
    for side in SIDES {
        workers.on(side, Worker::greet)?;
    }
    Ok(workers)
}

/// Base and new.
#[derive(Debug)]
pub(crate) struct Workers([Worker; 2]);

impl Workers {
    pub(crate) fn on<R>(
        &mut self,
        side: usize,
        act: impl FnOnce(&mut Worker) -> Result<R, String>,
    ) -> Result<R, Failed> {
        act(&mut self.0[side]).map_err(|reason| Failed { side, reason })
    }
}

fn order(random: &mut Random) -> [usize; 2] {
    if random.coin() { [1, 0] } else { [0, 1] }
}

/// Between the middle two of an even number; 0 of none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count => f64::midpoint(values[(count - 1) / 2], values[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle() {
        for (mut values, expected) in
            [(vec![], 0.0), (vec![7.0], 7.0), (vec![9.0, 1.0], 5.0), (vec![3.0, 1.0, 2.0], 2.0)]
        {
            assert!((median(&mut values) - expected).abs() < 1e-9, "{values:?}");
        }
    }
}
