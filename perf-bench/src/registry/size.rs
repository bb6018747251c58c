//! How large an element of `args` is: itself if it is an integer, which its type says, else what `size` says, else nobody knows.

use crate::measure::check::Looked;

/// An integer, as a size.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a size is an integer, and `{Self}` is none",
    label = "of this type",
    note = "`complexity` and `memory_complexity` are judged over the sizes of `args`: integers are their own, and of anything else `size` says it, for example \
            `size = |argument| argument.len()`"
)]
pub trait Size {
    /// `None` of what is less than nothing or more than anybody has.
    fn size(&self) -> Option<u64>;
}

macro_rules! integers {
    ($($integer:ty)*) => { $(
        impl Size for $integer {
            #[inline]
            fn size(&self) -> Option<u64> {
                u64::try_from(*self).ok()
            }
        }
    )* };
}
integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

/// Of what has to have a size.
#[doc(hidden)]
#[inline]
pub fn size_of<T: Size>(argument: &T) -> Option<u64> {
    argument.size()
}

/// Calls a closure of `size` with an argument whose type is known by then.
#[doc(hidden)]
#[inline]
pub fn size_by<T, R>(argument: &T, size: impl FnOnce(&T) -> R) -> R {
    size(argument)
}

/// Of what may have a size, by what its type can do: see [`Looked`].
///
/// ```
/// use perf_bench::{LookSize as _, LookUnsized as _, Looked};
///
/// assert_eq!((&&Looked(&10)).size(), Some(10));
/// assert_eq!((&&Looked(&-1_i8)).size(), None);
/// assert_eq!((&&Looked(&"ten")).size(), None);
/// ```
#[doc(hidden)]
pub trait LookSize {
    fn size(&self) -> Option<u64>;
}

impl<T: Size> LookSize for &Looked<'_, T> {
    #[inline]
    fn size(&self) -> Option<u64> {
        self.0.size()
    }
}

#[doc(hidden)]
pub trait LookUnsized {
    fn size(&self) -> Option<u64>;
}

impl<R> LookUnsized for Looked<'_, R> {
    #[inline]
    fn size(&self) -> Option<u64> {
        None
    }
}
