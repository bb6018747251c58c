//! What a cached function holds: it looks up, computes, stores.
//!
//! A call has two steps, because the body takes the arguments that the key is made of: [`look_up`] borrows them
//! and gives a hit, or a [`Miss`] that owns its key; the miss then runs the body, or waits for somebody who does.

use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};

use super::flight::{Abandoned, Flight, Landed, Landing};
use super::keep::{Keep, Sorted};
use super::key::Key;
use super::load::{Load, Loads};
use super::registry::{Cache, Instance};
use super::shard::Entry;
use super::stats::CacheStats;
use super::store::Turn;
use super::waits::{self, Waiting};

/// How a function's arguments `A` are its key, and how its results `R` are kept.
pub trait Binding<A, R> {
    /// The key as a call has it.
    type Key: Key;
    /// How results are kept.
    type Keep: Keep<R>;

    /// The key of a call.
    fn key(&self, arguments: A) -> Self::Key;
}

/// A closure from arguments to a key, and a [`Keep`].
pub struct Bound<F, W> {
    key: F,
    keep: PhantomData<W>,
}

impl<F: Copy, W> Clone for Bound<F, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Copy, W> Copy for Bound<F, W> {}

impl<F, W> fmt::Debug for Bound<F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bound")
    }
}

impl<A, R, Q: Key, F: Fn(A) -> Q, W: Keep<R>> Binding<A, R> for Bound<F, W> {
    type Key = Q;
    type Keep = W;

    #[inline]
    fn key(&self, arguments: A) -> Q {
        (self.key)(arguments)
    }
}

type CacheOf<A, R, B> = Cache<
    <<B as Binding<A, R>>::Key as Key>::Owned,
    <<B as Binding<A, R>>::Keep as Keep<R>>::Kept,
    <<B as Binding<A, R>>::Keep as Keep<R>>::Refused,
>;

/// The cache behind a function: what `function::cache()` and `Type::method_cache()` return.
///
/// `A` are the arguments that the key is made of: what the function takes by value is given by reference, what it takes by reference as
/// it is; one alone as itself, several as a tuple. `R` is what the function returns.
pub struct CacheHandle<A, R, B: Binding<A, R>> {
    cache: &'static CacheOf<A, R, B>,
    binding: B,
}

impl<A, R, B: Binding<A, R>> fmt::Debug for CacheHandle<A, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheHandle").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl<A, R, Q: Key, F: Fn(A) -> Q, W: Keep<R>> CacheHandle<A, R, Bound<F, W>> {
    /// The cache of an instance of a function, whose arguments `key` makes a key of.
    pub fn new<M>(instance: Instance<M>, key: F, _: W) -> Self {
        CacheHandle { cache: instance.cache(), binding: Bound { key, keep: PhantomData } }
    }
}

/// The first step of a call. `arguments` come before `key`, so that the types of the closure's are known.
#[inline]
pub fn look_up<M, A, R, Q: Key, W: Keep<R>>(
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    _: W,
) -> Found<R, Miss<Q::Owned, R, W>> {
    let cache = instance.cache::<Q::Owned, W::Kept, W::Refused>();
    let key = key(arguments);
    let hash = key.hash(&cache.seed);
    let found = cache.store.find(hash, |owned| key.is(owned));
    match found.and_then(|entry| entry.value()) {
        Some(value) => Found::Hit(W::kept(value)),
        None => Found::Miss(Miss::new(cache, hash, &key)),
    }
}

impl<A, R, B: Binding<A, R>> CacheHandle<A, R, B> {
    /// Removes the result of a call with these arguments, and tells whether there was one. A computation of it that is under way is
    /// not kept.
    pub fn invalidate(&self, arguments: A) -> bool {
        let key = self.binding.key(arguments);
        self.cache.store.invalidate(key.hash(&self.cache.seed), &|owned| key.is(owned))
    }

    /// The result of a call with these arguments if it is in the cache. Neither computes nor counts.
    #[must_use]
    pub fn peek(&self, arguments: A) -> Option<R> {
        let key = self.binding.key(arguments);
        let entry = self.cache.store.peek(key.hash(&self.cache.seed), &|owned| key.is(owned))?;
        entry.value().map(B::Keep::kept)
    }

    /// Keeps `result` as that of a call with these arguments, in place of what was there. What is not kept, an `Err` or a `None`, only
    /// removes what was there.
    pub fn insert(&self, arguments: A, result: &R) {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        match B::Keep::sort(result) {
            Sorted::Kept(value) => {
                let entry = Entry { key: key.own(), value: OnceLock::from(value) };
                self.cache.store.insert(hash, &Arc::new(entry), &|owned| key.is(owned));
            }
            Sorted::Refused(_) | Sorted::Private => {
                self.cache.store.invalidate(hash, &|owned| key.is(owned));
            }
        }
    }

    /// Removes everything and returns how many results there were. Computations under way are not kept.
    #[allow(clippy::must_use_candidate, reason = "it is called to clear")]
    pub fn clear(&self) -> u64 {
        self.cache.store.clear()
    }

    /// What this cache counted: of one instance, where the function is generic.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        self.cache.store.stats()
    }

    /// A run of the body whatever is in the cache. It begins here, as far as what is invalidated meanwhile is concerned.
    pub fn primer(&self, arguments: A) -> Primer<R>
    where
        R: 'static,
    {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        Miss::<_, R, B::Keep>::new(self.cache, hash, &key).into_primer()
    }
}

/// Runs the body and keeps its result in place of what is in the cache; what is not kept, an `Err` or a `None`, only removes it.
#[must_use = "nothing is computed until the body runs"]
pub struct Primer<R> {
    loads: &'static Loads,
    /// Knows the key, whose type depends on how long the arguments live as far as the compiler can tell.
    keep: Box<KeepOnce<R>>,
}

type KeepOnce<R> = dyn FnOnce(&R, Load) + Send;

impl<R> fmt::Debug for Primer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primer").finish_non_exhaustive()
    }
}

impl<R> Primer<R> {
    /// Runs the body.
    pub fn prime(self, body: impl FnOnce() -> R) -> R {
        let load = self.loads.start();
        let result = body();
        (self.keep)(&result, load);
        result
    }

    /// Runs the body, which is a future.
    pub async fn prime_async(self, body: impl Future<Output = R>) -> R {
        let load = self.loads.start();
        let result = body.await;
        (self.keep)(&result, load);
        result
    }
}

/// What the first step of a call found.
#[derive(Debug)]
pub enum Found<R, M> {
    /// The result.
    Hit(R),
    /// Nothing; go on with this.
    Miss(M),
}

/// A call whose result is not in the cache.
#[must_use = "nothing is computed until the body runs"]
pub struct Miss<K: 'static, R, W: Keep<R>> {
    cache: &'static Cache<K, W::Kept, W::Refused>,
    hash: u64,
    /// Has the key, and no value yet.
    entry: Arc<Entry<K, W::Kept>>,
    are_same: fn(&K, &K) -> bool,
}

impl<K: 'static, R, W: Keep<R>> fmt::Debug for Miss<K, R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Miss").field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// What a call without a result is to do next.
enum Next<K: 'static, R, W: Keep<R>> {
    /// Run the body, for all who wait.
    Lead(Descent<K, R, W>),
    /// Wait, and see.
    Wait(Arc<Flight<K, W::Kept, W::Refused>>, Waiting),
    /// Run the body for itself: it would wait for ever.
    Alone,
}

impl<Owned: 'static, R, W: Keep<R>> Miss<Owned, R, W> {
    #[cold]
    fn new<Q: Key<Owned = Owned>>(
        cache: &'static Cache<Owned, W::Kept, W::Refused>,
        hash: u64,
        key: &Q,
    ) -> Self {
        Miss { cache, hash, entry: Arc::new(Entry::new(key.own())), are_same: Q::are_same }
    }
}

/// The second step of a call: the result, from this body or from another caller's.
impl<K: Send + Sync + 'static, R, W: Keep<R>> Miss<K, R, W> {
    /// Runs the body, unless another caller does or has done.
    pub fn run(self, body: impl FnOnce() -> R) -> R {
        loop {
            match self.next() {
                Err(result) => return result,
                Ok(Next::Lead(descent)) => return self.lead(descent, body),
                Ok(Next::Alone) => {
                    let load = self.cache.store.loads.start();
                    let result = body();
                    load.end(is_kept::<R, W>(&result));
                    return result;
                }
                Ok(Next::Wait(flight, waiting)) => {
                    let landing = flight.wait();
                    drop(waiting);
                    if let Some(result) = self.share(&flight, landing) {
                        return result;
                    }
                }
            }
        }
    }

    /// The same for a body that is a future. It may be polled by any task and dropped at any time.
    pub async fn run_async(self, body: impl Future<Output = R>) -> R {
        loop {
            // No `R` is held where this waits, so that the future is `Send` where the body's is.
            let next = match self.next() {
                Err(result) => return result,
                Ok(next) => next,
            };
            match next {
                Next::Lead(descent) => return self.lead_async(descent, body).await,
                Next::Alone => {
                    let load = self.cache.store.loads.start();
                    let result = body.await;
                    load.end(is_kept::<R, W>(&result));
                    return result;
                }
                Next::Wait(flight, waiting) => {
                    let mut landed = Landed::new(Arc::clone(&flight));
                    let landing = poll_fn(|context| landed.poll(context)).await;
                    drop(landed);
                    drop(waiting);
                    match landing {
                        Ok(landing) => {
                            if let Some(result) = self.share(&flight, landing) {
                                return result;
                            }
                        }
                        // Sends all who wait for it back to the beginning. Its leader may still go on, for itself.
                        Err(Abandoned) => self.cache.store.give_up(self.hash, &flight, Landing::Nothing),
                    }
                }
            }
        }
    }

    fn next(&self) -> Result<Next<K, R, W>, R> {
        let store = &self.cache.store;
        match store.join(self.hash, &self.entry, &|key| self.is(key)) {
            Turn::Lead(flight) => {
                let descent = Descent::new(self, flight);
                let _running = waits::run(descent.flight.id);
                // Another flight may have landed since this call looked.
                let found = store.peek(self.hash, &|key| self.is(key));
                match found.and_then(|entry| entry.value()) {
                    Some(value) => {
                        store.loads.count_wait();
                        Err(W::kept(value))
                    }
                    None => Ok(Next::Lead(descent)),
                }
            }
            Turn::Follow(flight) => match waits::begin(flight.id) {
                Some(waiting) => Ok(Next::Wait(flight, waiting)),
                None => Ok(Next::Alone),
            },
        }
    }

    fn is(&self, key: &K) -> bool {
        (self.are_same)(key, &self.entry.key)
    }

    /// The result of the flight that it waited for, if there is one to share.
    fn share(&self, flight: &Flight<K, W::Kept, W::Refused>, landing: Landing<W::Refused>) -> Option<R> {
        let result = match landing {
            Landing::Kept => W::kept(flight.entry.value()?),
            Landing::Refused(refused) => W::refused(W::Refused::clone(&refused)),
            Landing::Nothing => return None,
        };
        self.cache.store.loads.count_wait();
        Some(result)
    }

    fn lead(&self, descent: Descent<K, R, W>, body: impl FnOnce() -> R) -> R {
        let load = self.cache.store.loads.start();
        // Also while the flight lands: cloning, comparing and dropping may call this function again.
        let _running = waits::run(descent.flight.id);
        let result = body();
        self.land(descent, &result, load);
        result
    }

    async fn lead_async(&self, descent: Descent<K, R, W>, body: impl Future<Output = R>) -> R {
        let load = self.cache.store.loads.start();
        let flight = Arc::clone(&descent.flight);
        let waker = Waker::from(Arc::clone(&flight));
        let mut body = pin!(body);
        let (result, _running) = poll_fn(|context| {
            flight.poll(context.waker(), || {
                let running = waits::run(flight.id);
                let end = body.as_mut().poll(&mut Context::from_waker(&waker));
                end.map(|result| (result, running))
            })
        })
        .await;
        self.land(descent, &result, load);
        result
    }

    fn into_primer(self) -> Primer<R>
    where
        R: 'static,
    {
        let store = &self.cache.store;
        let descent = Descent::new(&self, store.begin(self.hash, &self.entry));
        let keep = move |result: &R, load: Load| self.land(descent, result, load);
        Primer { loads: &store.loads, keep: Box::new(keep) }
    }

    fn land(&self, mut descent: Descent<K, R, W>, result: &R, load: Load) {
        let sorted = W::sort(result);
        load.end(matches!(sorted, Sorted::Kept(_)));
        let (store, flight) = (&self.cache.store, &descent.flight);
        match sorted {
            Sorted::Kept(value) => {
                // Only here, and this flight lands once.
                let _ = flight.entry.value.set(value);
                store.land(self.hash, flight, &|key| self.is(key));
            }
            Sorted::Refused(value) if flight.is_shared => {
                store.give_up(self.hash, flight, Landing::Refused(Arc::new(value)));
            }
            Sorted::Private if flight.is_shared => store.give_up(self.hash, flight, Landing::Nothing),
            Sorted::Refused(_) | Sorted::Private => store.forget(self.hash, flight, &|key| self.is(key)),
        }
        descent.is_over = true;
    }
}

fn is_kept<R, W: Keep<R>>(result: &R) -> bool {
    matches!(W::sort(result), Sorted::Kept(_))
}

/// What lands a flight whose leader does not: its body panicked, or its future was dropped.
struct Descent<K: 'static, R, W: Keep<R>> {
    cache: &'static Cache<K, W::Kept, W::Refused>,
    hash: u64,
    flight: Arc<Flight<K, W::Kept, W::Refused>>,
    is_over: bool,
}

impl<K: 'static, R, W: Keep<R>> Descent<K, R, W> {
    fn new(miss: &Miss<K, R, W>, flight: Arc<Flight<K, W::Kept, W::Refused>>) -> Self {
        Descent { cache: miss.cache, hash: miss.hash, flight, is_over: false }
    }
}

impl<K: 'static, R, W: Keep<R>> Drop for Descent<K, R, W> {
    fn drop(&mut self) {
        if !self.is_over {
            self.cache.store.give_up(self.hash, &self.flight, Landing::Nothing);
        }
    }
}
