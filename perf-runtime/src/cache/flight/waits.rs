//! Who waits for whom, so that nobody waits for themselves.
//!
//! A body under computation (a *flight*) may call cached functions and so wait for another flight. If that one waits, over however many
//! corners, for this one, neither would ever land. So before a caller waits, it is checked what it would hold up: every flight on
//! its thread's stack, all of which go on only when it returns. If the flight it would wait for waits for one of those, the
//! caller runs the body itself, as it would without the cache.
//!
//! A caller that holds up no flight cannot be in a ring and is not even noted, which is nearly every caller.

use core::cell::Cell;
use core::iter::successors;
use core::ptr;

use crate::sync::{Mutex, thread_local};

/// What a flight is called while it is under way: where its entry is.
pub(in super::super) type FlightId = usize;

/// A flight whose body, or one poll of it, runs on this thread.
struct Running {
    flight: FlightId,
    /// The one whose body called for it; null if there is none.
    outer: *const Running,
}

thread_local! {
    /// The innermost; null if there is none. It lies on the stack of this thread, as all around it do.
    static INNERMOST: Cell<*const Running> = const { Cell::new(ptr::null()) };
}

/// Does what belongs to a flight: runs its body, or polls it, and lets it land.
#[inline]
pub(in super::super) fn run<T>(flight: FlightId, work: impl FnOnce() -> T) -> T {
    /// Also after a panic.
    struct Restore(*const Running);

    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            let _ = INNERMOST.try_with(|innermost| innermost.set(self.0));
        }
    }

    let outer = INNERMOST.try_with(Cell::get).unwrap_or(ptr::null());
    let running = Running { flight, outer };
    let _restore = Restore(outer);
    let _ = INNERMOST.try_with(|innermost| innermost.set(&raw const running));
    work()
}

/// The flights whose bodies run on this thread now, the innermost first.
fn running() -> Vec<FlightId> {
    let innermost = INNERMOST.try_with(Cell::get).unwrap_or(ptr::null());
    // SAFETY: `run` takes its own out before it returns, and those around it have not returned.
    let stack = successors(unsafe { innermost.as_ref() }, |running| unsafe { running.outer.as_ref() });
    stack.map(|running| running.flight).collect()
}

/// Flights that are held up, in the order of their numbers, and what they wait for: one may be held up on several threads, or several times on one.
static WAITS: Mutex<Waits> = Mutex::new(Vec::new());

type Waits = Vec<(FlightId, FlightId)>;

/// The caller waits while this lives.
#[derive(Debug)]
pub(in super::super) struct Waiting {
    holds_up: Vec<FlightId>,
    on: FlightId,
}

/// Says that the caller is going to wait for `flight`; `None` if it would wait for ever.
#[inline]
pub(in super::super) fn begin(flight: FlightId) -> Option<Waiting> {
    let holds_up = running();
    if !holds_up.is_empty() {
        let mut waits = WAITS.lock();
        if waits_for_any(&waits, flight, &holds_up) {
            return None;
        }
        for held in &holds_up {
            let place = waits.partition_point(|wait| wait.0 <= *held);
            waits.insert(place, (*held, flight));
        }
    }
    Some(Waiting { holds_up, on: flight })
}

/// Whether `flight` is one of `targets`, or waits for one.
#[inline]
fn waits_for_any(waits: &Waits, flight: FlightId, targets: &[FlightId]) -> bool {
    // A chain is as long as bodies are nested, so a list will do.
    let mut reached = vec![flight];
    let mut next = 0;
    while let Some(flight) = reached.get(next).copied() {
        if targets.contains(&flight) {
            return true;
        }
        next += 1;
        let first = waits.partition_point(|wait| wait.0 < flight);
        for (_, further) in waits[first..].iter().take_while(|wait| wait.0 == flight) {
            if !reached.contains(further) {
                reached.push(*further);
            }
        }
    }
    false
}

impl Drop for Waiting {
    #[inline]
    fn drop(&mut self) {
        if self.holds_up.is_empty() {
            return;
        }
        let mut waits = WAITS.lock();
        for held in &self.holds_up {
            let first = waits.partition_point(|wait| wait.0 < *held);
            if let Some(place) = waits[first..].iter().position(|wait| *wait == (*held, self.on)) {
                waits.remove(first + place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{AtomicUsize, Ordering};

    /// Numbers that no flight of another test has.
    fn ids<const N: usize>() -> [FlightId; N] {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        core::array::from_fn(|_| NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Waits while bodies run one in the other.
    fn nested(holds_up: &[FlightId], on: FlightId) -> Option<Waiting> {
        match holds_up {
            [] => begin(on),
            [outer, inner @ ..] => run(*outer, || nested(inner, on)),
        }
    }

    /// What another thread would note.
    fn wait(holds_up: &[FlightId], on: FlightId) -> Option<Waiting> {
        std::thread::scope(|scope| scope.spawn(|| nested(holds_up, on)).join().unwrap())
    }

    #[test]
    fn a_ring_is_not_closed() {
        let [a, b, c, d] = ids();
        let _first = wait(&[a], b).unwrap();
        let _second = wait(&[b], c).unwrap();
        assert!(wait(&[c], a).is_none());
        assert!(wait(&[d, c], a).is_none());
        assert!(wait(&[d], a).is_some());
    }

    #[test]
    fn nobody_waits_for_what_they_hold_up() {
        let [a, b] = ids();
        assert!(wait(&[a, b], a).is_none());
        assert!(wait(&[], a).unwrap().holds_up.is_empty());
    }

    #[test]
    fn a_flight_inside_a_flight_holds_up_both() {
        let [outer, inner, other] = ids();
        // The body of `outer` runs that of `inner`, which waits for `other`.
        let waiting = wait(&[outer, inner], other).unwrap();
        assert!(wait(&[other], outer).is_none());
        assert!(wait(&[other], inner).is_none());
        drop(waiting);
        assert!(wait(&[other], outer).is_some());
    }
}
