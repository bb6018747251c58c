//! What a cached function holds: it looks up, computes, stores.
//!
//! A call has two steps, because the body takes the arguments that the key is made of: [`look_up`] borrows them
//! and gives a hit, or a [`Miss`] that owns its key; the miss then runs the body, or waits for somebody who does.

use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use super::flight::{Abandoned, Flight, Landed, Landing};
use super::keep::{Keep, Sorted};
use super::key::Key;
use super::registry::{Cache, Instance};
use super::shard::Held;
use super::stats::CacheStats;
use super::store::{Lead, Turn};
use super::waits::{self, Waiting};
use crate::clock;

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
    pub(super) cache: &'static CacheOf<A, R, B>,
    pub(super) binding: B,
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
    match cache.store.find(hash, |owned| key.is(owned), W::Kept::clone) {
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
        let hash = key.hash(&self.cache.seed);
        self.cache.store.peek(hash, |owned| key.is(owned), Clone::clone).map(B::Keep::kept)
    }

    /// Keeps `result` as that of a call with these arguments, in place of what was there. What is not kept, an `Err` or a `None`, only
    /// removes what was there.
    pub fn insert(&self, arguments: A, result: &R) {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        match B::Keep::sort(result) {
            Sorted::Kept(value) => {
                self.cache.store.insert(hash, key.own(), value, &|owned| key.is(owned));
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
        let lead = self.cache.store.begin(hash, key.own());
        Primer::new::<_, B::Keep>(lead, B::Key::are_same)
    }
}

/// Runs the body and keeps its result in place of what is in the cache; what is not kept, an `Err` or a `None`, only removes it.
#[must_use = "nothing is computed until the body runs"]
pub struct Primer<R> {
    /// Knows the key, whose type depends on how long the arguments live as far as the compiler can tell.
    keep: Box<dyn KeepOnce<R> + Send>,
}

/// A computation that ends once.
trait KeepOnce<R> {
    fn begin(&mut self);

    fn end(self: Box<Self>, result: &R);
}

/// See [`Primer`].
struct Prime<K: 'static, R, W: Keep<R>> {
    lead: Lead<K, W::Kept, W::Refused>,
    are_same: fn(&K, &K) -> bool,
}

impl<K: Send + Sync, R, W: Keep<R>> KeepOnce<R> for Prime<K, R, W> {
    fn begin(&mut self) {
        self.lead.begin();
    }

    fn end(self: Box<Self>, result: &R) {
        land::<K, R, W>(self.lead, result, self.are_same);
    }
}

impl<R> fmt::Debug for Primer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primer").finish_non_exhaustive()
    }
}

impl<R> Primer<R> {
    pub(super) fn new<K: Send + Sync + 'static, W: Keep<R>>(
        lead: Lead<K, W::Kept, W::Refused>,
        are_same: fn(&K, &K) -> bool,
    ) -> Self
    where
        R: 'static,
    {
        Primer { keep: Box::new(Prime::<K, R, W> { lead, are_same }) }
    }

    /// Runs the body.
    pub fn prime(mut self, body: impl FnOnce() -> R) -> R {
        self.keep.begin();
        let result = body();
        self.keep.end(&result);
        result
    }

    /// Runs the body, which is a future.
    pub async fn prime_async(mut self, body: impl Future<Output = R>) -> R {
        self.keep.begin();
        let result = body.await;
        self.keep.end(&result);
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
    pub(super) cache: &'static Cache<K, W::Kept, W::Refused>,
    hash: u64,
    /// Until it leads.
    pub(super) key: Option<K>,
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
    Lead(Lead<K, W::Kept, W::Refused>),
    /// Wait, and see.
    Wait(Arc<Flight<W::Refused>>, Held<'static, K, W::Kept, W::Refused>, Waiting),
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
        Miss { cache, hash, key: Some(key.own()), are_same: Q::are_same }
    }
}

/// The second step of a call: the result, from this body or from another caller's.
impl<K: Send + Sync + 'static, R, W: Keep<R>> Miss<K, R, W> {
    /// Runs the body, unless another caller does or has done.
    pub fn run(mut self, body: impl FnOnce() -> R) -> R {
        // As a rule nobody else is at it.
        if let Some(key) = self.key.take() {
            match self.cache.store.lead_alone(self.hash, key, false) {
                Ok(lead) => return self.lead(lead, body),
                Err(key) => self.key = Some(key),
            }
        }
        self.run_among_others(body)
    }

    #[cold]
    fn run_among_others(mut self, body: impl FnOnce() -> R) -> R {
        loop {
            match self.next(false) {
                Err(result) => return result,
                Ok(Next::Lead(lead)) => return self.lead(lead, body),
                Ok(Next::Alone) => {
                    let alone = self.alone();
                    let result = body();
                    alone.end(is_kept::<R, W>(&result));
                    return result;
                }
                Ok(Next::Wait(flight, held, waiting)) => {
                    let landing = flight.wait();
                    drop(waiting);
                    if let Some(result) = self.share(&held, landing) {
                        return result;
                    }
                }
            }
        }
    }

    /// The same for a body that is a future. It may be polled by any task and dropped at any time.
    pub async fn run_async(mut self, body: impl Future<Output = R>) -> R {
        if let Some(key) = self.key.take() {
            match self.cache.store.lead_alone(self.hash, key, true) {
                Ok(lead) => return self.lead_async(lead, body).await,
                Err(key) => self.key = Some(key),
            }
        }
        loop {
            // No `R` is held where this waits, so that the future is `Send` where the body's is.
            let next = match self.next(true) {
                Err(result) => return result,
                Ok(next) => next,
            };
            match next {
                Next::Lead(lead) => return self.lead_async(lead, body).await,
                Next::Alone => {
                    let alone = self.alone();
                    let result = body.await;
                    alone.end(is_kept::<R, W>(&result));
                    return result;
                }
                Next::Wait(flight, held, waiting) => {
                    let mut landed = Landed::new(Arc::clone(&flight));
                    let landing = poll_fn(|context| landed.poll(context)).await;
                    drop(landed);
                    drop(waiting);
                    match landing {
                        Ok(landing) => {
                            if let Some(result) = self.share(&held, landing) {
                                return result;
                            }
                        }
                        // Sends all who wait for it back to the beginning. Its leader may still go on, for itself.
                        Err(Abandoned) => self.cache.store.abandon(self.hash, &held, &flight),
                    }
                }
            }
        }
    }

    fn next(&mut self, is_task: bool) -> Result<Next<K, R, W>, R> {
        let store = &self.cache.store;
        match store.join(self.hash, &mut self.key, self.are_same, is_task) {
            Some(Turn::Lead(lead)) => Ok(Next::Lead(lead)),
            Some(Turn::Found(held)) => match held.value(0).cloned() {
                Some(value) => {
                    store.count_wait(self.hash);
                    Err(W::kept(value))
                }
                None => Ok(Next::Alone),
            },
            Some(Turn::Follow(flight, held)) => match waits::begin(held.id()) {
                Some(waiting) => Ok(Next::Wait(flight, held, waiting)),
                None => Ok(Next::Alone),
            },
            // Too many wait.
            None => Ok(Next::Alone),
        }
    }

    fn alone(&self) -> Alone<K, W::Kept, W::Refused> {
        Alone { cache: self.cache, hash: self.hash, start: clock::now(), is_kept: false }
    }

    /// The result of the flight that it waited for, if there is one to share.
    fn share(&self, held: &Held<'_, K, W::Kept, W::Refused>, landing: Landing<W::Refused>) -> Option<R> {
        let result = match landing {
            Landing::Kept => W::kept(held.value(0)?.clone()),
            Landing::Refused(refused) => W::refused(W::Refused::clone(&refused)),
            Landing::Nothing => return None,
        };
        self.cache.store.count_wait(self.hash);
        Some(result)
    }

    fn lead(&self, mut lead: Lead<K, W::Kept, W::Refused>, body: impl FnOnce() -> R) -> R {
        // Also while the flight lands: cloning, comparing and dropping may call this function again.
        let _running = waits::run(lead.id());
        lead.begin();
        let result = body();
        land::<K, R, W>(lead, &result, self.are_same);
        result
    }

    async fn lead_async(&self, mut lead: Lead<K, W::Kept, W::Refused>, body: impl Future<Output = R>) -> R {
        lead.begin();
        let flight = lead.flight();
        let waker = Waker::from(Arc::clone(&flight));
        let mut body = pin!(body);
        let (result, _running) = poll_fn(|context| {
            flight.poll(context.waker(), || {
                let running = waits::run(lead.id());
                let end = body.as_mut().poll(&mut Context::from_waker(&waker));
                end.map(|result| (result, running))
            })
        })
        .await;
        land::<K, R, W>(lead, &result, self.are_same);
        result
    }
}

/// Ends a computation with a result.
fn land<K, R, W: Keep<R>>(lead: Lead<K, W::Kept, W::Refused>, result: &R, are_same: fn(&K, &K) -> bool) {
    match W::sort(result) {
        Sorted::Kept(value) => lead.land(value, are_same),
        Sorted::Refused(value) if lead.is_shared => lead.give_up(Landing::Refused(Arc::new(value))),
        Sorted::Private if lead.is_shared => lead.give_up(Landing::Nothing),
        Sorted::Refused(_) | Sorted::Private => lead.forget(are_same),
    }
}

fn is_kept<R, W: Keep<R>>(result: &R) -> bool {
    matches!(W::sort(result), Sorted::Kept(_))
}

/// A run of the body that no flight stands for; counted when it ends, also by a panic.
struct Alone<K: 'static, S: 'static, R: 'static> {
    cache: &'static Cache<K, S, R>,
    hash: u64,
    start: u64,
    is_kept: bool,
}

impl<K, S, R> Alone<K, S, R> {
    fn end(mut self, is_kept: bool) {
        self.is_kept = is_kept;
    }
}

impl<K, S, R> Drop for Alone<K, S, R> {
    fn drop(&mut self) {
        let ticks = clock::now().saturating_sub(self.start);
        self.cache.store.count_load(self.hash, ticks, self.is_kept);
    }
}
