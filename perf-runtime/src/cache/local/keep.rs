//! How results are kept where they need not leave their thread.

use super::super::keep::{KeepAny, KeepOk, KeepSome};

/// What can be kept on its thread: handed out again and again.
pub trait Keepable: Clone + 'static {}

impl<T: Clone + 'static> Keepable for T {}

/// How results of type `R` are kept on their thread.
pub trait LocalKeep<R>: Copy + 'static {
    /// What is kept.
    type Kept: Keepable;

    /// What is to be kept of a result, if anything.
    fn sort(result: &R) -> Option<Self::Kept>;

    /// The result again.
    fn kept(value: Self::Kept) -> R;
}

impl<R: Keepable> LocalKeep<R> for KeepAny {
    type Kept = R;

    fn sort(result: &R) -> Option<R> {
        Some(result.clone())
    }

    #[inline]
    fn kept(value: R) -> R {
        value
    }
}

impl<T: Keepable, E> LocalKeep<Result<T, E>> for KeepOk {
    type Kept = T;

    fn sort(result: &Result<T, E>) -> Option<T> {
        result.as_ref().ok().cloned()
    }

    #[inline]
    fn kept(value: T) -> Result<T, E> {
        Ok(value)
    }
}

impl<T: Keepable> LocalKeep<Option<T>> for KeepSome {
    type Kept = T;

    fn sort(result: &Option<T>) -> Option<T> {
        result.clone()
    }

    #[inline]
    fn kept(value: T) -> Option<T> {
        Some(value)
    }
}
