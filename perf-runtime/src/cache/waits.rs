//! Who waits for whom, so that nobody waits for themselves.
//!
//! A body under computation (a *flight*) may call cached functions and so wait for another flight. If that one waits, over however many
//! corners, for this one, neither would ever land. So before a caller waits, it is checked what it would hold up: every flight on
//! its thread's stack, all of which go on only when it returns. If the flight it would wait for waits for one of those, the
//! caller runs the body itself, as it would without the cache.
//!
//! A caller that holds up no flight cannot be in a ring and is not even noted, which is nearly every caller.

use core::cell::RefCell;

use crate::sync::{AtomicU64, Mutex, Ordering, thread_local};

/// The number of a flight; never used twice.
pub(super) type FlightId = u64;

/// A new number.
pub(super) fn next_id() -> FlightId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

thread_local! {
    /// The flights whose bodies run on this thread now, the innermost last.
    static STACK: RefCell<Vec<FlightId>> = const { RefCell::new(Vec::new()) };
}

/// A body, or one poll of it, runs on this thread while this lives.
pub(super) struct Running(());

/// Notes that the body of `flight` runs on this thread.
pub(super) fn run(flight: FlightId) -> Running {
    // A thread that is past its destructors runs nothing that could wait.
    let _ = STACK.try_with(|stack| stack.borrow_mut().push(flight));
    Running(())
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = STACK.try_with(|stack| stack.borrow_mut().pop());
    }
}

/// A wait that holds up flights.
struct Wait {
    number: u64,
    holds_up: Vec<FlightId>,
    on: FlightId,
}

struct Waits {
    waits: Vec<Wait>,
    next: u64,
}

static WAITS: Mutex<Waits> = Mutex::new(Waits { waits: Vec::new(), next: 0 });

/// The caller waits while this lives.
#[derive(Debug)]
pub(super) struct Waiting {
    number: Option<u64>,
}

/// Says that the caller is going to wait for `flight`; `None` if it would wait for ever.
pub(super) fn begin(flight: FlightId) -> Option<Waiting> {
    let holds_up = STACK.try_with(|stack| stack.borrow().clone()).unwrap_or_default();
    if holds_up.is_empty() {
        return Some(Waiting { number: None });
    }
    let mut all = WAITS.lock();
    if all.waits_for_any(flight, &holds_up) {
        return None;
    }
    let number = all.next;
    all.next += 1;
    all.waits.push(Wait { number, holds_up, on: flight });
    Some(Waiting { number: Some(number) })
}

impl Waits {
    /// Whether `flight` is one of `targets`, or waits for one.
    fn waits_for_any(&self, flight: FlightId, targets: &[FlightId]) -> bool {
        let mut reached = vec![flight];
        let mut next = 0;
        while let Some(flight) = reached.get(next).copied() {
            if targets.contains(&flight) {
                return true;
            }
            for wait in self.waits.iter().filter(|wait| wait.holds_up.contains(&flight)) {
                if !reached.contains(&wait.on) {
                    reached.push(wait.on);
                }
            }
            next += 1;
        }
        false
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            WAITS.lock().waits.retain(|wait| wait.number != number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that no flight of another test has.
    fn ids<const N: usize>() -> [FlightId; N] {
        core::array::from_fn(|_| next_id())
    }

    /// What another thread would note.
    fn wait(holds_up: &[FlightId], on: FlightId) -> Option<Waiting> {
        std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    let _running: Vec<Running> = holds_up.iter().map(|flight| run(*flight)).collect();
                    begin(on)
                })
                .join()
                .unwrap()
        })
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
        assert!(wait(&[], a).unwrap().number.is_none());
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
