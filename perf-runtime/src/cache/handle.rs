//! What a cached function holds: it looks up, computes, stores.
//!
//! A call has two steps, because the body takes the arguments that the key is made of: [`look_up`] borrows them
//! and gives a hit, or a [`Miss`] that owns its key; the miss then runs the body, or waits for somebody who does. Before both there is a
//! [`glance`], which nearly every hit ends with.

pub(super) mod ahead;
pub(super) mod prime;
pub(super) mod primer;

use core::fmt;
use core::future::poll_fn;
use core::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Waker};

use self::primer::{Prime, Primer};
use super::cascade;
use super::dependency::{Computation, Finished, Reading, Source, is_body_running, reading};
use super::flight::waits::{self, Waiting};
use super::flight::{Abandoned, Flight, Landed, Landing};
use super::keep::{Keep, Sorted};
use super::key::{Key, SharedKey};
use super::registry::{Cache, CacheSite, Instance};
use super::shard::held::Held;
use super::stats::CacheStats;
use super::store::{Lead, TOLD, Turn, UNTOLD};
use crate::clock;

/// How a function's arguments `A` are its key, and how its results `R` are kept.
pub trait Binding<A, R> {
    /// The key as a call has it.
    type Key: SharedKey;
    /// How results are kept.
    type Keep: Keep<R>;

    /// The key of a call.
    fn key(&self, arguments: A) -> Self::Key;

    /// How results are kept.
    fn keep(&self) -> Self::Keep;
}

/// A closure from arguments to a key, and a [`Keep`] or a [`LocalKeep`](super::LocalKeep).
#[derive(Clone, Copy)]
pub struct Bound<F, W> {
    pub(super) key: F,
    pub(super) keep: W,
}

impl<F, W> fmt::Debug for Bound<F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bound")
    }
}

impl<A, R, Q: SharedKey, F: Fn(A) -> Q, W: Keep<R>> Binding<A, R> for Bound<F, W> {
    type Key = Q;
    type Keep = W;

    #[inline]
    fn key(&self, arguments: A) -> Q {
        (self.key)(arguments)
    }

    #[inline]
    fn keep(&self) -> W {
        self.keep
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

impl<A, R, Q: SharedKey, F: Fn(A) -> Q, W: Keep<R>> CacheHandle<A, R, Bound<F, W>> {
    /// The cache of an instance of a function, whose arguments `key` makes a key of.
    pub fn new<M>(instance: Instance<M>, key: F, keep: W) -> Self {
        CacheHandle {
            cache: instance.cache(const { Q::IS_FLAT && W::IS_FLAT }),
            binding: Bound { key, keep },
        }
    }
}

/// What a glance saw that was not a hit. A key is hashed once in a call, so the hash is handed on.
#[derive(Clone, Copy, Debug)]
pub enum Seen {
    /// There is nothing of the key that has this hash.
    Nothing(u64),
    /// It takes a look for the key that has this hash.
    Unclear(u64),
}

/// The result, if it can be had at once. `arguments` come before `key`, so that the types of the closure's are known.
///
/// # Errors
/// If it cannot: the call goes on with [`look_up_seen`], [apart](apart()) from this. `None` where a hit is more than that, and it did not look.
#[inline]
pub fn glance<M, A, R, Q: SharedKey, W: Keep<R>>(
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    _: W,
) -> Result<R, Option<Seen>> {
    match instance.cache_at_hand::<Q::Owned, W::Kept, W::Refused>() {
        Some(cache) if !cache.store.tells_of_hits() && !is_body_running() => {
            let key = key(arguments);
            let hash = key.hash(&cache.seed);
            let seen = cache.store.glance::<_, UNTOLD>(hash, |owned| key.is(owned), W::Kept::clone);
            seen.map(W::kept).map_err(Some)
        }
        _ => Err(None),
    }
}

/// The rest of a call, in a function of its own: so the one with the glance needs few registers and no stack. What was seen is handed on beside
/// what the closure takes along, which stays small enough for registers.
#[cold]
#[inline(never)]
pub fn apart<R>(seen: Option<Seen>, rest: impl FnOnce(Option<Seen>) -> R) -> R {
    rest(seen)
}

/// The first step of a call. `arguments` come before `key`, so that the types of the closure's are known.
#[inline]
pub fn look_up<M, A, R, Q: SharedKey, W: Keep<R>>(
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    keep: W,
) -> Found<R, Miss<Q::Owned, R, W>> {
    look_up_seen(None, instance, arguments, key, keep)
}

/// The same, after a glance, if there was one.
#[inline]
pub fn look_up_seen<M, A, R, Q: SharedKey, W: Keep<R>>(
    seen: Option<Seen>,
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    keep: W,
) -> Found<R, Miss<Q::Owned, R, W>> {
    let cache = instance.cache::<Q::Owned, W::Kept, W::Refused>(const { Q::IS_FLAT && W::IS_FLAT });
    let key = key(arguments);
    let seen = if let Some(seen) = seen {
        seen
    } else {
        let hash = key.hash(&cache.seed);
        let reading = reading();
        if reading.is_noted() {
            return look_up_noted(cache, hash, &key, keep, reading);
        }
        match cache.store.glance::<_, TOLD>(hash, |owned| key.is(owned), W::Kept::clone) {
            Ok(value) => return Found::Hit(W::kept(value)),
            Err(seen) => seen,
        }
    };
    let hash = match seen {
        Seen::Nothing(hash) => {
            cache.store.count_nothing(hash);
            hash
        }
        Seen::Unclear(hash) => match cache.store.find(hash, |owned| key.is(owned), W::Kept::clone) {
            Some(value) => return Found::Hit(W::kept(value)),
            None => hash,
        },
    };
    Found::Miss(Miss::new(cache, hash, &key, keep))
}

/// The same; where `is_forced`, it does not look, and the body runs whatever is in the cache.
#[inline]
pub fn look_up_unless<M, A, R, Q: SharedKey, W: Keep<R>>(
    is_forced: bool,
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    keep: W,
) -> Found<R, Miss<Q::Owned, R, W>> {
    if is_forced {
        return Found::Miss(forced(instance, arguments, key, keep));
    }
    look_up(instance, arguments, key, keep)
}

/// A miss whatever is in the cache.
pub(super) fn forced<M, A, R, Q: SharedKey, W: Keep<R>>(
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    keep: W,
) -> Miss<Q::Owned, R, W> {
    let cache = instance.cache(const { Q::IS_FLAT && W::IS_FLAT });
    let key = key(arguments);
    let mut miss = Miss::new(cache, key.hash(&cache.seed), &key, keep);
    miss.is_forced = true;
    miss
}

/// The first step of a call from the body of another cached function, which depends on what is found.
#[cold]
#[inline(never)]
pub(super) fn look_up_noted<R, Q: Key, W: Keep<R>>(
    cache: &'static Cache<Q::Owned, W::Kept, W::Refused>,
    hash: u64,
    key: &Q,
    keep: W,
    reading: Reading,
) -> Found<R, Miss<Q::Owned, R, W>> {
    match cache.store.find_noted(reading, hash, |owned| key.is(owned), W::Kept::clone) {
        Some(value) => Found::Hit(W::kept(value)),
        None => Found::Miss(Miss::new(cache, hash, key, keep)),
    }
}

impl<A, R, B: Binding<A, R>> CacheHandle<A, R, B> {
    /// Removes the result of a call with these arguments, and tells whether there was one. A computation of it that is under way is
    /// not kept. What other cached functions computed from it is removed, too.
    pub fn invalidate(&self, arguments: A) -> bool {
        let key = self.binding.key(arguments);
        self.cache.store.invalidate(key.hash(&self.cache.seed), &|owned| key.is(owned))
    }

    /// The result of a call with these arguments if it is in the cache. Neither computes nor counts. To the body of a cached function
    /// it is as good as a call: the function's result depends on it.
    #[must_use]
    pub fn peek(&self, arguments: A) -> Option<R> {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        let reading = reading();
        let kept = if reading.is_noted() {
            self.cache.store.peek_noted(reading, hash, |owned| key.is(owned), Clone::clone)
        } else {
            self.cache.store.peek(hash, |owned| key.is(owned), Clone::clone)
        };
        kept.map(B::Keep::kept)
    }

    /// Keeps `result` as that of a call with these arguments, in place of what was there. What is not kept, an `Err` or a `None`, only
    /// removes what was there. What was computed from that is removed, too.
    pub fn insert(&self, arguments: A, result: &R) {
        let key = self.binding.key(arguments);
        let hash = key.hash(&self.cache.seed);
        match B::Keep::sort(result) {
            Sorted::Kept(value) => {
                let own = key.own();
                let weight = weigh::<R, _>(B::Key::weigh(&own), self.binding.keep(), &value);
                self.cache.store.insert(hash, own, value, weight, &|owned| key.is(owned));
                self.cache.store.watch();
            }
            Sorted::Refused(_) | Sorted::Private => {
                self.cache.store.invalidate(hash, &|owned| key.is(owned));
            }
        }
    }

    /// Removes everything and returns how many results there were. Computations under way are not kept. What other cached functions
    /// computed from it is removed, too.
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
        // A body that primes has changed what it reads, so its own result is not kept.
        let reading = reading();
        self.primer_of(hash, key.own(), reading)
    }

    /// The same for a key that is made already.
    pub(super) fn primer_of(&self, hash: u64, own: <B::Key as Key>::Owned, reading: Reading) -> Primer<R>
    where
        R: 'static,
    {
        let kind = Kind { key: B::Key::weigh(&own), keep: self.binding.keep(), are_same: B::Key::are_same };
        let lead = self.cache.store.begin(hash, own);
        Primer::new(Prime::<_, R, B::Keep> { lead, kind }, reading)
    }
}

/// Notes tags of what is computed.
#[cold]
pub(super) fn tag(computation: &mut Computation, tags: Vec<String>) {
    for tag in tags {
        computation.depend_on(Source::Tag(&tag));
    }
}

/// Runs a body that is a future, and takes note of what it reads.
fn noting<R>(
    computation: &mut Computation,
    mut body: Pin<&mut impl Future<Output = R>>,
) -> impl Future<Output = R> {
    poll_fn(move |context| {
        let _entered = computation.enter();
        body.as_mut().poll(context)
    })
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
    /// What the body reads.
    computation: Computation,
    /// Since it last looked whether there is a result.
    reading: Reading,
    kind: Kind<K, W>,
    /// The body runs whatever is in the cache.
    is_forced: bool,
}

/// What is to be known of a key and its result.
pub(super) struct Kind<K, W> {
    /// Bytes of the key.
    pub(super) key: usize,
    pub(super) keep: W,
    pub(super) are_same: fn(&K, &K) -> bool,
}

impl<K, W: Copy> Clone for Kind<K, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, W: Copy> Copy for Kind<K, W> {}

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

/// What a call without a result came to, where others may have been at it.
enum Joined<K: 'static, R, W: Keep<R>> {
    /// Run the body, for all who wait.
    Lead(Lead<K, W::Kept, W::Refused>),
    /// This is the result.
    Done(R),
    /// Run the body for itself: it would wait for ever.
    Alone,
}

impl<Owned: 'static, R, W: Keep<R>> Miss<Owned, R, W> {
    #[cold]
    pub(super) fn new<Q: Key<Owned = Owned>>(
        cache: &'static Cache<Owned, W::Kept, W::Refused>,
        hash: u64,
        key: &Q,
        keep: W,
    ) -> Self {
        let own = key.own();
        let kind = Kind { key: Q::weigh(&own), keep, are_same: Q::are_same };
        Miss {
            cache,
            hash,
            key: Some(own),
            computation: Computation::new(),
            reading: Reading::NONE,
            kind,
            is_forced: false,
        }
    }

    /// Gives the result tags: see [`invalidate_tag`](super::invalidate_tag). They are noted before the body runs.
    pub fn tagged(mut self, tags: impl FnOnce() -> Vec<String>) -> Self {
        tag(&mut self.computation, tags());
        self
    }

    /// Lets the result depend on all results of another function, of any instance of its generics: when one of them is
    /// invalidated, it goes as well.
    pub fn depends_on(mut self, site: &'static CacheSite) -> Self {
        cascade::depend_on_function(&mut self.computation, site);
        self
    }
}

/// The second step of a call: the result, from this body or from another caller's.
impl<K: Send + Sync + 'static, R, W: Keep<R>> Miss<K, R, W> {
    /// Runs the body, unless another caller does or has done.
    pub fn run(mut self, body: impl FnOnce() -> R) -> R {
        // As a rule nobody else is at it.
        let lead = match self.lead_alone() {
            Some(lead) => lead,
            None => match self.join() {
                Joined::Lead(lead) => lead,
                Joined::Done(result) => return result,
                Joined::Alone => return self.run_alone(body),
            },
        };
        self.lead(lead, body)
    }

    /// Leads the computation, if there is nothing to compare the key with.
    #[inline]
    fn lead_alone(&mut self) -> Option<Lead<K, W::Kept, W::Refused>> {
        if self.is_forced {
            return None;
        }
        self.reading = reading();
        match self.cache.store.lead_alone(self.hash, self.key.take()?) {
            Ok(lead) => Some(lead),
            Err(key) => {
                self.key = Some(key);
                None
            }
        }
    }

    /// Waits for those who compute it, until there is a result or it is this caller's turn.
    #[cold]
    #[inline(never)]
    fn join(&mut self) -> Joined<K, R, W> {
        loop {
            match self.next() {
                Err(result) => return Joined::Done(result),
                Ok(Next::Lead(lead)) => return Joined::Lead(lead),
                Ok(Next::Alone) => return Joined::Alone,
                Ok(Next::Wait(flight, held, waiting)) => {
                    let landing = flight.wait();
                    drop(waiting);
                    if let Some(result) = self.share(&held, landing) {
                        drop(held);
                        return Joined::Done(result);
                    }
                }
            }
        }
    }

    /// Runs the body for this caller only.
    #[cold]
    #[inline(never)]
    fn run_alone(mut self, body: impl FnOnce() -> R) -> R {
        let alone = self.alone();
        let entered = self.computation.enter();
        let result = body();
        drop(entered);
        alone.end(is_kept::<R, W>(&result));
        self.note_alone();
        result
    }

    /// The same for a body that is a future. It may be polled by any task and dropped at any time.
    pub async fn run_async(mut self, body: impl Future<Output = R>) -> R {
        if let Some(lead) = self.lead_alone() {
            return self.lead_async(lead, body).await;
        }
        loop {
            // No `R` is held where this waits, so that the future is `Send` where the body's is.
            let next = match self.next() {
                Err(result) => return result,
                Ok(next) => next,
            };
            match next {
                Next::Lead(lead) => return self.lead_async(lead, body).await,
                Next::Alone => {
                    let alone = self.alone();
                    let result = noting(&mut self.computation, pin!(body)).await;
                    alone.end(is_kept::<R, W>(&result));
                    self.note_alone();
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
                                drop(held);
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

    fn next(&mut self) -> Result<Next<K, R, W>, R> {
        let store = &self.cache.store;
        self.reading = reading();
        if self.is_forced
            && let Some(key) = self.key.take()
        {
            return Ok(Next::Lead(store.begin(self.hash, key)));
        }
        match store.join(self.hash, &mut self.key, self.kind.are_same) {
            Some(Turn::Lead(lead)) => Ok(Next::Lead(lead)),
            Some(Turn::Found(held)) => match held.value(0).cloned() {
                Some(value) => {
                    store.count_wait(self.hash);
                    store.note(self.reading, self.hash, &held);
                    drop(held);
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
            Landing::Kept => {
                let value = held.value(0)?.clone();
                self.cache.store.note(self.reading, self.hash, held);
                W::kept(value)
            }
            Landing::Refused(refused, computed) => {
                self.reading.of(self.cache.store.number, self.hash, computed.as_ref());
                W::refused(W::Refused::clone(&refused))
            }
            Landing::Nothing => return None,
        };
        self.cache.store.count_wait(self.hash);
        Some(result)
    }

    /// A body that ran for itself has ended: whoever called it depends on what it read.
    fn note_alone(&mut self) {
        let computation = core::mem::replace(&mut self.computation, Computation::new());
        if self.reading.is_noted() {
            let Finished { computed, crowded_out } = computation.finish(self.cache.store.number, self.hash);
            self.reading.of(self.cache.store.number, self.hash, computed.as_ref());
            cascade::remove(crowded_out);
        }
    }

    #[inline]
    fn lead(mut self, mut lead: Lead<K, W::Kept, W::Refused>, body: impl FnOnce() -> R) -> R {
        // Also while the flight lands: cloning, comparing and dropping may call this function again.
        waits::run(lead.id(), || {
            lead.begin();
            let entered = self.computation.enter();
            let result = body();
            drop(entered);
            let finished = lead.finish(self.computation, self.reading);
            end::<K, R, W>(self.hash, &mut lead, result, finished, self.kind)
        })
    }

    async fn lead_async(
        &mut self,
        mut lead: Lead<K, W::Kept, W::Refused>,
        body: impl Future<Output = R>,
    ) -> R {
        lead.begin();
        let flight = lead.flight();
        let waker = Waker::from(Arc::clone(&flight));
        let mut body = pin!(body);
        let result = poll_fn(|context| {
            flight.poll(context.waker(), || {
                waits::run(lead.id(), || {
                    let _entered = self.computation.enter();
                    body.as_mut().poll(&mut Context::from_waker(&waker))
                })
            })
        })
        .await;
        waits::run(lead.id(), || {
            let computation = core::mem::replace(&mut self.computation, Computation::new());
            let finished = lead.finish(computation, self.reading);
            end::<K, R, W>(self.hash, &mut lead, result, finished, self.kind)
        })
    }
}

/// Ends a computation for all who wait. The result, or that before it where this one is none to keep and that is good enough.
#[inline]
fn end<K: Send + Sync, R, W: Keep<R>>(
    hash: u64,
    lead: &mut Lead<K, W::Kept, W::Refused>,
    result: R,
    finished: Finished,
    kind: Kind<K, W>,
) -> R {
    if lead.store().is_stale_if_error() && !is_kept::<R, W>(&result) {
        let own = lead.key();
        let before = lead.store().find_if_error(hash, &|key| (kind.are_same)(key, own), &Clone::clone);
        if let Some(before) = before {
            lead.share(W::Kept::clone(&before));
            cascade::remove(finished.crowded_out);
            return W::kept(before);
        }
    }
    land::<K, R, W>(lead, &result, finished, kind);
    result
}

/// Ends a computation with a result.
#[inline]
pub(super) fn land<K: Send + Sync, R, W: Keep<R>>(
    lead: &mut Lead<K, W::Kept, W::Refused>,
    result: &R,
    Finished { computed, crowded_out }: Finished,
    kind: Kind<K, W>,
) {
    let are_same = kind.are_same;
    match W::sort(result) {
        Sorted::Kept(value) => {
            let store = lead.store();
            let weight = weigh::<R, W>(kind.key, kind.keep, &value);
            lead.land(value, weight, computed, are_same);
            store.watch();
        }
        Sorted::Refused(value) if lead.is_shared => {
            lead.give_up(&Landing::Refused(Arc::new(value), computed));
        }
        Sorted::Private if lead.is_shared => lead.give_up(&Landing::Nothing),
        Sorted::Refused(_) | Sorted::Private => lead.forget(are_same),
    }
    if !crowded_out.is_empty() {
        cascade::remove(crowded_out);
    }
}

/// Bytes of an entry. May run the user's code.
#[inline]
fn weigh<R, W: Keep<R>>(key: usize, keep: W, value: &W::Kept) -> u64 {
    key.saturating_add(keep.weigh(value)) as u64
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
