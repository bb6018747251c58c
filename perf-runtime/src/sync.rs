//! The synchronisation primitives of the whole crate, named once.
//!
//! Everything else imports them from here. `--cfg shuttle` puts the model checker's in their place: it runs small models of the caches, the pools and the
//! profiler under many schedules (`scripts/models.sh`).

#[cfg(not(shuttle))]
mod real {
    pub(crate) use core::sync::atomic::{
        AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
        compiler_fence, fence,
    };
    pub(crate) use parking_lot::{Condvar, Mutex};
    pub(crate) use std::thread::{LocalKey, sleep, yield_now};
    pub(crate) use std::thread_local;
}

#[cfg(not(shuttle))]
pub(crate) use real::*;

#[cfg(shuttle)]
mod model {
    pub(crate) use core::sync::atomic::compiler_fence;

    pub(crate) use shuttle::sync::atomic::{
        AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
        fence,
    };
    pub(crate) use shuttle::thread::{LocalKey, sleep, yield_now};
    pub(crate) use shuttle::thread_local;

    use core::ops::{Deref, DerefMut};

    use shuttle::sync::{self, PoisonError};

    /// With `parking_lot`'s interface, as far as it is used here.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Mutex(sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
        }
    }

    /// `None` only inside of [`Condvar::wait`].
    pub(crate) struct MutexGuard<'a, T>(Option<sync::MutexGuard<'a, T>>);

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0.as_ref().expect("nobody sees it while it waits")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().expect("nobody sees it while it waits")
        }
    }

    #[derive(Debug)]
    pub(crate) struct Condvar(sync::Condvar);

    impl Condvar {
        pub(crate) const fn new() -> Self {
            Condvar(sync::Condvar::new())
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        /// Waits with the guard in its place.
        pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
            let locked = guard.0.take().expect("nobody sees it while it waits");
            guard.0 = Some(self.0.wait(locked).unwrap_or_else(PoisonError::into_inner));
        }
    }
}

#[cfg(shuttle)]
pub(crate) use model::*;
