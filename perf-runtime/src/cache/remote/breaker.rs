//! Keeps a server that fails from being asked all the time, and the program from waiting for it.
//!
//! After a few failures in a row no request is made for a while; then a single one finds out whether the server is back. Each time it is not,
//! the while doubles, up to a limit, and differs a little between processes so that they do not all come back at once.

use core::hash::BuildHasher;
use core::time::Duration;
use std::time::Instant;

use crate::sync::Mutex;

/// When to stop asking, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Failures in a row after which no request is made.
    pub(super) failures: u32,
    /// For how long, the first time.
    pub(super) first: Duration,
    /// For how long at most.
    pub(super) longest: Duration,
}

#[derive(Debug)]
pub(super) struct Breaker {
    patience: Patience,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// How often it was opened in a row.
    openings: u32,
    /// No request before that, if it is open.
    until: Option<Instant>,
    /// Somebody finds out whether the server is back.
    is_probed: bool,
}

/// Leave to make one request. Dropped without a verdict where the request was given up.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    pub(super) const fn new(patience: Patience) -> Self {
        let state = State { failures: 0, openings: 0, until: None, is_probed: false };
        Breaker { patience, state: Mutex::new(state) }
    }

    /// Leave to make a request, if it is worth while.
    pub(super) fn enter(&self) -> Option<Permit<'_>> {
        let mut state = self.state.lock();
        match state.until {
            None => Some(Permit { breaker: self, is_probe: false }),
            Some(until) if state.is_probed || Instant::now() < until => None,
            Some(_) => {
                state.is_probed = true;
                Some(Permit { breaker: self, is_probe: true })
            }
        }
    }

    fn pause(&self, openings: u32) -> Duration {
        let doubled = self.patience.first.saturating_mul(1 << openings.min(16));
        let pause = doubled.min(self.patience.longest);
        // Between three quarters and all of it.
        let random = foldhash::fast::RandomState::default().hash_one(openings) as u32;
        pause.mul_f64(1.0 - f64::from(random) / f64::from(u32::MAX) / 4.0)
    }
}

impl Permit<'_> {
    /// The server answered.
    pub(super) fn succeed(self) {
        let mut state = self.breaker.state.lock();
        if self.is_probe || state.until.is_none() {
            *state = State::default();
        }
    }

    /// It did not.
    pub(super) fn fail(self) {
        let breaker = self.breaker;
        let mut state = breaker.state.lock();
        state.failures = state.failures.saturating_add(1);
        let opens = state.until.is_none() && state.failures >= breaker.patience.failures;
        if self.is_probe || opens {
            state.until = Some(Instant::now() + breaker.pause(state.openings));
            state.openings = state.openings.saturating_add(1);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.state.lock().is_probed = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        let pause = Duration::from_millis(20);
        Breaker::new(Patience { failures: 3, first: pause, longest: pause })
    }

    fn open(breaker: &Breaker) {
        for _ in 0..3 {
            breaker.enter().unwrap().fail();
        }
        assert!(breaker.enter().is_none());
    }

    #[test]
    fn it_opens_after_failures_in_a_row() {
        let breaker = breaker();
        breaker.enter().unwrap().fail();
        breaker.enter().unwrap().fail();
        breaker.enter().unwrap().succeed();
        open(&breaker);
    }

    #[test]
    fn one_at_a_time_finds_out_whether_the_server_is_back() {
        let breaker = breaker();
        open(&breaker);
        std::thread::sleep(Duration::from_millis(25));
        let probe = breaker.enter().unwrap();
        assert!(breaker.enter().is_none());
        probe.fail();
        assert!(breaker.enter().is_none());
        std::thread::sleep(Duration::from_millis(25));
        // Given up without a verdict: the next may try.
        drop(breaker.enter().unwrap());
        breaker.enter().unwrap().succeed();
        drop((breaker.enter().unwrap(), breaker.enter().unwrap()));
    }
}
