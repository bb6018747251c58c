//! An object on loan.
//!
//! Its `Drop` runs a user's code (`validate`, `reset`), maybe while a panic unwinds: nothing may escape from it.

use core::fmt;
use core::ops::{Deref, DerefMut};
use std::thread;

use super::Pool;

/// An object borrowed from a pool; it goes back when this is dropped.
///
/// Use it as the object itself: it derefs to `T`. [`Pooled::take`] keeps the object for good. On the way back
/// `validate` decides whether the object is worth keeping, then `reset` cleans it. If the borrower panics, the object
/// may be half changed and is dropped instead.
///
/// Its functions are called as `Pooled::take(object)`, so that they hide no method of `T`.
#[must_use = "an object that is not kept goes back to its pool at once"]
pub struct Pooled<T: 'static> {
    /// `None` only between `take` and the end of `drop`.
    object: Option<T>,
    pool: &'static Pool<T>,
    /// The borrower was already unwinding when it borrowed, so a panic at the end is not its own.
    unwinding: bool,
}

impl<T> Pooled<T> {
    pub(super) fn new(object: T, pool: &'static Pool<T>) -> Self {
        Self { object: Some(object), pool, unwinding: thread::panicking() }
    }

    /// Keeps the object: it never goes back, and the pool makes another when it needs one.
    ///
    /// ```
    /// use perf_runtime::pool::{Pool, Pooled};
    ///
    /// static LINES: Pool<String> = Pool::new(String::new);
    ///
    /// let mut line = LINES.borrow();
    /// line.push_str("kept");
    /// let line: String = Pooled::take(line);
    /// assert_eq!(line, "kept");
    /// assert_eq!(LINES.stats().taken, 1);
    /// ```
    #[must_use = "to give the object back, drop it instead"]
    pub fn take(mut this: Self) -> T {
        match this.object.take() {
            Some(object) => {
                this.pool.note_taken();
                object
            }
            None => unreachable!("only `take` and `drop` empty a loan, and both end it"),
        }
    }

    /// The pool that the object came from, for its statistics.
    #[must_use]
    pub fn pool(this: &Self) -> &'static Pool<T> {
        this.pool
    }
}

impl<T> Drop for Pooled<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            if thread::panicking() && !self.unwinding {
                self.pool.discard(object);
            } else {
                self.pool.give_back(object);
            }
        }
    }
}

impl<T> Deref for Pooled<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &self.object {
            Some(object) => object,
            None => unreachable!("only `take` and `drop` empty a loan, and both end it"),
        }
    }
}

impl<T> DerefMut for Pooled<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.object {
            Some(object) => object,
            None => unreachable!("only `take` and `drop` empty a loan, and both end it"),
        }
    }
}

impl<T> AsRef<T> for Pooled<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T> AsMut<T> for Pooled<T> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: fmt::Debug> fmt::Debug for Pooled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Pooled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
