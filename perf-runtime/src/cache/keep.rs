//! Which results are kept: all, or of a `Result` only the `Ok`s and of an `Option` only the `Some`s.
//!
//! What a function returns is looked at as a type, not as it is spelled, so an alias of a `Result` is a `Result`:
//! `probe::<R>().keep()` gives the [`Keep`] that fits `R`, by the order in which methods are looked up (D. Tolnay, "Autoref-based stable
//! specialization", 2019).

use core::marker::PhantomData;

/// What can be kept in a cache: handed out again and again, to any thread.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a cache",
    label = "not `Clone` (or not `Send + Sync + 'static`)",
    note = "each hit is handed a clone: derive `Clone` for it, or return an `Arc<…>` of it"
)]
pub trait CacheValue: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> CacheValue for T {}

/// How results of type `R` are kept.
#[diagnostic::on_unimplemented(
    message = "results of type `{R}` cannot be kept in this way",
    label = "`cache_err` is for a `Result`, `cache_none` for an `Option`",
    note = "remove the option; and each hit is handed a clone, so what is kept must be `Clone + Send + Sync + 'static`"
)]
pub trait Keep<R>: 'static {
    /// What is kept.
    type Kept: CacheValue;
    /// What is not kept, but told to those who wait for this very computation.
    type Refused: CacheValue;

    /// Looks at a result.
    fn sort(result: &R) -> Sorted<Self::Kept, Self::Refused>;

    /// The result again.
    fn kept(value: Self::Kept) -> R;

    /// The result again.
    fn refused(value: Self::Refused) -> R;
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

/// Keeps `Ok`s. Those who wait for an `Err` that cannot be cloned or shared try for themselves, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct KeepOk;

impl<T: CacheValue, E> Keep<Result<T, E>> for KeepOk {
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

impl<T: CacheValue, E: CacheValue> Keep<Result<T, E>> for KeepOkShareErr {
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

impl<T: CacheValue> Keep<Option<T>> for KeepSome {
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

/// Keeps `Ok`s and `Err`s: `cache_err`.
#[derive(Clone, Copy, Debug)]
pub struct KeepErr;

/// Keeps `Some`s and `None`s: `cache_none`.
#[derive(Clone, Copy, Debug)]
pub struct KeepNone;

/// The whole of `$result` is kept.
macro_rules! keep_all {
    ($way:ident, [$($parameter:ident),*], $result:ty) => {
        impl<$($parameter: CacheValue),*> Keep<$result> for $way {
            type Kept = $result;
            type Refused = ();

            fn sort(result: &$result) -> Sorted<$result, ()> {
                Sorted::Kept(result.clone())
            }

            #[inline]
            fn kept(value: $result) -> $result {
                value
            }

            fn refused((): ()) -> $result {
                unreachable!("everything is kept")
            }
        }
    };
}

keep_all!(KeepAny, [R], R);
keep_all!(KeepErr, [T, E], Result<T, E>);
keep_all!(KeepNone, [T], Option<T>);

/// Asks how results of type `R` are kept.
#[derive(Debug)]
pub struct Probe<R>(PhantomData<fn() -> R>);

/// A probe for results of type `R`.
#[must_use]
pub const fn probe<R>() -> Probe<R> {
    Probe(PhantomData)
}

/// The ways to keep, in the order in which they are tried on a `&&&Probe`. Generated code imports all of them.
pub mod by {
    use super::{CacheValue, KeepAny, KeepOk, KeepOkShareErr, KeepSome, Probe};

    /// A `Result` whose error can be shared.
    pub trait SharedResult {
        /// The way.
        fn keep(&self) -> KeepOkShareErr {
            KeepOkShareErr
        }
    }
    impl<T, E: CacheValue> SharedResult for &&Probe<Result<T, E>> {}

    /// Any other `Result`, and an `Option`.
    pub trait Outcome {
        /// The way.
        type Way;
        /// The way.
        fn keep(&self) -> Self::Way;
    }
    impl<T, E> Outcome for &Probe<Result<T, E>> {
        type Way = KeepOk;
        fn keep(&self) -> KeepOk {
            KeepOk
        }
    }
    impl<T> Outcome for &Probe<Option<T>> {
        type Way = KeepSome;
        fn keep(&self) -> KeepSome {
            KeepSome
        }
    }

    /// Anything else.
    pub trait Value {
        /// The way.
        fn keep(&self) -> KeepAny {
            KeepAny
        }
    }
    impl<R> Value for Probe<R> {}
}

#[cfg(test)]
#[allow(clippy::needless_borrow, reason = "how many references there are is the point")]
mod tests {
    use super::by::{Outcome as _, SharedResult as _, Value as _};
    use super::*;

    type Alias<T> = Result<T, std::io::Error>;

    #[test]
    fn each_type_is_kept_in_its_way() {
        let KeepOkShareErr = (&&&probe::<Result<u8, String>>()).keep();
        let KeepOk = (&&&probe::<Alias<u8>>()).keep();
        let KeepSome = (&&&probe::<Option<u8>>()).keep();
        let KeepAny = (&&&probe::<Vec<u8>>()).keep();
        fn generic<T>() -> Option<T> {
            let KeepSome = (&&&probe::<Option<T>>()).keep();
            None
        }
        generic::<u8>();
    }
}
