//! Which results are kept: all, or of a `Result` only the `Ok`s and of an `Option` only the `Some`s.
//!
//! What a function returns is looked at as a type, not as it is spelled, so an alias of a `Result` is a `Result`:
//! `probe::<R>().__perfkit_keep()` gives the [`Keep`] that fits `R`, by the order in which methods are looked up (D. Tolnay, "Autoref-based stable
//! specialization", 2019).

use core::marker::PhantomData;

/// What can be kept in a cache: handed out again and again, to any thread.
pub trait Shareable: Clone + Send + Sync + 'static {}

impl<T: Clone + Send + Sync + 'static> Shareable for T {}

/// What generated code demands of a result that cannot be kept. Nothing has it, so that the demand is one error, in these words, and
/// what depends on it is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a cache",
    label = "not `Clone + Send + Sync`",
    note = "each hit is handed a clone: derive `Clone` for it, or return an `Arc<…>` of it"
)]
pub trait CacheValue {
    /// What would be the way.
    type Way;
}

/// The same of `cache_err`.
#[diagnostic::on_unimplemented(
    message = "`cache_err` cannot keep the `Err`s of `{Self}`",
    label = "no `Result`, or not `Clone + Send + Sync`",
    note = "remove `cache_err`, which is for functions that return a `Result`; each hit is handed a clone of it"
)]
pub trait CacheErr {
    /// What would be the way.
    type Way;
}

/// The same of `stale_if_error`.
#[diagnostic::on_unimplemented(
    message = "`stale_if_error` cannot tell where `{Self}` is an error",
    label = "no `Result` and no `Option`, or not `Clone + Send + Sync`",
    note = "remove `stale_if_error`, which hands out the last `Ok` in place of an `Err`, or the last `Some` in place of a `None`; each hit is handed a clone of it"
)]
pub trait CacheFallible {
    /// What would be the way.
    type Way;
}

/// The same of `cache_none`.
#[diagnostic::on_unimplemented(
    message = "`cache_none` cannot keep the `None`s of `{Self}`",
    label = "no `Option`, or not `Clone + Send + Sync`",
    note = "remove `cache_none`, which is for functions that return an `Option`; each hit is handed a clone of it"
)]
pub trait CacheNone {
    /// What would be the way.
    type Way;
}

/// How results of type `R` are kept.
pub trait Keep<R>: Copy + Send + Sync + 'static {
    /// What is kept.
    type Kept: Shareable;
    /// What is not kept, but told to those who wait for this very computation.
    type Refused: Shareable;

    /// Looks at a result.
    fn sort(result: &R) -> Sorted<Self::Kept, Self::Refused>;

    /// The result again.
    fn kept(value: Self::Kept) -> R;

    /// The result again.
    fn refused(value: Self::Refused) -> R;

    /// All weigh the same.
    const IS_FLAT: bool = true;

    /// Bytes of what is kept, estimated.
    #[inline]
    fn weigh(self, value: &Self::Kept) -> usize {
        size_of_val(value)
    }
}

/// What is to be done with a result.
#[derive(Debug)]
pub enum Sorted<K, R> {
    /// Keep it.
    Kept(K),
    /// Do not keep it, but tell those who wait.
    Refused(R),
    /// Do not keep it, and let those who wait try for themselves.
    Private,
}

/// Keeps everything.
#[derive(Clone, Copy, Debug)]
pub struct KeepAny;

impl<R: Shareable> Keep<R> for KeepAny {
    type Kept = R;
    type Refused = ();

    fn sort(result: &R) -> Sorted<R, ()> {
        Sorted::Kept(result.clone())
    }

    #[inline]
    fn kept(value: R) -> R {
        value
    }

    fn refused((): ()) -> R {
        unreachable!("everything is kept")
    }
}

/// Keeps `Ok`s. Those who wait for an `Err` that cannot be cloned or shared try for themselves, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct KeepOk;

impl<T: Shareable, E> Keep<Result<T, E>> for KeepOk {
    type Kept = T;
    type Refused = ();

    fn sort(result: &Result<T, E>) -> Sorted<T, ()> {
        match result {
            Ok(value) => Sorted::Kept(value.clone()),
            Err(_) => Sorted::Private,
        }
    }

    #[inline]
    fn kept(value: T) -> Result<T, E> {
        Ok(value)
    }

    fn refused((): ()) -> Result<T, E> {
        unreachable!("an `Err` of this type is not shared")
    }
}

/// Keeps `Ok`s, and tells an `Err` to those who wait.
#[derive(Clone, Copy, Debug)]
pub struct KeepOkShareErr;

impl<T: Shareable, E: Shareable> Keep<Result<T, E>> for KeepOkShareErr {
    type Kept = T;
    type Refused = E;

    fn sort(result: &Result<T, E>) -> Sorted<T, E> {
        match result {
            Ok(value) => Sorted::Kept(value.clone()),
            Err(error) => Sorted::Refused(error.clone()),
        }
    }

    #[inline]
    fn kept(value: T) -> Result<T, E> {
        Ok(value)
    }

    fn refused(error: E) -> Result<T, E> {
        Err(error)
    }
}

/// Keeps `Some`s.
#[derive(Clone, Copy, Debug)]
pub struct KeepSome;

impl<T: Shareable> Keep<Option<T>> for KeepSome {
    type Kept = T;
    type Refused = ();

    fn sort(result: &Option<T>) -> Sorted<T, ()> {
        match result {
            Some(value) => Sorted::Kept(value.clone()),
            None => Sorted::Refused(()),
        }
    }

    #[inline]
    fn kept(value: T) -> Option<T> {
        Some(value)
    }

    fn refused((): ()) -> Option<T> {
        None
    }
}

/// Asks how results of type `R` are kept.
#[derive(Debug)]
pub struct Probe<R>(PhantomData<fn() -> R>);

/// A probe for results of type `R`.
#[must_use]
pub const fn probe<R>() -> Probe<R> {
    Probe(PhantomData)
}

/// The probe of `cache_err`.
#[derive(Debug)]
pub struct ErrProbe<R>(PhantomData<fn() -> R>);

/// The probe of `cache_err`.
#[must_use]
pub const fn probe_err<R>() -> ErrProbe<R> {
    ErrProbe(PhantomData)
}

/// The probe of `cache_none`.
#[derive(Debug)]
pub struct NoneProbe<R>(PhantomData<fn() -> R>);

/// The probe of `cache_none`.
#[must_use]
pub const fn probe_none<R>() -> NoneProbe<R> {
    NoneProbe(PhantomData)
}

/// The probe of `stale_if_error`.
#[derive(Debug)]
pub struct FallibleProbe<R>(PhantomData<fn() -> R>);

/// The probe of `stale_if_error`.
#[must_use]
pub const fn probe_fallible<R>() -> FallibleProbe<R> {
    FallibleProbe(PhantomData)
}

/// A trait with one method that gives the way for the types it is implemented for.
macro_rules! way {
    ($(#[$doc:meta])* $name:ident => $way:ident; $([$($parameter:ident $(: $bound:ident)?),*] $probe:ty),*) => {
        $(#[$doc])*
        pub trait $name {
            /// The way.
            fn __perfkit_keep(&self) -> $way {
                $way
            }
        }
        $(impl<$($parameter $(: $bound)?),*> $name for $probe {})*
    };
}

/// A trait with one method that demands what nothing has.
macro_rules! unfit {
    ($(#[$doc:meta])* $name:ident, $probe:ident => $demand:ident) => {
        $(#[$doc])*
        pub trait $name {
            /// What lacks a trait.
            type Of;

            /// Never called.
            fn __perfkit_keep(&self) -> <Self::Of as $demand>::Way
            where
                Self::Of: $demand;
        }

        impl<R> $name for $probe<R> {
            type Of = R;

            fn __perfkit_keep(&self) -> R::Way
            where
                R: $demand,
            {
                unreachable!("nothing has the trait")
            }
        }
    };
}

/// The last way of each probe that all sorts of caches have.
macro_rules! unfits {
    ($value:ident, $err:ident, $none:ident) => {
        unfit!(
            /// What cannot be kept.
            Unfit, Probe => $value
        );
        unfit!(
            /// What cannot be kept as `cache_err` asks.
            UnfitErr, ErrProbe => $err
        );
        unfit!(
            /// What cannot be kept as `cache_none` asks.
            UnfitNone, NoneProbe => $none
        );
    };
}

pub(super) use {unfit, unfits, way};

/// The ways to keep, in the order in which they are tried on a `&&&&Probe`. Generated code imports all of them.
pub mod by {
    use super::{
        CacheErr, CacheFallible, CacheNone, CacheValue, ErrProbe, FallibleProbe, KeepAny, KeepOk,
        KeepOkShareErr, KeepSome, NoneProbe, Probe, Shareable,
    };

    way!(
        /// A `Result` whose error can be shared.
        SharedResult => KeepOkShareErr; [T: Shareable, E: Shareable] &&&Probe<Result<T, E>>,
        [T: Shareable, E: Shareable] &&&FallibleProbe<Result<T, E>>
    );
    way!(
        /// Any other `Result`.
        OtherResult => KeepOk; [T: Shareable, E] &&Probe<Result<T, E>>,
        [T: Shareable, E] &&FallibleProbe<Result<T, E>>
    );
    way!(
        /// An `Option`.
        Optional => KeepSome; [T: Shareable] &&Probe<Option<T>>,
        [T: Shareable] &&FallibleProbe<Option<T>>
    );
    way!(
        /// Anything else.
        Other => KeepAny;
        [R: Shareable] &Probe<R>,
        [T: Shareable, E: Shareable] &ErrProbe<Result<T, E>>,
        [T: Shareable] &NoneProbe<Option<T>>
    );

    unfits!(CacheValue, CacheErr, CacheNone);
    unfit!(
        /// What cannot be kept as `stale_if_error` asks.
        UnfitFallible, FallibleProbe => CacheFallible
    );
}

#[cfg(test)]
#[allow(clippy::needless_borrow, reason = "how many references there are is the point")]
mod tests {
    use super::by::{Optional as _, Other as _, OtherResult as _, SharedResult as _};
    use super::*;

    type Alias<T> = Result<T, std::io::Error>;

    #[test]
    fn each_type_is_kept_in_its_way() {
        let KeepOkShareErr = (&&&&probe::<Result<u8, String>>()).__perfkit_keep();
        let KeepOk = (&&&&probe::<Alias<u8>>()).__perfkit_keep();
        let KeepSome = (&&&&probe::<Option<u8>>()).__perfkit_keep();
        let KeepAny = (&&&&probe::<Vec<u8>>()).__perfkit_keep();
    }
}
