//! One call of a function with `local`: the look, and the run of the body that is counted whatever becomes of it.

use core::fmt;
use std::rc::Rc;

use super::super::handle::Found;
use super::super::key::Key;
use super::super::registry::Instance;
use super::cache::Local;
use super::keep::LocalKeep;
use super::store::Store;
use super::table::Entry;
use crate::clock;

/// A run of the body, counted when it ends, also by a panic.
pub(super) struct Load<K, S> {
    store: Rc<Store<K, S>>,
    hash: u64,
    number: u64,
    start: u64,
    /// What it took, where it came to its end.
    ticks: Option<u64>,
    is_kept: bool,
}

impl<K: 'static, S: 'static> Load<K, S> {
    pub(super) fn begin(store: Rc<Store<K, S>>, hash: u64) -> Self {
        let number = store.begin(hash);
        Load { store, hash, number, start: clock::now(), ticks: None, is_kept: false }
    }

    /// The body has ended.
    pub(super) fn end<R, W: LocalKeep<R, Kept = S>>(mut self, key: K, kind: &Kind<K>, result: &R) {
        self.ticks = Some(clock::now().saturating_sub(self.start));
        let are_same = kind.are_same;
        if let Some(value) = W::sort(result) {
            self.is_kept = true;
            let entry = Rc::new(Entry { key, value });
            let own = Rc::clone(&entry);
            self.store.settle(self.hash, &|key| are_same(key, &own.key), Some(self.number), Some(entry));
        } else if kind.is_forced {
            self.store.settle(self.hash, &|other| are_same(other, &key), Some(self.number), None);
        }
    }
}

impl<K, S> Drop for Load<K, S> {
    fn drop(&mut self) {
        self.store.entries.borrow_mut().end(self.number);
        let counts = &self.store.counts;
        counts.loads.add(1);
        counts.load_errors.add(u64::from(!self.is_kept));
        counts.load_ticks.add(self.ticks.unwrap_or_else(|| clock::now().saturating_sub(self.start)));
    }
}

/// What is to be known of a miss.
pub(super) struct Kind<K> {
    pub(super) are_same: fn(&K, &K) -> bool,
    /// The body runs whatever is in the cache, and what is not kept removes what is there.
    pub(super) is_forced: bool,
}

/// A call whose result is not in this thread's cache.
#[must_use = "nothing is computed until the body runs"]
pub struct LocalMiss<K: 'static, R, W: LocalKeep<R>> {
    /// None at the end of a thread.
    store: Option<Rc<Store<K, W::Kept>>>,
    hash: u64,
    key: K,
    kind: Kind<K>,
}

impl<K: 'static, R, W: LocalKeep<R>> fmt::Debug for LocalMiss<K, R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalMiss").field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl<K: 'static, R, W: LocalKeep<R>> LocalMiss<K, R, W> {
    #[cold]
    fn new<Q: Key<Owned = K>>(
        cache: &'static Local<K, W::Kept>,
        hash: u64,
        key: &Q,
        is_forced: bool,
    ) -> Self {
        let store = cache.store_or_new();
        if let (false, Some(store)) = (is_forced, &store) {
            store.counts.misses.add(1);
        }
        LocalMiss { store, hash, key: key.own(), kind: Kind { are_same: Q::are_same, is_forced } }
    }

    /// Runs the body.
    pub fn run(self, body: impl FnOnce() -> R) -> R {
        let LocalMiss { store, hash, key, kind } = self;
        let Some(store) = store else { return body() };
        let load = Load::begin(store, hash);
        let result = body();
        load.end::<R, W>(key, &kind, &result);
        result
    }
}

/// The first step of a call; see [`look_up`](super::super::look_up).
#[inline]
pub fn look_up_local<M, A, R, Q: Key, W: LocalKeep<R>>(
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    keep: W,
) -> Found<R, LocalMiss<Q::Owned, R, W>> {
    look_up_local_unless(false, instance, arguments, key, keep)
}

/// The same; where `is_forced`, it does not look, and the body runs whatever is in the cache.
#[inline]
pub fn look_up_local_unless<M, A, R, Q: Key, W: LocalKeep<R>>(
    is_forced: bool,
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    _: W,
) -> Found<R, LocalMiss<Q::Owned, R, W>> {
    let cache = instance.made::<Local<Q::Owned, W::Kept>>(None);
    let key = key(arguments);
    let hash = key.hash(&cache.seed);
    if !is_forced && let Some(value) = cache.find(hash, |owned| key.is(owned), W::Kept::clone, true) {
        return Found::Hit(W::kept(value));
    }
    Found::Miss(LocalMiss::new(cache, hash, &key, is_forced))
}
