//! What the profiler itself costs on this machine, so that a report can take it out.
//!
//! An empty frame measures the part of its cost that lies between its own two clock readings: every call of the function has that in its
//! time (*inside*). The rest lies outside of them, in the caller's time (*outside*). Both are measured with the very code that
//! profiled functions run, in a tree that no report sees; the least of many batches counts, since noise only adds.

use core::hint::black_box;
use std::sync::OnceLock;

use super::frame::Frame;
use super::threads;
use super::tree::Tree;
use crate::clock;
use crate::site::Site;

/// Ticks per call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Overhead {
    /// In the time of the function called.
    pub(super) inside: f64,
    /// In the time of its caller.
    pub(super) outside: f64,
}

const BATCHES: usize = 100;
const CALLS: u64 = 64;

static SITE: Site = Site::new(|| "(calibration)", "", 0, 0, 0);
static OVERHEAD: OnceLock<Overhead> = OnceLock::new();

/// Measured once, in a quarter of a millisecond; nothing while measuring is paused.
pub(super) fn overhead() -> Overhead {
    if super::paused() && OVERHEAD.get().is_none() {
        return Overhead::default();
    }
    *OVERHEAD.get_or_init(|| threads::with_private_tree(measure))
}

fn measure(tree: &'static Tree) -> Overhead {
    let mut best = Overhead { inside: f64::MAX, outside: f64::MAX };
    let mut recorded = own_ticks(tree);
    for _ in 0..BATCHES {
        let start = clock::now();
        for _ in 0..CALLS {
            let frame = Frame::enter(black_box(&SITE));
            black_box(());
            drop(frame);
        }
        let whole = clock::now().saturating_sub(start) as f64 / CALLS as f64;
        let after = own_ticks(tree);
        let inside = after.saturating_sub(recorded) as f64 / CALLS as f64;
        recorded = after;
        best.inside = best.inside.min(inside);
        best.outside = best.outside.min(whole - inside);
    }
    Overhead { inside: best.inside.max(0.0), outside: best.outside.max(0.0) }
}

/// Ticks recorded in the tree so far.
fn own_ticks(tree: &'static Tree) -> u64 {
    let mut ticks = 0;
    tree.walk(|node, entering| {
        if entering {
            ticks += node.read(clock::now()).ticks;
        }
    });
    ticks
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_call_costs_something_and_less_than_ten_microseconds() {
        let overhead = super::overhead();
        assert!(overhead.inside + overhead.outside > 0.0, "{overhead:?}");
        assert!(overhead.inside + overhead.outside < 25_000.0, "{overhead:?}");
    }
}
