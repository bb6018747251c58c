//! One computation of one key: its leader runs the body, everybody else waits for it to land.
//!
//! A flight that lands without a result (the body panicked or its future was dropped, or the result is not for others) sends those
//! who wait back to the beginning, where one of them becomes the next leader.
//!
//! A leader whose body is a future may be kept aside by whoever holds it, and never be polled again, while what holds it waits for
//! the flight: a `select!` that took another branch does that. Nobody can see it happen, but it shows: the body asked to be polled, and
//! was not. So the body is polled with the flight as its waker, which wakes the leader, notes the time, and wakes one of those
//! who wait; as long as the body stays unpolled that one looks again and again, and in the end gives the flight up.

pub(super) mod waits;

use core::time::Duration;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::dependency::Computed;
use crate::clock;
use crate::sync::{Condvar, Mutex};

/// How long a body that could go on may be left alone while somebody waits for it.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// How a flight ended.
#[derive(Debug)]
pub(super) enum Landing<R> {
    /// Its entry has a value.
    Kept,
    /// With a result that is not kept, and what it was computed from.
    Refused(Arc<R>, Option<Computed>),
    /// With nothing to share.
    Nothing,
}

impl<R> Landing<R> {
    /// The same, or nothing where what the result was computed from has changed: some of those who wait may have called after that.
    /// To be asked when nobody joins the flight any more.
    pub(super) fn unless_outdated(self) -> Self {
        match self {
            Landing::Refused(_, Some(computed)) if !computed.is_current() => Landing::Nothing,
            landing => landing,
        }
    }
}

impl<R> Clone for Landing<R> {
    fn clone(&self) -> Self {
        match self {
            Landing::Kept => Landing::Kept,
            Landing::Refused(result, computed) => Landing::Refused(Arc::clone(result), computed.clone()),
            Landing::Nothing => Landing::Nothing,
        }
    }
}

/// See the module. Made when somebody waits, and for every task that leads.
#[derive(Debug)]
pub(super) struct Flight<R> {
    state: Mutex<State<R>>,
    landed: Condvar,
}

#[derive(Debug)]
struct State<R> {
    landing: Option<Landing<R>>,
    /// Tasks that wait and that nobody woke, by the numbers that they were given.
    tasks: BTreeMap<u64, Waker>,
    next_task: u64,
    /// The task that polled the body last, until it is woken.
    leader: Option<Waker>,
    /// Since when the body could go on but was not polled, in ticks.
    ready: Option<u64>,
    /// The body is being polled, for however long.
    is_polled: bool,
}

impl<R> State<R> {
    /// The task that has waited for the longest.
    fn take_one(&mut self) -> Option<Waker> {
        self.tasks.pop_first().map(|(_, waker)| waker)
    }
}

impl<R> Flight<R> {
    pub(super) fn new() -> Self {
        Flight {
            state: Mutex::new(State {
                landing: None,
                tasks: BTreeMap::new(),
                next_task: 0,
                leader: None,
                ready: None,
                is_polled: false,
            }),
            landed: Condvar::new(),
        }
    }

    /// Ends the flight, the first time. Called with no lock held: wakers are somebody's code.
    pub(super) fn land(&self, landing: Landing<R>) {
        let mut state = self.state.lock();
        if state.landing.is_some() {
            return;
        }
        state.landing = Some(landing);
        let (tasks, leader) = (core::mem::take(&mut state.tasks), state.leader.take());
        drop(state);
        self.landed.notify_all();
        for waker in tasks.into_values() {
            wake(waker);
        }
        drop(leader);
    }

    /// Blocks the thread until the flight has landed.
    pub(super) fn wait(&self) -> Landing<R> {
        let mut state = self.state.lock();
        loop {
            if let Some(landing) = &state.landing {
                return landing.clone();
            }
            self.landed.wait(&mut state);
        }
    }

    /// A task polls the body.
    pub(super) fn poll<T>(&self, task: &Waker, body: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let task = task.clone();
        let mut state = self.state.lock();
        (state.ready, state.is_polled) = (None, true);
        let before = state.leader.replace(task);
        drop(state);
        drop(before);
        // Where it panics, the flight lands.
        let end = body();
        let now = clock::now();
        let mut state = self.state.lock();
        state.is_polled = false;
        // Asked to be polled again while it was polled.
        state.ready = state.ready.filter(|_| end.is_pending()).map(|_| now);
        let watcher = if state.ready.is_some() { state.take_one() } else { None };
        drop(state);
        watcher.into_iter().for_each(wake);
        end
    }
}

/// What the body is polled with: it can go on.
impl<R: Send + Sync + 'static> Wake for Flight<R> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let now = clock::now();
        let mut state = self.state.lock();
        state.ready.get_or_insert(now);
        let leader = state.leader.take();
        let watcher = if state.is_polled { None } else { state.take_one() };
        drop(state);
        leader.into_iter().chain(watcher).for_each(wake);
    }
}

/// A waker that panics must not keep others from being woken.
fn wake(waker: Waker) {
    let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
}

/// A task's wait for a flight.
pub(super) struct Landed<R> {
    flight: Arc<Flight<R>>,
    task: Option<u64>,
}

/// The body could go on, but nobody polls it.
#[derive(Debug)]
pub(super) struct Abandoned;

impl<R> Landed<R> {
    pub(super) fn new(flight: Arc<Flight<R>>) -> Self {
        Landed { flight, task: None }
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Landing<R>, Abandoned>> {
        // Outside of the lock, since it is somebody's code; so is dropping one.
        let waker = context.waker().clone();
        let mut state = self.flight.state.lock();
        if let Some(landing) = &state.landing {
            let landing = landing.clone();
            drop(state);
            return Poll::Ready(Ok(landing));
        }
        let ready = state.ready.filter(|_| !state.is_polled);
        let number = *self.task.get_or_insert_with(|| {
            state.next_task += 1;
            state.next_task
        });
        let before = state.tasks.insert(number, waker);
        drop(state);
        drop(before);
        if let Some(ready) = ready {
            let passed = clock::rate().duration(clock::now().saturating_sub(ready));
            if passed > PATIENCE {
                return Poll::Ready(Err(Abandoned));
            }
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<R> Drop for Landed<R> {
    fn drop(&mut self) {
        let Some(number) = self.task else { return };
        let mut state = self.flight.state.lock();
        let waker = state.tasks.remove(&number);
        // It may have been the one that was woken to look after the body.
        let next = if state.ready.is_some() && waker.is_none() { state.take_one() } else { None };
        drop(state);
        drop(waker);
        next.into_iter().for_each(wake);
    }
}
