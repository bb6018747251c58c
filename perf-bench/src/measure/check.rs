//! Whether what a benchmark returns is as it should be: what `validate` says of it, and no `Err` where nobody says anything.
//!
//! A benchmark of a function that fails measures the failure, which is mostly quick. So an `Err` fails the benchmark, whatever its type is called.

use core::fmt::Debug;

/// What is said of a result.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`validate` returns `{Self}`, and has to return `bool`: whether the result is as it should be"
)]
pub trait Check {
    /// Why it is not as it should be.
    fn refusal(self) -> Option<String>;
}

impl Check for bool {
    #[inline]
    fn refusal(self) -> Option<String> {
        (!self).then(|| String::from("returned a result that `validate` refuses"))
    }
}

impl Check for Option<String> {
    #[inline]
    fn refusal(self) -> Option<String> {
        self
    }
}

/// A result, to be looked at by what it can do: the method of the first of the three traits below that it has is called, because it takes the
/// fewest references to get there.
///
/// ```
/// use perf_bench::{LookAny as _, LookError as _, LookResult as _, Looked};
///
/// struct Silent;
/// assert_eq!((&&&Looked(&Ok::<u8, u8>(1))).error(), None);
/// assert_eq!((&&&Looked(&Err::<u8, _>("no"))).error().as_deref(), Some("returned an error: \"no\""));
/// assert_eq!((&&&Looked(&Err::<u8, _>(Silent))).error().as_deref(), Some("returned an error, which has no `Debug`"));
/// assert_eq!((&&&Looked(&Silent)).error(), None);
/// ```
#[doc(hidden)]
#[derive(Debug)]
pub struct Looked<'a, R>(pub &'a R);

#[doc(hidden)]
pub trait LookError {
    fn error(&self) -> Option<String>;
}

impl<T, E: Debug> LookError for &&Looked<'_, Result<T, E>> {
    #[inline]
    fn error(&self) -> Option<String> {
        self.0.as_ref().err().map(|error| format!("returned an error: {error:?}"))
    }
}

#[doc(hidden)]
pub trait LookResult {
    fn error(&self) -> Option<String>;
}

impl<T, E> LookResult for &Looked<'_, Result<T, E>> {
    #[inline]
    fn error(&self) -> Option<String> {
        self.0.is_err().then(|| String::from("returned an error, which has no `Debug`"))
    }
}

#[doc(hidden)]
pub trait LookAny {
    fn error(&self) -> Option<String>;
}

impl<R> LookAny for Looked<'_, R> {
    #[inline]
    fn error(&self) -> Option<String> {
        None
    }
}
