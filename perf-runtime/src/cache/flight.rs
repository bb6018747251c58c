//! One computation of one key: its leader runs the body, everybody else waits for it to land.
//!
//! A flight that lands without a result (the body panicked or its future was dropped, or the result is not for others) sends those
//! who wait back to the beginning, where one of them becomes the next leader. Threads wait on a condition, tasks by their wakers; both may
//! wait for one flight.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::shard::Entry;
use super::waits::{FlightId, next_id};
use crate::sync::{Condvar, Mutex};

/// How a flight ended.
#[derive(Debug)]
pub(super) enum Landing<K, S, R> {
    /// With an entry, which is in the cache.
    Kept(Arc<Entry<K, S>>),
    /// With a result that is not kept, of this key.
    Refused(Arc<Entry<K, R>>),
    /// With nothing to share.
    Nothing,
}

impl<K, S, R> Clone for Landing<K, S, R> {
    fn clone(&self) -> Self {
        match self {
            Landing::Kept(entry) => Landing::Kept(Arc::clone(entry)),
            Landing::Refused(entry) => Landing::Refused(Arc::clone(entry)),
            Landing::Nothing => Landing::Nothing,
        }
    }
}

/// See the module.
pub(super) struct Flight<K, S, R> {
    pub(super) id: FlightId,
    state: Mutex<State<K, S, R>>,
    landed: Condvar,
}

struct State<K, S, R> {
    landing: Option<Landing<K, S, R>>,
    /// Tasks that wait, each by the number that it was given.
    tasks: Vec<(u64, Waker)>,
    next_task: u64,
    /// The task that polled the body last, where the body is a future.
    leader: Option<Waker>,
    /// How often it did.
    polls: u64,
}

impl<K, S, R> Flight<K, S, R> {
    pub(super) fn new() -> Self {
        Flight {
            id: next_id(),
            state: Mutex::new(State {
                landing: None,
                tasks: Vec::new(),
                next_task: 0,
                leader: None,
                polls: 0,
            }),
            landed: Condvar::new(),
        }
    }

    /// Ends the flight, the first time. Called with no lock held: wakers are somebody's code.
    pub(super) fn land(&self, landing: Landing<K, S, R>) {
        let mut state = self.state.lock();
        if state.landing.is_some() {
            return;
        }
        state.landing = Some(landing);
        let tasks = core::mem::take(&mut state.tasks);
        let leader = state.leader.take();
        drop(state);
        self.landed.notify_all();
        drop(leader);
        for (_, waker) in tasks {
            waker.wake();
        }
    }

    /// Blocks the thread until the flight has landed.
    pub(super) fn wait(&self) -> Landing<K, S, R> {
        let mut state = self.state.lock();
        loop {
            if let Some(landing) = &state.landing {
                return landing.clone();
            }
            self.landed.wait(&mut state);
        }
    }

    /// Notes that a task is about to poll the body.
    pub(super) fn polled_by(&self, task: &Waker) {
        let mut state = self.state.lock();
        state.polls += 1;
        if state.leader.as_ref().is_some_and(|leader| leader.will_wake(task)) {
            return;
        }
        drop(state);
        let task = task.clone();
        let before = self.state.lock().leader.replace(task);
        drop(before);
    }
}

/// A task's wait for a flight.
pub(super) struct Landed<K, S, R> {
    flight: Arc<Flight<K, S, R>>,
    task: Option<u64>,
    /// Polls of the body when this was polled last by the task that polls the body.
    polls: Option<u64>,
    /// How often in a row there were none between two polls of this.
    idle: u8,
}

/// The flight will not land while this task waits for it: the task itself holds the body, and does not poll it.
#[derive(Debug)]
pub(super) struct Stuck;

impl<K, S, R> Landed<K, S, R> {
    pub(super) fn new(flight: Arc<Flight<K, S, R>>) -> Self {
        Landed { flight, task: None, polls: None, idle: 0 }
    }

    /// The landing, or `Stuck`.
    ///
    /// One task may hold both the leader and somebody who waits for it. As a rule each of its polls reaches both (`join!`, `select!`), in any
    /// order, so that between two polls of this the leader is passed over once at most. If it is twice, it is held aside, say by
    /// a `select!` that took another branch.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Landing<K, S, R>, Stuck>> {
        // Outside of the lock, since it is somebody's code; so is dropping one.
        let waker = context.waker().clone();
        let mut state = self.flight.state.lock();
        if let Some(landing) = &state.landing {
            let landing = landing.clone();
            drop(state);
            return Poll::Ready(Ok(landing));
        }
        let mut look_again = false;
        if state.leader.as_ref().is_some_and(|leader| leader.will_wake(&waker)) {
            look_again = self.polls == Some(state.polls);
            self.idle = if look_again { self.idle + 1 } else { 0 };
            self.polls = Some(state.polls);
            if self.idle == 2 {
                drop(state);
                return Poll::Ready(Err(Stuck));
            }
        }
        let number = *self.task.get_or_insert_with(|| {
            state.next_task += 1;
            state.next_task
        });
        let before = if let Some((_, before)) = state.tasks.iter_mut().find(|(task, _)| *task == number) {
            Some(core::mem::replace(before, waker))
        } else {
            state.tasks.push((number, waker));
            None
        };
        drop(state);
        drop(before);
        if look_again {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<K, S, R> Drop for Landed<K, S, R> {
    fn drop(&mut self) {
        let Some(number) = self.task else { return };
        let mut state = self.flight.state.lock();
        let index = state.tasks.iter().position(|(task, _)| *task == number);
        let waker = index.map(|index| state.tasks.swap_remove(index));
        drop(state);
        drop(waker);
    }
}
