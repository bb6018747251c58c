//! A lookup whose result may be past its time, or soon: it is handed out at once and computed anew in the background.

use core::fmt;

use super::background;
use super::dependency::reading;
use super::handle::{Found, Miss, Prime, Primer, look_up_noted};
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

/// A result that is to be computed anew, by nobody else meanwhile. Where it is dropped, the next caller is asked to.
#[must_use = "nothing is computed until the body runs"]
pub struct Refresh<R>(Primer<R>);

impl<R> fmt::Debug for Refresh<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").finish_non_exhaustive()
    }
}

impl<R: 'static> Refresh<R> {
    /// Runs the body in the background.
    pub fn run(self, body: impl FnOnce() -> R + Send + 'static) {
        background::run(move || drop(self.0.prime(body)));
    }

    /// Runs the body, which is a future, in the background.
    pub fn run_async(self, body: impl Future<Output = R> + Send + 'static) {
        background::run_future(async move { drop(self.0.prime_async(body).await) });
    }
}

/// The first step of a call; see [`look_up`](super::look_up).
#[inline]
pub fn look_up_ahead<M, A, R: 'static, Q: Key, W: Keep<R>>(
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    _: W,
) -> FoundAhead<R, Miss<Q::Owned, R, W>> {
    let cache = instance.cache::<Q::Owned, W::Kept, W::Refused>();
    let key = key(arguments);
    let hash = key.hash(&cache.seed);
    let reading = reading();
    if reading.is_noted() {
        // What is computed from it is not to begin its life with a result whose own is over.
        return match look_up_noted(cache, hash, &key, reading) {
            Found::Hit(result) => FoundAhead::Hit(result),
            Found::Miss(miss) => FoundAhead::Miss(miss),
        };
    }
    match cache.store.find_ahead(hash, |owned| key.is(owned), W::Kept::clone) {
        Some((value, false)) => FoundAhead::Hit(W::kept(value)),
        Some((value, true)) => {
            let lead = cache.store.begin_refresh(hash, &|owned| key.is(owned), || key.own());
            match lead {
                Some(lead) => {
                    let refresh = Primer::new(Prime::<_, R, W> { lead, are_same: Q::are_same }, reading);
                    FoundAhead::Stale(W::kept(value), Refresh(refresh))
                }
                None => FoundAhead::Hit(W::kept(value)),
            }
        }
        None => FoundAhead::Miss(Miss::new(cache, hash, &key)),
    }
}
