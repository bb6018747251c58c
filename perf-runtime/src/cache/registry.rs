//! All cached functions of the program, also those never called, and the caches behind each: one for every instance of its generics.
//!
//! The linker collects the functions (`inventory`). An instance is found by the type of a closure written inside the function, which
//! names the function's generics and those of the `impl` around it.

pub(super) mod caches;

use core::any::TypeId;
use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;
use std::sync::OnceLock;

use super::cascade;
use super::dependency::{Gone, next_cache};
use super::key::hash::Seed;
use super::policy::Policy;
#[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
use super::remote::Shared;
use super::stats::CacheStats;
use super::store::{Limits, Store};
use crate::first_use;
use crate::site::Site;
use crate::snapshot::{CacheRow, Location};
use crate::sync::{AtomicPtr, AtomicUsize, Mutex, Ordering};

inventory::collect!(&'static CacheSite);

/// One cached function. Built by generated code as a `static`.
#[derive(Debug)]
pub struct CacheSite {
    site: &'static Site,
    limits: Limits,
    /// Where its results are shared between processes, or kept on disk.
    #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
    shared: Option<&'static Shared>,
    /// The number of the cache of the instance used first, also before there is one.
    number: OnceLock<u32>,
    /// What `max_size` was set to at run time; 0 before.
    resized: AtomicUsize,
    /// The instance used first; most functions have no other.
    first: OnceLock<&'static Made>,
    /// Its type and its cache once more, for a hit to find at once.
    at_hand: AtHand,
    all: Mutex<Vec<&'static Made>>,
}

/// One instance of a cached function's generics, named by a type that is another for each of them.
pub struct Instance<M> {
    site: &'static CacheSite,
    marker: PhantomData<fn() -> M>,
}

impl<M> Clone for Instance<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Instance<M> {}

impl<M> fmt::Debug for Instance<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("site", &self.site.site.name()).finish()
    }
}

/// A cache and what it is for: the type that names the instance, with that of the cache. Never freed: it belongs to a function, and functions do not end.
struct Made {
    of: TypeOf,
    cache: &'static dyn AnyCache,
}

/// Gives a type's number.
type TypeOf = fn() -> TypeId;

/// The number of a type, lifetimes left out of it. One function for each type and crate, so that its address nearly always tells the type.
#[inline(never)]
fn type_of<T>() -> TypeId {
    typeid::of::<T>()
}

/// One instance, told by the address of its [`TypeOf`]: without a call, so that another address may be one of the same type.
#[derive(Debug)]
struct AtHand {
    of: AtomicPtr<()>,
    cache: AtomicPtr<()>,
}

impl AtHand {
    const fn new() -> Self {
        AtHand { of: AtomicPtr::new(core::ptr::null_mut()), cache: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// All who put one there have the same cache.
    fn put(&self, of: TypeOf, made: &'static Made) {
        self.cache.store(core::ptr::from_ref(made.cache).cast_mut().cast(), Ordering::Relaxed);
        self.of.store(of as *mut (), Ordering::Release);
    }

    #[inline]
    fn get<C>(&self, of: TypeOf) -> Option<&'static C> {
        if self.of.load(Ordering::Acquire) != of as *mut () {
            return None;
        }
        let cache = self.cache.load(Ordering::Relaxed);
        // SAFETY: it was put there before the address that tells its type.
        unsafe { core::hint::assert_unchecked(!cache.is_null()) };
        // SAFETY: as above, and it is never freed.
        Some(unsafe { &*cache.cast_const().cast() })
    }
}

impl Made {
    /// Whether it is of this type.
    #[inline]
    #[allow(
        unpredictable_function_pointer_comparisons,
        reason = "one function gives one number; where one number has two functions, the numbers are compared"
    )]
    fn is_of(&self, of: TypeOf) -> bool {
        self.of == of || (self.of)() == of()
    }

    /// The cache, of the type that `of` says.
    #[inline]
    fn cast<C>(&'static self) -> &'static C {
        // SAFETY: the caller has found it by `of`, which names this type, which has no lifetime.
        unsafe { &*core::ptr::from_ref(self.cache).cast() }
    }
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Made").field(&(self.of)()).finish()
    }
}

/// A cache of some types.
pub(super) trait AnyCache: Send + Sync {
    fn new(wanted: &Wanted) -> Self
    where
        Self: Sized;
    fn number(&self) -> u32;
    fn stats(&self) -> CacheStats;
    fn clear(&self) -> u64;
    fn resize(&self, max_size: usize);
    /// Removes an entry that was computed from what has changed; whether it was there.
    fn remove(&self, gone: &Gone) -> bool;
}

/// What a cache is made of.
pub(super) struct Wanted {
    pub(super) limits: Limits,
    /// The weight of every entry, if they are all of one.
    pub(super) flat: Option<u64>,
    /// What the index of dependencies knows it by.
    pub(super) number: u32,
    #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
    pub(super) backed: Option<Backed>,
}

/// A store, with the seed of its hashes: no two caches have the same collisions, and nobody can guess them.
pub(super) struct Cache<K, S, R> {
    pub(super) seed: Seed,
    pub(super) store: Store<K, S, R>,
    #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
    pub(super) backed: Option<Backed>,
}

/// Where the results of one instance are shared.
#[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
#[derive(Clone, Copy, Debug)]
pub(super) struct Backed {
    pub(super) shared: &'static Shared,
    pub(super) instance: InstanceName,
}

/// The name of the type that names the instance, where somebody wants it.
#[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
type InstanceName = &'static str;
#[cfg(not(any(feature = "disk", feature = "memcached", feature = "redis")))]
struct InstanceName;

#[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
fn name_of_instance<M>() -> InstanceName {
    core::any::type_name::<M>()
}

#[cfg(not(any(feature = "disk", feature = "memcached", feature = "redis")))]
#[inline]
#[allow(clippy::extra_unused_type_parameters, reason = "nobody wants the name")]
fn name_of_instance<M>() -> InstanceName {
    InstanceName
}

impl<K, S, R> AnyCache for Cache<K, S, R>
where
    K: Send + Sync + 'static,
    S: Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    fn new(wanted: &Wanted) -> Self {
        Cache {
            seed: Seed::default(),
            store: Store::new(wanted.limits, wanted.flat, wanted.number),
            #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
            backed: wanted.backed,
        }
    }

    fn stats(&self) -> CacheStats {
        self.store.stats()
    }

    fn clear(&self) -> u64 {
        self.store.clear()
    }

    fn number(&self) -> u32 {
        self.store.number
    }

    fn resize(&self, max_size: usize) {
        self.store.resize(max_size);
    }

    fn remove(&self, gone: &Gone) -> bool {
        self.store.remove(gone)
    }
}

/// Making one. Of `static`s, so all of it is `const`.
impl CacheSite {
    /// The function at `site`, with a cache of [`DEFAULT_MAX_SIZE`](super::DEFAULT_MAX_SIZE) entries that never expire.
    #[must_use]
    pub const fn new(site: &'static Site) -> Self {
        CacheSite {
            site,
            limits: Limits::DEFAULT,
            #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
            shared: None,
            number: OnceLock::new(),
            resized: AtomicUsize::new(0),
            first: OnceLock::new(),
            at_hand: AtHand::new(),
            all: Mutex::new(Vec::new()),
        }
    }

    /// The same, whose results are shared with other processes, or kept on disk.
    #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
    #[must_use]
    pub const fn shared(mut self, shared: &'static Shared) -> Self {
        self.shared = Some(shared);
        self
    }

    /// The same, keeping nothing: only those who ask at the same time share a result.
    #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
    #[must_use]
    pub const fn unkept(mut self) -> Self {
        self.limits.max_size = 0;
        self
    }

    /// The same, keeping at most `max_size` entries, or 2³¹ where that is less.
    ///
    /// # Panics
    /// If `max_size` is 0; in a `static` that is a compile error.
    #[must_use]
    pub const fn max_size(mut self, max_size: usize) -> Self {
        assert!(max_size > 0, "a cache that keeps nothing is no cache");
        self.limits.max_size = if max_size < Limits::LARGEST { max_size } else { Limits::LARGEST };
        self
    }

    /// The same, choosing what gives way by `policy`.
    #[must_use]
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.limits.policy = policy;
        self
    }

    /// The same, keeping as many entries as there are.
    #[must_use]
    pub const fn unbounded(mut self) -> Self {
        self.limits.max_size = Limits::LARGEST;
        self.limits.max_memory = u64::MAX;
        self
    }

    /// The same, keeping at most as many bytes, by estimate.
    #[must_use]
    pub const fn max_memory(mut self, bytes: u64) -> Self {
        self.limits.max_memory = bytes;
        self
    }

    /// The same, forgetting each entry that nobody asked for `tti` long.
    #[must_use]
    pub const fn tti(mut self, tti: Duration) -> Self {
        self.limits.tti = Some(tti);
        self
    }

    /// The same, handing out what is past its time by no more than `stale`, while it is computed anew.
    #[must_use]
    pub const fn stale(mut self, stale: Duration) -> Self {
        self.limits.stale = stale;
        self
    }

    /// The same, handing out what is past its time by no more than `stale` where computing it anew fails.
    #[must_use]
    pub const fn stale_if_error(mut self, stale: Duration) -> Self {
        self.limits.stale_if_error = stale;
        self
    }

    /// The same, computing an entry anew a little before its time is up, at random.
    #[must_use]
    pub const fn refresh_ahead(mut self) -> Self {
        self.limits.refresh_ahead = true;
        self
    }

    /// The same, growing by itself where a sampled miss-ratio curve says that this helps.
    #[must_use]
    pub const fn adaptive(mut self) -> Self {
        self.limits.is_adaptive = true;
        self
    }

    /// The same, forgetting each entry `ttl` after it was stored.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.limits.ttl = Some(ttl);
        self
    }
}

impl<M> Instance<M> {
    /// The function.
    #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
    pub(super) const fn site(self) -> &'static CacheSite {
        self.site
    }

    /// Its cache, made when it is first asked for. `is_flat`: all entries are of one weight.
    #[inline]
    pub(super) fn cache<K, S, R>(self, is_flat: bool) -> &'static Cache<K, S, R>
    where
        K: Send + Sync + 'static,
        S: Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        self.made(is_flat.then_some((size_of::<K>() + size_of::<S>()) as u64))
    }

    /// The same, if that is the one used first, and there is one.
    #[inline]
    pub(super) fn cache_at_hand<K, S, R>(self) -> Option<&'static Cache<K, S, R>>
    where
        K: Send + Sync + 'static,
        S: Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        self.site.at_hand.get(type_of::<(M, Cache<K, S, R>)>)
    }

    /// Its cache of any sort.
    #[inline]
    pub(super) fn made<C: AnyCache + 'static>(self, flat: Option<u64>) -> &'static C {
        self.site.cache::<M, C>(flat)
    }
}

impl CacheSite {
    /// The instance that `marker` names: a closure, which has the generics around it in its type.
    #[inline]
    pub const fn instance<M: Copy>(&'static self, _: M) -> Instance<M> {
        Instance { site: self, marker: PhantomData }
    }

    #[inline]
    fn cache<M, C: AnyCache + 'static>(&'static self, flat: Option<u64>) -> &'static C {
        // Lifetimes are left out of it: a function of `Parser<'a>` has one cache for every `'a`.
        let of: TypeOf = type_of::<(M, C)>;
        if let Some(cache) = self.at_hand.get(of) {
            return cache;
        }
        if let Some(first) = self.first.get()
            && first.is_of(of)
        {
            self.at_hand.put(of, first);
            return first.cast();
        }
        self.other_cache(of, flat, name_of_instance::<M>())
    }

    #[cold]
    #[inline(never)]
    #[cfg_attr(
        not(any(feature = "disk", feature = "memcached", feature = "redis")),
        allow(unused_variables, clippy::needless_pass_by_value, reason = "nobody wants the name")
    )]
    fn other_cache<C: AnyCache + 'static>(
        &'static self,
        of: TypeOf,
        flat: Option<u64>,
        name: InstanceName,
    ) -> &'static C {
        first_use::announce();
        let find =
            |instances: &[&'static Made]| instances.iter().find(|instance| (instance.of)() == of()).copied();
        if let Some(made) = find(&self.all.lock()) {
            return made.cast();
        }
        let mut all = self.all.lock();
        // Another thread may have come first; its cache stays, and this one, empty, is never used.
        if let Some(made) = find(&all) {
            return made.cast();
        }
        let is_first = all.is_empty();
        let number = if is_first { self.number() } else { next_cache() };
        let wanted = Wanted {
            limits: self.limits,
            flat,
            number,
            #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
            backed: self.shared.map(|shared| Backed { shared, instance: name }),
        };
        let made: &'static C = Box::leak(Box::new(C::new(&wanted)));
        cascade::register(number, made);
        let instance: &'static Made = Box::leak(Box::new(Made { of, cache: made }));
        match self.resized.load(Ordering::Relaxed) {
            0 => {}
            max_size => made.resize(max_size),
        }
        all.push(instance);
        // Only the first one to come here sets it.
        self.first.get_or_init(|| instance);
        drop(all);
        if !is_first {
            cascade::instance_added(self.number());
        }
        made
    }

    /// Removes everything from all instances; how much there was.
    #[allow(clippy::must_use_candidate, reason = "it is called to clear")]
    pub fn clear(&self) -> u64 {
        self.instances().iter().map(|instance| instance.cache.clear()).sum()
    }

    /// Keeps as many entries at most from now on, in each instance.
    pub(crate) fn resize(&self, max_size: usize) {
        // Also in those that are yet to be made.
        let all = self.all.lock();
        self.resized.store(max_size.clamp(1, Limits::LARGEST), Ordering::Relaxed);
        let instances = all.clone();
        drop(all);
        for instance in instances {
            instance.cache.resize(max_size);
        }
    }

    /// What the index of dependencies knows the first instance by, also before there is one.
    pub(super) fn number(&self) -> u32 {
        *self.number.get_or_init(next_cache)
    }

    /// The numbers of all instances.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.instances().iter().map(|instance| instance.cache.number()).collect()
    }

    pub(super) const fn site(&self) -> &'static Site {
        self.site
    }

    /// Entries at most, in each instance.
    pub(super) fn max_size_of_each(&self) -> usize {
        match self.resized.load(Ordering::Relaxed) {
            0 => self.limits.max_size,
            resized => resized,
        }
    }

    fn instances(&self) -> Vec<&'static Made> {
        self.all.lock().clone()
    }

    /// What all instances counted together.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let mut sum = CacheStats::default();
        for instance in self.instances() {
            sum.add(&instance.cache.stats());
        }
        if sum.max_size == 0 {
            sum.max_size = self.max_size_of_each() as u64;
        }
        sum
    }

    fn row(&self) -> CacheRow {
        let CacheSite { site, .. } = self;
        let stats = self.stats();
        CacheRow {
            name: site.name(),
            location: Location { file: site.file(), line: site.line(), column: site.column() },
            hits: stats.hits,
            misses: stats.misses,
            waits: stats.waits,
            loads: stats.loads,
            load_errors: stats.load_errors,
            load_time: stats.load_time,
            time_saved: stats.time_saved(),
            evicted: stats.evicted,
            evicted_for_memory: stats.evicted_for_memory,
            expired: stats.expired,
            invalidated: stats.invalidated,
            len: stats.len,
            max_size: stats.max_size,
            #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
            remote: self.shared.map(Shared::row),
            #[cfg(not(any(feature = "disk", feature = "memcached", feature = "redis")))]
            remote: None,
        }
    }

    /// Where its results are shared.
    #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
    pub(super) const fn backend(&self) -> Option<&'static Shared> {
        self.shared
    }
}

/// What the function at `site` is called at a backend: by its path, and, where several functions that have one share it, by its place, too.
/// Blocks of one function may each have a function of the same name.
#[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
pub(super) fn name_at_backend(site: &'static Site) -> &'static str {
    let path = site.function();
    let shared = inventory::iter::<&'static CacheSite>().filter(|other| other.shared.is_some());
    let same = shared.filter(|other| other.site.function() == path).count();
    if same < 2 {
        return path;
    }
    // Once for each of them.
    format!("{path}:{}:{}", site.line(), site.column()).leak()
}

/// What all cached functions counted since the program started, in no particular order.
#[must_use]
pub fn rows() -> Vec<CacheRow> {
    inventory::iter::<&'static CacheSite>().map(|site| site.row()).collect()
}
