//! What the layer demands of a backend: requests on names and bytes, answered in time or not at all.
//!
//! A backend knows nothing of types, envelopes, counters or patience. It must return by the deadline it is given, must never panic, and
//! whatever a server sends is an answer or a [`Failure`].

#![cfg_attr(
    not(all(feature = "memcached", feature = "redis")),
    allow(dead_code, reason = "not every backend does, or fails in, all ways")
)]

use core::future::Future;
use core::pin::Pin;
use core::time::Duration;
use std::time::Instant;

/// What a backend's future is.
pub(super) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request<'a> {
    /// The value. If there is none and a length is given: the lease to compute it, unless somebody has it.
    Get { name: &'a str, lease: Option<Duration> },
    /// Stores a value.
    Set { name: &'a str, value: &'a [u8], ttl: Option<Duration>, how: How<'a> },
    /// Removes the value, and any lease: what is being computed now will not be stored.
    Delete { name: &'a str },
    /// Removes a value that was found to be of no use, if it is still the one that was found.
    Discard { name: &'a str, mark: u64 },
    /// Gives up a lease.
    Release { name: &'a str, lease: Lease },
}

/// When to store.
#[derive(Clone, Copy, Debug)]
pub(super) enum How<'a> {
    /// Whatever is there.
    Always,
    /// Only where nothing is.
    IfAbsent,
    /// Only if the lease was not taken away, which ends with it.
    Holding(&'a Lease),
}

/// An answer.
#[derive(Debug)]
pub(super) enum Answer {
    /// A value, and what tells it from a later one of the same name.
    Value(Vec<u8>, u64),
    /// There is none.
    Absent,
    /// There is none, and this process is to compute it.
    Lead(Lease),
    /// There is none, and another process is computing it.
    Follow,
    /// Done, or not done because of the condition.
    Done(bool),
}

/// Leave to compute a result while others wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) token: u64,
    /// The server forgets it then, or somewhat later.
    pub(super) ends: Instant,
}

impl Lease {
    /// It may be that the server has forgotten it.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.ends
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Not in time.
    Timeout,
    /// No connection, or it broke.
    Connection,
    /// The answer makes no sense.
    Protocol,
    /// The server understood, and said no.
    Refused,
    /// The server said that the value is too large.
    TooLarge,
    /// A future of this kind was polled where there is no tokio runtime.
    NoRuntime,
}

impl Failure {
    /// Whether it speaks for leaving the server alone.
    pub(super) fn is_fault(self) -> bool {
        matches!(self, Failure::Timeout | Failure::Connection | Failure::Protocol)
    }
}

impl From<&std::io::Error> for Failure {
    fn from(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Failure::Timeout,
            ErrorKind::InvalidData => Failure::Protocol,
            _ => Failure::Connection,
        }
    }
}

/// A server, or a file.
pub(super) trait Backend: Send + Sync {
    /// The answer, by `until`; blocks until then at most.
    fn ask(&self, request: Request<'_>, until: Instant) -> Result<Answer, Failure>;

    /// The same without blocking.
    fn ask_later<'a>(&'a self, request: Request<'a>, until: Instant) -> Later<'a, Result<Answer, Failure>> {
        Box::pin(async move { self.ask(request, until) })
    }

    /// A while, without blocking.
    fn pause(&self, pause: Duration) -> Later<'_, ()> {
        Box::pin(async move { crate::sync::sleep(pause) })
    }

    /// Has a future run by somebody else, if there is anybody.
    fn detach(&self, future: Later<'static, ()>) {
        drop(future);
    }

    /// The largest value that may be sent under a name of this length.
    fn max_value(&self, name: usize) -> usize;
}

/// A number that nobody else has: of a lease, of a generation.
pub(super) fn unique() -> u64 {
    use core::hash::BuildHasher as _;
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
    foldhash::quality::RandomState::default().hash_one((now, std::process::id(), Instant::now())).max(1)
}
