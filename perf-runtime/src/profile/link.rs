//! Pointers that one thread sets and any thread follows, to something that is never freed.

use core::ptr;

use super::threads;
use crate::sync::{AtomicPtr, Ordering};

/// An optional `&'static T` that can be replaced atomically.
pub(super) struct Link<T: Sync + 'static>(AtomicPtr<T>);

impl<T: Sync> Link<T> {
    pub(super) const fn empty() -> Self {
        Link(AtomicPtr::new(ptr::null_mut()))
    }

    #[inline]
    pub(super) fn get(&self) -> Option<&'static T> {
        // SAFETY: the pointer is null or was made from a `&'static T` by `set`; `Acquire` pairs with its `Release`.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    pub(super) fn set(&self, target: &'static T) {
        self.0.store(ptr::from_ref(target).cast_mut(), Ordering::Release);
    }
}

/// The same for what is always there, which spares the question whether it is.
pub(super) struct Always<T: Sync + 'static>(AtomicPtr<T>);

impl<T: Sync> Always<T> {
    pub(super) const fn to(target: &'static T) -> Self {
        Always(AtomicPtr::new(ptr::from_ref(target).cast_mut()))
    }

    #[inline]
    pub(super) fn get(&self) -> &'static T {
        // SAFETY: the pointer was made from a `&'static T` by `to` or `set`; `Acquire` pairs with the `Release` of `set`.
        unsafe { &*self.0.load(Ordering::Acquire) }
    }

    pub(super) fn set(&self, target: &'static T) {
        self.0.store(ptr::from_ref(target).cast_mut(), Ordering::Release);
    }
}

/// What is reached by a [`Link`] lives as long as the process.
pub(super) fn leak<T>(value: T) -> &'static T {
    threads::in_own_work(|| Box::leak(Box::new(value)))
}
