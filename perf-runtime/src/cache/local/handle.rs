//! What a function with `local` gives to hold: the cache of the thread that asks, and its counters on all of them.

use core::fmt;
use std::rc::Rc;

use super::super::handle::Bound;
use super::super::key::Key;
use super::super::registry::{AnyCache, Instance};
use super::super::stats::CacheStats;
use super::cache::Local;
use super::call::{Kind, Load};
use super::keep::LocalKeep;
use super::table::Entry;

/// How a function's arguments `A` are its key, and how its results `R` are kept on their thread.
pub trait LocalBinding<A, R> {
    /// The key as a call has it.
    type Key: Key;
    /// How results are kept.
    type Keep: LocalKeep<R>;

    /// The key of a call.
    fn key(&self, arguments: A) -> Self::Key;
}

impl<A, R, Q: Key, F: Fn(A) -> Q, W: LocalKeep<R>> LocalBinding<A, R> for Bound<F, W> {
    type Key = Q;
    type Keep = W;

    #[inline]
    fn key(&self, arguments: A) -> Q {
        (self.key)(arguments)
    }
}

type LocalOf<A, R, B> = Local<
    <<B as LocalBinding<A, R>>::Key as Key>::Owned,
    <<B as LocalBinding<A, R>>::Keep as LocalKeep<R>>::Kept,
>;

/// The cache behind a function with `local`: of the thread that asks. What it returns and removes is that thread's; what it counts
/// is summed over all.
///
/// `A` and `R` are as those of a [`CacheHandle`](super::super::CacheHandle).
pub struct LocalCacheHandle<A, R, B: LocalBinding<A, R>> {
    cache: &'static LocalOf<A, R, B>,
    binding: B,
}

impl<A, R, B: LocalBinding<A, R>> fmt::Debug for LocalCacheHandle<A, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCacheHandle").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl<A, R, Q: Key, F: Fn(A) -> Q, W: LocalKeep<R>> LocalCacheHandle<A, R, Bound<F, W>> {
    /// The cache of an instance of a function, whose arguments `key` makes a key of.
    pub fn new<M>(instance: Instance<M>, key: F, keep: W) -> Self {
        LocalCacheHandle { cache: instance.made(None), binding: Bound { key, keep } }
    }
}

impl<A, R, B: LocalBinding<A, R>> LocalCacheHandle<A, R, B> {
    /// Removes this thread's result of a call with these arguments, and tells whether there was one. A computation of it that is under
    /// way is not kept.
    pub fn invalidate(&self, arguments: A) -> bool {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        self.cache.store().is_some_and(|store| store.settle(hash, &|owned| key.is(owned), None, None))
    }

    /// This thread's result of a call with these arguments, if there is one. Neither computes nor counts.
    #[must_use]
    pub fn peek(&self, arguments: A) -> Option<R> {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        let found = self.cache.find(hash, |owned| key.is(owned), Clone::clone, false);
        found.map(B::Keep::kept)
    }

    /// Keeps `result` as that of a call with these arguments on this thread, in place of what was there. What is not kept, an `Err` or a
    /// `None`, only removes what was there.
    pub fn insert(&self, arguments: A, result: &R) {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        let Some(store) = self.cache.store_or_new() else { return };
        let entry = B::Keep::sort(result).map(|value| Rc::new(Entry { key: key.own(), value }));
        store.settle(hash, &|owned| key.is(owned), None, entry);
    }

    /// Removes everything of this thread and returns how many results there were. Computations under way are not kept.
    #[allow(clippy::must_use_candidate, reason = "it is called to clear")]
    pub fn clear(&self) -> u64 {
        AnyCache::clear(self.cache)
    }

    /// What this cache counted, on all threads: of one instance, where the function is generic.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        AnyCache::stats(self.cache)
    }

    /// A run of the body whatever is in the cache.
    pub fn primer(&self, arguments: A) -> LocalPrimer<R>
    where
        R: 'static,
    {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        let prime = self.cache.store_or_new().map(|store| {
            let (key, load) = (key.own(), Load::begin(store, hash));
            let kind = Kind { are_same: B::Key::are_same, is_forced: true };
            Box::new(move |result: &R| load.end::<R, B::Keep>(key, &kind, result)) as Box<KeepOnce<R>>
        });
        LocalPrimer { prime }
    }
}

/// Keeps the result of a run of the body.
type KeepOnce<R> = dyn FnOnce(&R);

/// Runs the body and keeps its result in place of what is in the cache; what is not kept, an `Err` or a `None`, only removes it.
#[must_use = "nothing is computed until the body runs"]
pub struct LocalPrimer<R> {
    /// Knows the key, whose type depends on how long the arguments live as far as the compiler can tell.
    prime: Option<Box<KeepOnce<R>>>,
}

impl<R> fmt::Debug for LocalPrimer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalPrimer").finish_non_exhaustive()
    }
}

impl<R> LocalPrimer<R> {
    /// Runs the body.
    pub fn prime(self, body: impl FnOnce() -> R) -> R {
        let result = body();
        self.prime.into_iter().for_each(|end| end(&result));
        result
    }
}
