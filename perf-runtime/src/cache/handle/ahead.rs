//! A lookup whose result may be past its time, or soon: it is handed out at once and computed anew in the background.

use core::fmt;

use super::super::dependency::reading;
use super::super::keep::Keep;
use super::super::key::SharedKey;
use super::super::registry::{CacheSite, Instance};
use super::super::worker;
use super::primer::{Prime, Primer};
use super::{Found, Kind, Miss, forced, look_up_noted};

/// What the first step of a call found, where results are computed anew in the background.
#[derive(Debug)]
pub enum FoundAhead<R, M> {
    /// The result.
    Hit(R),
    /// The result, and the task to compute it anew.
    Stale(R, Refresh<R>),
    /// Nothing; go on with this.
    Miss(M),
}

/// A result that is to be computed anew, by nobody else meanwhile. Where it is dropped, the next caller is asked to.
#[must_use = "nothing is computed until the body runs"]
pub struct Refresh<R>(Primer<R>);

impl<R> fmt::Debug for Refresh<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").finish_non_exhaustive()
    }
}

impl<R: 'static> Refresh<R> {
    /// The result is of these tags.
    pub fn tagged(self, tags: impl FnOnce() -> Vec<String>) -> Self {
        Refresh(self.0.tagged(tags))
    }

    /// The result depends on everything that another function returned.
    pub fn depends_on(self, site: &'static CacheSite) -> Self {
        Refresh(self.0.depends_on(site))
    }

    /// Runs the body in the background.
    pub fn run(self, body: impl FnOnce() -> R + Send + 'static) {
        worker::run(move || drop(self.0.prime(body)));
    }

    /// Runs the body, which is a future, in the background.
    pub fn run_async(self, body: impl Future<Output = R> + Send + 'static) {
        worker::run_future(async move { drop(self.0.prime_async(body).await) });
    }
}

/// The first step of a call; see [`look_up`](super::super::look_up).
#[inline]
pub fn look_up_ahead<M, A, R: 'static, Q: SharedKey, W: Keep<R>>(
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    keep: W,
) -> FoundAhead<R, Miss<Q::Owned, R, W>> {
    let cache = instance.cache::<Q::Owned, W::Kept, W::Refused>(const { Q::IS_FLAT && W::IS_FLAT });
    let key = key(arguments);
    let hash = key.hash(&cache.seed);
    let reading = reading();
    if reading.is_noted() {
        // What is computed from it is not to begin its life with a result whose own is over.
        return match look_up_noted(cache, hash, &key, keep, reading) {
            Found::Hit(result) => FoundAhead::Hit(result),
            Found::Miss(miss) => FoundAhead::Miss(miss),
        };
    }
    match cache.store.find_ahead(hash, |owned| key.is(owned), W::Kept::clone) {
        Some((value, false)) => FoundAhead::Hit(W::kept(value)),
        Some((value, true)) => {
            let mut weight = 0;
            let lead = cache.store.begin_refresh(hash, &|owned| key.is(owned), || {
                let own = key.own();
                weight = Q::weigh(&own);
                own
            });
            match lead {
                Some(lead) => {
                    let kind = Kind { key: weight, keep, are_same: Q::are_same };
                    let refresh = Primer::new(Prime::<_, R, W> { lead, kind }, reading);
                    FoundAhead::Stale(W::kept(value), Refresh(refresh))
                }
                None => FoundAhead::Hit(W::kept(value)),
            }
        }
        None => FoundAhead::Miss(Miss::new(cache, hash, &key, keep)),
    }
}

/// The same; where `is_forced`, it does not look, and the body runs whatever is in the cache.
#[inline]
pub fn look_up_ahead_unless<M, A, R: 'static, Q: SharedKey, W: Keep<R>>(
    is_forced: bool,
    instance: Instance<M>,
    arguments: A,
    key: impl FnOnce(A) -> Q,
    keep: W,
) -> FoundAhead<R, Miss<Q::Owned, R, W>> {
    if is_forced {
        return FoundAhead::Miss(forced(instance, arguments, key, keep));
    }
    look_up_ahead(instance, arguments, key, keep)
}

/// What generated code demands of an argument that cannot be had in the background. Nothing has it, so that the demand is one error, in
/// these words, and what depends on it is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be had in the background, where `stale` and `refresh_ahead` run the body",
    label = "not `Send`, or a reference to what is not `Clone + Send`",
    note = "remove `stale` and `refresh_ahead`, or cache a function that takes what can be sent to another thread"
)]
pub trait CacheBackground {
    /// What would be taken along.
    type Owned;
}

/// How generated code takes arguments along to the background; told apart as those of a key.
pub mod background {
    use std::borrow::ToOwned;

    use super::CacheBackground;

    /// `T`.
    #[derive(Debug)]
    pub struct Moved<T>(pub T);

    /// `&T`.
    #[derive(Debug)]
    pub struct Lent<'a, T: ?Sized>(pub &'a T);

    /// `Option<&T>`.
    #[derive(Debug)]
    pub struct OptionLent<'a, T: ?Sized>(pub Option<&'a T>);

    /// Can be taken along.
    pub trait Fit {
        /// What is taken along.
        type Owned;

        /// What is taken along.
        fn __perfkit_own(self) -> Self::Owned;
    }

    impl<T: Send + 'static> Fit for Moved<T> {
        type Owned = T;

        fn __perfkit_own(self) -> T {
            self.0
        }
    }

    impl<T: ToOwned<Owned: Send + 'static> + ?Sized> Fit for Lent<'_, T> {
        type Owned = T::Owned;

        fn __perfkit_own(self) -> T::Owned {
            self.0.to_owned()
        }
    }

    impl<T: ToOwned<Owned: Send + 'static> + ?Sized> Fit for OptionLent<'_, T> {
        type Owned = Option<T::Owned>;

        fn __perfkit_own(self) -> Option<T::Owned> {
            self.0.map(ToOwned::to_owned)
        }
    }

    /// Cannot.
    pub trait Unfit {
        /// What lacks a trait.
        type Of: ?Sized;

        /// Never called.
        fn __perfkit_own(self) -> <Self::Of as CacheBackground>::Owned
        where
            Self::Of: CacheBackground;
    }

    /// Nothing has the trait.
    macro_rules! unfit {
        ($([$($generics:tt)*] $ty:ty: $of:ty;)*) => {
            $(impl<$($generics)*> Unfit for &$ty {
                type Of = $of;

                fn __perfkit_own(self) -> <$of as CacheBackground>::Owned
                where
                    $of: CacheBackground,
                {
                    unreachable!("nothing has the trait")
                }
            })*
        };
    }

    unfit!(
        [T] Moved<T>: T;
        [T: ?Sized] Lent<'_, T>: T;
        [T: ?Sized] OptionLent<'_, T>: T;
    );
}
