//! All cached functions of the program, also those never called, and the caches behind each: one for every instance of its generics.
//!
//! The linker collects the functions (`inventory`). An instance is found by the type of a closure written inside the function, which
//! names the function's generics and those of the `impl` around it.

use core::any::TypeId;
use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;
use std::sync::OnceLock;

use super::policy::Policy;
#[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
use super::remote::Shared;
use super::stats::CacheStats;
use super::store::{Limits, Store};
use crate::first_use;
use crate::site::Site;
use crate::snapshot::{CacheRow, Location};
use crate::sync::Mutex;

inventory::collect!(&'static CacheSite);

/// One cached function. Built by generated code as a `static`.
#[derive(Debug)]
pub struct CacheSite {
    site: &'static Site,
    limits: Limits,
    /// Where its results are shared between processes, or kept on disk.
    #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
    shared: Option<&'static Shared>,
    /// The instance used first; most functions have no other.
    first: OnceLock<&'static Made>,
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
    of: TypeId,
    cache: &'static dyn AnyCache,
}

impl Made {
    /// The cache, of the types that `of` says.
    #[inline]
    fn cast<K, S, R>(&'static self) -> &'static Cache<K, S, R> {
        // SAFETY: the caller has found it by `of`, which names these types, none of which has a lifetime.
        unsafe { &*core::ptr::from_ref(self.cache).cast() }
    }
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Made").field(&self.of).finish()
    }
}

/// A cache of some types.
trait AnyCache: Send + Sync {
    fn stats(&self) -> CacheStats;
    fn clear(&self) -> u64;
}

/// A store, with the seed of its hashes: no two caches have the same collisions, and nobody can guess them.
pub(super) struct Cache<K, S, R> {
    pub(super) seed: foldhash::quality::RandomState,
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
    fn stats(&self) -> CacheStats {
        self.store.stats()
    }

    fn clear(&self) -> u64 {
        self.store.clear()
    }
}

/// Making one. Of `static`s, so all of it is `const`.
impl CacheSite {
    /// The function at `site`, with a cache of [`DEFAULT_MAX_SIZE`] entries that never expire.
    #[must_use]
    pub const fn new(site: &'static Site) -> Self {
        CacheSite {
            site,
            limits: Limits::DEFAULT,
            #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
            shared: None,
            first: OnceLock::new(),
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

    /// Its cache, made when it is first asked for.
    #[inline]
    pub(super) fn cache<K, S, R>(self) -> &'static Cache<K, S, R>
    where
        K: Send + Sync + 'static,
        S: Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        self.site.cache::<M, K, S, R>()
    }
}

impl CacheSite {
    /// The instance that `marker` names: a closure, which has the generics around it in its type.
    #[inline]
    pub const fn instance<M: Copy>(&'static self, _: M) -> Instance<M> {
        Instance { site: self, marker: PhantomData }
    }

    #[inline]
    fn cache<M, K, S, R>(&'static self) -> &'static Cache<K, S, R>
    where
        K: Send + Sync + 'static,
        S: Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        // Lifetimes are left out of it: a function of `Parser<'a>` has one cache for every `'a`.
        let of = typeid::of::<(M, Cache<K, S, R>)>();
        if let Some(first) = self.first.get()
            && first.of == of
        {
            return first.cast();
        }
        self.other_cache(of, name_of_instance::<M>())
    }

    #[cold]
    #[inline(never)]
    #[cfg_attr(
        not(any(feature = "disk", feature = "memcached", feature = "redis")),
        allow(unused_variables, clippy::needless_pass_by_value, reason = "nobody wants the name")
    )]
    fn other_cache<K, S, R>(&'static self, of: TypeId, instance: InstanceName) -> &'static Cache<K, S, R>
    where
        K: Send + Sync + 'static,
        S: Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        first_use::announce();
        let find = |instances: &[&'static Made]| instances.iter().find(|instance| instance.of == of).copied();
        if let Some(made) = find(&self.all.lock()) {
            return made.cast();
        }
        let made: &'static Cache<K, S, R> = Box::leak(Box::new(Cache {
            seed: foldhash::quality::RandomState::default(),
            store: Store::new(self.limits),
            #[cfg(any(feature = "disk", feature = "memcached", feature = "redis"))]
            backed: self.shared.map(|shared| Backed { shared, instance }),
        }));
        let instance: &'static Made = Box::leak(Box::new(Made { of, cache: made }));
        let mut all = self.all.lock();
        // Another thread may have come first; its cache stays, and this one, empty, is never used.
        if let Some(made) = find(&all) {
            return made.cast();
        }
        all.push(instance);
        // Only the first one to come here sets it.
        self.first.get_or_init(|| instance);
        made
    }

    /// Removes everything from all instances; how much there was.
    #[allow(clippy::must_use_candidate, reason = "it is called to clear")]
    pub fn clear(&self) -> u64 {
        self.instances().iter().map(|instance| instance.cache.clear()).sum()
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
        sum.max_size = sum.max_size.max(self.limits.max_size as u64);
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
