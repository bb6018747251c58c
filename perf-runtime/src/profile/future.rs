//! A future that is measured while it is polled, not while it waits.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::frame::{Entered, ReturnsResult, paused};
use super::threads;
use crate::site::Site;

/// Wraps the future of a `#[profiled]` function. Each poll is a frame; the call ends with completion or when it is dropped.
///
/// It holds nothing of the thread between polls, so it may be polled by any.
#[must_use = "futures do nothing unless polled"]
pub struct Profiled<F: Future> {
    future: F,
    call: Call<F::Output>,
}

/// What is known of the call between its polls. Ends the call when dropped, in whatever way.
struct Call<R> {
    site: &'static Site,
    /// Tells a failure from what the future completes with, where failures are counted.
    failed: Option<fn(&R) -> bool>,
    state: State,
}

enum State {
    New,
    Started { at: u64, busy: u64 },
    Ended,
}

impl<F: Future> Profiled<F> {
    /// Measures `future` as a call of `site`.
    pub const fn new(site: &'static Site, future: F) -> Self {
        Profiled { future, call: Call { site, failed: None, state: State::New } }
    }

    /// The same, and counts what it completes with where `failed` says so of it.
    pub const fn judged(site: &'static Site, future: F, failed: Option<fn(&F::Output) -> bool>) -> Self {
        Profiled { future, call: Call { site, failed, state: State::New } }
    }

    /// The same, and counts an `Err` that it completes with.
    pub fn fallible(site: &'static Site, future: F) -> Self
    where
        F::Output: ReturnsResult,
    {
        Profiled { future, call: Call { site, failed: Some(F::Output::is_failure), state: State::New } }
    }
}

impl<F: Future + fmt::Debug> fmt::Debug for Profiled<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profiled")
            .field("site", &self.call.site.name())
            .field("future", &self.future)
            .finish()
    }
}

impl<F: Future> Future for Profiled<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: nothing is moved out of `this` below.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `future` is pinned whenever `self` is: it is never moved, and `Profiled` has no `Drop` of its own and is
        // `Unpin` only if `future` is. `call` is never pinned.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        let call = &mut this.call;
        let Some(mut frame) = PollFrame::enter(call) else { return future.poll(context) };
        let result = future.poll(context);
        if let Poll::Ready(output) = &result {
            frame.complete(output);
        }
        result
    }
}

/// One poll.
struct PollFrame<'call, R> {
    entered: Entered,
    call: &'call mut Call<R>,
    completed: bool,
    unwinding: bool,
}

impl<'call, R> PollFrame<'call, R> {
    /// `None` while measuring is paused and the call has not begun.
    fn enter(call: &'call mut Call<R>) -> Option<Self> {
        let unwinding = std::thread::panicking();
        if paused() && matches!(call.state, State::New) {
            return None;
        }
        let entered = Entered::new(call.site)?;
        if let State::New = call.state {
            call.state = State::Started { at: entered.start, busy: 0 };
            entered.node.count_start();
            entered.node.stats.futures_mut().started.increment();
        }
        entered.node.count_poll();
        Some(PollFrame { entered, call, completed: false, unwinding })
    }

    fn complete(&mut self, output: &R) {
        self.completed = true;
        if self.call.failed.is_some_and(|failed| failed(output)) {
            self.entered.node.stats.errors.increment();
        }
    }
}

impl<R> Drop for PollFrame<'_, R> {
    fn drop(&mut self) {
        let ticks = self.entered.leave(0);
        let stats = self.entered.node.stats;
        let futures = stats.futures_mut();
        futures.polls.increment();
        if let State::Started { at, busy } = &mut self.call.state {
            *busy += ticks;
            let panicked = std::thread::panicking() && !self.unwinding;
            if panicked {
                stats.panics.increment();
            } else if self.completed {
                futures.completed.increment();
                futures.wall.record((self.entered.start + ticks).saturating_sub(*at));
            }
            if panicked || self.completed {
                stats.durations.record(*busy);
                self.call.state = State::Ended;
            }
        }
        threads::end_visit();
    }
}

impl<R> Drop for Call<R> {
    fn drop(&mut self) {
        if let State::Started { busy, .. } = self.state {
            threads::with_stats(self.site, |stats| {
                stats.durations.record(busy);
                stats.futures_mut().dropped.increment();
            });
        }
    }
}
