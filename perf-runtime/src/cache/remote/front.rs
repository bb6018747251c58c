//! What generated code calls for a function with a backend: the store of this process in front, which may keep nothing, and the backend
//! behind it. The first makes one of all who miss a key at the same time here, the second of all processes.

use core::fmt;
use core::future::Future;
use core::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::Codec;
use super::counters::RemoteStats;
use super::shared::{Call, Shared, Split, Splitter};
use crate::cache::dependency::reading;
use crate::cache::handle::primer::Primer;
use crate::cache::handle::{Binding, Bound, CacheHandle, Miss};
use crate::cache::keep::{Keep, Sorted};
use crate::cache::key::Key;
use crate::cache::registry::{Cache, CacheSite, Instance};
use crate::cache::stats::CacheStats;

/// What a function returns that waits for a backend.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A [`Binding`] whose keys and results can leave the process.
pub trait SharedBinding<A, R>:
    Binding<A, R, Key: Key<Owned: Serialize + Send + Sync>, Keep: Keep<R, Kept: Serialize + DeserializeOwned>>
{
}

impl<A, R, Q, F, W> SharedBinding<A, R> for Bound<F, W>
where
    Q: Key<Owned: Serialize + Send + Sync>,
    F: Fn(A) -> Q,
    W: Keep<R, Kept: Serialize + DeserializeOwned>,
{
}

impl<K: Serialize, S, R> Cache<K, S, R> {
    /// Where the results are shared, and what is asked for there with this key.
    fn ask(&self, key: &K) -> Option<(&'static Shared, Call)> {
        let backed = self.backed?;
        Some((backed.shared, Call::of::<K, S>(backed.instance, key)))
    }
}

/// The second step of a call: the result of the backend, or of the body, or of another caller who asks for it now.
impl<K, R, W> Miss<K, R, W>
where
    K: Serialize + Send + Sync + 'static,
    W: Keep<R, Kept: Serialize + DeserializeOwned>,
{
    fn ask(&self) -> Option<(&'static Shared, Call)> {
        self.cache.ask(self.key.as_ref()?)
    }

    /// Asks the backend and runs the body if it has nothing, unless another caller does so.
    pub fn run_shared(self, body: impl FnOnce() -> R) -> R {
        match self.ask() {
            Some((shared, call)) => self.run(move || shared.run::<R, W>(call, body)),
            None => self.run(body),
        }
    }

    /// The same for a body that is a future.
    pub async fn run_shared_async(self, body: impl Future<Output = R>) -> R {
        let call = self.ask();
        let asked = async move {
            match call {
                Some((shared, call)) => shared.run_async::<R, W, _>(call, body).await,
                None => body.await,
            }
        };
        self.run_async(asked).await
    }
}

/// The cache behind a function with a backend: what `function::cache()` and `Type::method_cache()` return.
///
/// What it does to results it does in this process and at the backend. It blocks for a request or two, for at most the
/// [deadline](super::Remote::deadline) of each; what ends in `_async` does not block, and is for async functions.
pub struct SharedCacheHandle<A, R, B: SharedBinding<A, R>> {
    local: CacheHandle<A, R, B>,
    site: &'static CacheSite,
}

impl<A, R, B: SharedBinding<A, R>> fmt::Debug for SharedCacheHandle<A, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedCacheHandle")
            .field("stats", &self.stats())
            .field("remote_stats", &self.remote_stats())
            .finish_non_exhaustive()
    }
}

impl<A, R, Q, F, W> SharedCacheHandle<A, R, Bound<F, W>>
where
    Q: Key<Owned: Serialize + Send + Sync>,
    F: Fn(A) -> Q,
    W: Keep<R, Kept: Serialize + DeserializeOwned>,
{
    /// The cache of an instance of a function, whose arguments `key` makes a key of.
    pub fn new<M>(instance: Instance<M>, key: F, keep: W) -> Self {
        SharedCacheHandle { local: CacheHandle::new(instance, key, keep), site: instance.site() }
    }
}

type AreSame<K> = fn(&K, &K) -> bool;

impl<A, R, B: SharedBinding<A, R>> SharedCacheHandle<A, R, B> {
    /// Removes the result of a call with these arguments, here and at the backend, and tells whether there was one. A computation of it that is under
    /// way, in whatever process, is not kept. Other processes that keep results of their own notice when the time of those is up.
    pub fn invalidate(&self, arguments: A) -> bool {
        let (cache, key) = (self.local.cache, self.local.binding.key(arguments));
        // First there: else somebody could fetch it again from there.
        let was_there = cache.ask(&key.own()).is_some_and(|(shared, call)| shared.invalidate_call(call));
        was_there | cache.store.invalidate(key.hash(&cache.seed), &|owned| key.is(owned))
    }

    /// The same without blocking.
    #[must_use = "nothing is removed until it is awaited"]
    pub fn invalidate_async(&self, arguments: A) -> Later<bool> {
        let key = self.local.binding.key(arguments);
        let (hash, own) = (key.hash(&self.local.cache.seed), key.own());
        let (call, local) = (self.local.cache.ask(&own), self.locally(hash, own));
        Box::pin(async move {
            let was_there = match call {
                Some((shared, call)) => shared.invalidate_call_async(call).await,
                None => false,
            };
            was_there | local()
        })
    }

    /// Removes the result from this process. Its type does not depend on that of the arguments.
    fn locally(&self, hash: u64, own: <B::Key as Key>::Owned) -> Box<dyn FnOnce() -> bool + Send> {
        let cache = self.local.cache;
        let are_same: AreSame<<B::Key as Key>::Owned> = B::Key::are_same;
        Box::new(move || cache.store.invalidate(hash, &|owned| are_same(owned, &own)))
    }

    /// The result of a call with these arguments if it is in this process; the backend is not asked. Neither computes nor counts.
    #[must_use]
    pub fn peek(&self, arguments: A) -> Option<R> {
        self.local.peek(arguments)
    }

    /// Removes everything of the function, here and at the backend, of all instances of its generics, and tells whether the backend did so. Other
    /// processes notice after the time to [refresh](super::Remote::refresh).
    #[must_use = "a backend that is not reached removes nothing"]
    pub fn clear(&self) -> bool {
        self.site.clear_shared()
    }

    /// The same without blocking.
    #[must_use = "nothing is removed until it is awaited"]
    pub fn clear_async(&self) -> Later<bool> {
        self.site.clear_shared_async()
    }

    /// What the store of this process counted: of one instance, where the function is generic.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        self.local.stats()
    }

    /// What this process counted of the backend, of all instances.
    #[must_use]
    pub fn remote_stats(&self) -> RemoteStats {
        self.site.remote_stats()
    }

    /// A run of the body whatever is here and at the backend.
    pub fn primer(&self, arguments: A) -> SharedPrimer<R>
    where
        R: 'static,
    {
        let key = self.local.binding.key(arguments);
        let (hash, own) = (key.hash(&self.local.cache.seed), key.own());
        let call = self.local.cache.ask(&own);
        SharedPrimer { local: self.local.primer_of(hash, own, reading()), call, split: split::<R, B::Keep> }
    }
}

/// A result that is kept, and made again of what is kept: so that an `R` which is not `Send` need not wait.
fn split<R, W>(result: R, codec: Codec) -> Split<R>
where
    W: Keep<R, Kept: Serialize>,
{
    match W::sort(&result) {
        Sorted::Kept(value) => Split::Kept(codec.encode(&value), Box::new(move || W::kept(value))),
        Sorted::Refused(_) | Sorted::Private => Split::NotKept(result),
    }
}

/// Runs the body and keeps its result in place of what is here and at the backend; what is not kept, an `Err` or a `None`, only removes it. While
/// the body runs the backend has nothing, and who asks it waits.
#[must_use = "nothing is computed until the body runs"]
pub struct SharedPrimer<R> {
    local: Primer<R>,
    call: Option<(&'static Shared, Call)>,
    split: Splitter<R>,
}

impl<R> fmt::Debug for SharedPrimer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPrimer").finish_non_exhaustive()
    }
}

impl<R> SharedPrimer<R> {
    /// Runs the body.
    pub fn prime(self, body: impl FnOnce() -> R) -> R {
        let SharedPrimer { local, call, split } = self;
        local.prime(move || match call {
            Some((shared, call)) => shared.prime(call, split, body),
            None => body(),
        })
    }

    /// Runs the body, which is a future.
    pub async fn prime_async(self, body: impl Future<Output = R>) -> R {
        let SharedPrimer { local, call, split } = self;
        let body = async move {
            match call {
                Some((shared, call)) => shared.prime_async(call, split, body).await,
                None => body.await,
            }
        };
        local.prime_async(body).await
    }
}

/// What the companions of a function with a backend do.
impl CacheSite {
    /// See [`SharedCacheHandle::clear`].
    #[must_use = "a backend that is not reached removes nothing"]
    pub fn clear_shared(&'static self) -> bool {
        let is_done = self.backend().is_some_and(Shared::clear);
        self.clear();
        is_done
    }

    /// The same without blocking.
    #[must_use = "nothing is removed until it is awaited"]
    pub fn clear_shared_async(&'static self) -> Later<bool> {
        Box::pin(async move {
            let is_done = match self.backend() {
                Some(shared) => shared.clear_async().await,
                None => false,
            };
            self.clear();
            is_done
        })
    }

    /// See [`SharedCacheHandle::remote_stats`].
    #[must_use]
    pub fn remote_stats(&self) -> RemoteStats {
        self.backend().map(Shared::stats).unwrap_or_default()
    }
}
