//! A run of the body whatever is in the cache, whose result takes the place of what is there: for whoever primes, and for what is past its time or soon will be.

use core::fmt;
use core::future::poll_fn;
use core::pin::pin;

use super::super::cascade;
use super::super::dependency::{Computation, Reading};
use super::super::flight::waits::{self, FlightId};
use super::super::keep::Keep;
use super::super::registry::CacheSite;
use super::super::store::Lead;
use super::{Kind, land, tag};

/// Runs the body and keeps its result in place of what is in the cache; what is not kept, an `Err` or a `None`, only removes it.
#[must_use = "nothing is computed until the body runs"]
pub struct Primer<R> {
    /// Knows the key, whose type depends on how long the arguments live as far as the compiler can tell.
    keep: Box<dyn KeepOnce<R> + Send>,
    computation: Computation,
    reading: Reading,
}

/// A computation that ends once.
trait KeepOnce<R> {
    fn begin(&mut self);

    /// What it is called among all that are under way.
    fn id(&self) -> FlightId;

    fn end(self: Box<Self>, result: &R, computation: Computation, reading: Reading);
}

/// See [`Primer`].
pub(super) struct Prime<K: 'static, R, W: Keep<R>> {
    pub(super) lead: Lead<K, W::Kept, W::Refused>,
    pub(super) kind: Kind<K, W>,
}

impl<K: Send + Sync, R, W: Keep<R>> KeepOnce<R> for Prime<K, R, W> {
    fn begin(&mut self) {
        self.lead.begin();
    }

    fn id(&self) -> FlightId {
        self.lead.id()
    }

    fn end(mut self: Box<Self>, result: &R, computation: Computation, reading: Reading) {
        let finished = self.lead.finish(computation, reading);
        land::<K, R, W>(&mut self.lead, result, finished, self.kind);
    }
}

impl<R> fmt::Debug for Primer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primer").finish_non_exhaustive()
    }
}

impl<R> Primer<R> {
    pub(super) fn new<K: Send + Sync, W: Keep<R>>(prime: Prime<K, R, W>, reading: Reading) -> Self
    where
        R: 'static,
    {
        Primer { computation: Computation::new(), reading, keep: Box::new(prime) }
    }

    /// Runs the body.
    pub fn prime(mut self, body: impl FnOnce() -> R) -> R {
        // What is computed anew is waited for, as any other.
        waits::run(self.keep.id(), || {
            self.keep.begin();
            let entered = self.computation.enter();
            let result = body();
            drop(entered);
            self.keep.end(&result, self.computation, self.reading);
            result
        })
    }

    /// Runs the body, which is a future.
    pub async fn prime_async(mut self, body: impl Future<Output = R>) -> R {
        self.keep.begin();
        let id = self.keep.id();
        let mut body = pin!(body);
        let result = poll_fn(|context| {
            waits::run(id, || {
                let _entered = self.computation.enter();
                body.as_mut().poll(context)
            })
        })
        .await;
        waits::run(id, || self.keep.end(&result, self.computation, self.reading));
        result
    }

    /// Gives the result tags: see [`invalidate_tag`](super::super::invalidate_tag). They are noted before the body runs.
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
