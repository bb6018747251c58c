//! What a cached function holds: it looks up, computes, stores.
//!
//! A call has two steps, because the body takes the arguments that the key is made of: [`look_up`] borrows them
//! and gives a hit, or a [`Miss`] that owns its key; the miss then runs the body, or waits for somebody who does.

use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::pin::pin;
use std::sync::Arc;

use super::flight::{Flight, Landed, Landing, Stuck};
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
    match cache.store.find(hash, |owned| key.is(owned)) {
        Some(entry) => Found::Hit(W::kept(entry.value.clone())),
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
        Some(B::Keep::kept(entry.value.clone()))
    }

    /// Keeps `result` as that of a call with these arguments, in place of what was there. What is not kept, an `Err` or a `None`, only
    /// removes what was there.
    pub fn insert(&self, arguments: A, result: &R) {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        match B::Keep::sort(result) {
            Sorted::Kept(value) => {
                let entry = Arc::new(Entry { key: key.own(), value });
                self.cache.store.insert(hash, entry, &|owned| key.is(owned));
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

    /// A run of the body whatever is in the cache.
    pub fn primer(&self, arguments: A) -> Primer<R>
    where
        R: 'static,
    {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        Miss::<_, R, B::Keep>::new(self.cache, hash, &key).into_primer()
    }
}

/// Runs the body and keeps its result in place of what is in the cache.
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
    key: K,
    are_same: fn(&K, &K) -> bool,
}

impl<K: 'static, R, W: Keep<R>> fmt::Debug for Miss<K, R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Miss").field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// What a call without a result is to do next.
enum Next<K: 'static, R, W: Keep<R>> {
    /// Return this.
    Return(R),
    /// Run the body, for all who wait.
    Lead(Lead<K, R, W>),
    /// Run the body for itself: it would wait for ever, or for another key of the same hash.
    Alone(Miss<K, R, W>),
    /// Wait, and see.
    Wait(Miss<K, R, W>, Arc<Flight<K, W::Kept, W::Refused>>, Waiting),
    /// Begin again: what it waited for came to nothing.
    Again(Miss<K, R, W>),
}

impl<Owned: 'static, R, W: Keep<R>> Miss<Owned, R, W> {
    #[cold]
    fn new<Q: Key<Owned = Owned>>(
        cache: &'static Cache<Owned, W::Kept, W::Refused>,
        hash: u64,
        key: &Q,
    ) -> Self {
        Miss { cache, hash, key: key.own(), are_same: Q::are_same }
    }

    fn into_primer(self) -> Primer<R>
    where
        Owned: Send + Sync,
        R: 'static,
    {
        let Miss { cache, hash, key, are_same } = self;
        let keep = move |result: &R, load: Load| {
            let sorted = W::sort(result);
            load.end(matches!(sorted, Sorted::Kept(_)));
            if let Sorted::Kept(value) = sorted {
                let entry = Arc::new(Entry { key, value });
                cache.store.insert(hash, Arc::clone(&entry), &|other| are_same(other, &entry.key));
            }
        };
        Primer { loads: &cache.store.loads, keep: Box::new(keep) }
    }
}

/// The second step of a call: the result, from this body or from another caller's.
impl<K: 'static, R, W: Keep<R>> Miss<K, R, W> {
    /// Runs the body, unless another caller does or has done.
    pub fn run(self, body: impl FnOnce() -> R) -> R {
        let mut next = self.next();
        loop {
            next = match next {
                Next::Return(result) => return result,
                Next::Lead(lead) => return lead.run(body),
                Next::Alone(miss) => {
                    let load = miss.cache.store.loads.start();
                    let result = body();
                    load.end(false);
                    return result;
                }
                Next::Wait(miss, flight, waiting) => {
                    let landing = flight.wait();
                    drop(waiting);
                    miss.after(landing)
                }
                Next::Again(miss) => miss.next(),
            }
        }
    }

    /// The same for a body that is a future. It may be polled by any task and dropped at any time.
    pub async fn run_async(self, body: impl Future<Output = R>) -> R {
        let mut next = self.next();
        loop {
            next = match next {
                Next::Return(result) => return result,
                Next::Lead(lead) => return lead.run_async(body).await,
                Next::Alone(miss) => {
                    let load = miss.cache.store.loads.start();
                    let result = body.await;
                    load.end(false);
                    return result;
                }
                Next::Wait(miss, flight, waiting) => {
                    let mut landed = Landed::new(flight);
                    let landing = poll_fn(|context| landed.poll(context)).await;
                    drop(landed);
                    drop(waiting);
                    match landing {
                        Ok(landing) => miss.after(landing),
                        Err(Stuck) => Next::Alone(miss),
                    }
                }
                Next::Again(miss) => miss.next(),
            }
        }
    }

    fn next(self) -> Next<K, R, W> {
        let store = &self.cache.store;
        match store.join(self.hash) {
            Turn::Lead(flight) => {
                let descent = Descent { cache: self.cache, hash: self.hash, flight };
                // Another flight may have landed since this call looked.
                let found = store.peek(self.hash, &|key| (self.are_same)(key, &self.key));
                match found {
                    Some(entry) => {
                        store.loads.count_wait();
                        Next::Return(W::kept(entry.value.clone()))
                    }
                    None => Next::Lead(Lead { miss: self, descent }),
                }
            }
            Turn::Follow(flight) => match waits::begin(flight.id) {
                Some(waiting) => Next::Wait(self, flight, waiting),
                None => Next::Alone(self),
            },
        }
    }

    /// What follows from the landing of the flight that it waited for.
    fn after(self, landing: Landing<K, W::Kept, W::Refused>) -> Next<K, R, W> {
        let result = match landing {
            Landing::Kept(entry) if (self.are_same)(&entry.key, &self.key) => W::kept(entry.value.clone()),
            Landing::Refused(entry) if (self.are_same)(&entry.key, &self.key) => {
                W::refused(entry.value.clone())
            }
            // Another key of the same hash.
            Landing::Kept(_) | Landing::Refused(_) => return Next::Alone(self),
            Landing::Nothing => return Next::Again(self),
        };
        self.cache.store.loads.count_wait();
        Next::Return(result)
    }
}

/// A call that runs the body for all who wait. Dropped without a result, it sends them back.
struct Lead<K: 'static, R, W: Keep<R>> {
    miss: Miss<K, R, W>,
    descent: Descent<K, R, W>,
}

/// The end of a flight that its leader has not landed.
struct Descent<K: 'static, R, W: Keep<R>> {
    cache: &'static Cache<K, W::Kept, W::Refused>,
    hash: u64,
    flight: Arc<Flight<K, W::Kept, W::Refused>>,
}

impl<K: 'static, R, W: Keep<R>> Lead<K, R, W> {
    fn run(self, body: impl FnOnce() -> R) -> R {
        let load = self.miss.cache.store.loads.start();
        let running = waits::run(self.descent.flight.id);
        let result = body();
        drop(running);
        self.land(&result, load);
        result
    }

    async fn run_async(self, body: impl Future<Output = R>) -> R {
        let load = self.miss.cache.store.loads.start();
        let mut body = pin!(body);
        let result = poll_fn(|context| {
            let flight = &self.descent.flight;
            flight.polled_by(context.waker());
            let _running = waits::run(flight.id);
            body.as_mut().poll(context)
        })
        .await;
        self.land(&result, load);
        result
    }

    fn land(self, result: &R, load: Load) {
        let Lead { miss: Miss { cache, hash, key, .. }, descent } = self;
        let sorted = W::sort(result);
        load.end(matches!(sorted, Sorted::Kept(_)));
        match sorted {
            Sorted::Kept(value) => cache.store.land(hash, &descent.flight, Arc::new(Entry { key, value })),
            Sorted::Refused(value) => {
                let landing = Landing::Refused(Arc::new(Entry { key, value }));
                cache.store.give_up(hash, &descent.flight, landing);
            }
            // What `descent` does when it is dropped.
            Sorted::Private => {}
        }
    }
}

impl<K: 'static, R, W: Keep<R>> Drop for Descent<K, R, W> {
    fn drop(&mut self) {
        // Landed already, or not at all.
        self.cache.store.give_up(self.hash, &self.flight, Landing::Nothing);
    }
}
