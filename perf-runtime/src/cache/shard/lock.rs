//! The lock of a shard: taken by one locked instruction and released by none.
//!
//! It is held for some dozens of nanoseconds and never while a user's code runs, so whoever finds it taken looks again for a moment. If the
//! thread that has it was stopped in the middle, waiting is left to the scheduler: first by giving way, then by sleeping. An ordinary mutex takes a second locked
//! instruction to release, to see whether somebody sleeps, which is an eighth of what a miss takes.

#[cfg(not(shuttle))]
mod real {
    use core::cell::UnsafeCell;
    use core::ops::{Deref, DerefMut};
    use core::time::Duration;
    use std::thread;

    use crate::sync::{AtomicBool, Ordering};

    /// Looks at a lock that is taken, before giving way.
    const LOOKS: u32 = 100;
    /// Times to give way before sleeping.
    const YIELDS: u32 = 50;

    /// See the module.
    #[derive(Debug)]
    pub(in super::super::super) struct Lock<T> {
        is_taken: AtomicBool,
        value: UnsafeCell<T>,
    }

    // SAFETY: one thread at a time has the value.
    unsafe impl<T: Send> Sync for Lock<T> {}

    /// The lock is held until this is dropped.
    pub(in super::super::super) struct Guard<'a, T> {
        lock: &'a Lock<T>,
    }

    impl<T> Lock<T> {
        pub(in super::super::super) const fn new(value: T) -> Self {
            Lock { is_taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
        }

        #[inline]
        pub(in super::super::super) fn lock(&self) -> Guard<'_, T> {
            if self.is_taken.swap(true, Ordering::Acquire) {
                self.wait();
            }
            Guard { lock: self }
        }

        #[cold]
        #[inline(never)]
        fn wait(&self) {
            let mut tries = 0;
            loop {
                for _ in 0..LOOKS {
                    if !self.is_taken.load(Ordering::Relaxed) && !self.is_taken.swap(true, Ordering::Acquire)
                    {
                        return;
                    }
                    core::hint::spin_loop();
                }
                tries += 1;
                if tries < YIELDS {
                    thread::yield_now();
                } else {
                    // Also where the one that has it is of lower priority, and would not run while others give way.
                    thread::sleep(Duration::from_micros(50));
                }
            }
        }
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        #[inline]
        fn deref(&self) -> &T {
            // SAFETY: this thread has the lock.
            unsafe { &*self.lock.value.get() }
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        #[inline]
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: as above.
            unsafe { &mut *self.lock.value.get() }
        }
    }

    impl<T> Drop for Guard<'_, T> {
        #[inline]
        fn drop(&mut self) {
            self.lock.is_taken.store(false, Ordering::Release);
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn nothing_is_lost_also_where_the_holder_stands_still() {
            let lock = Lock::new(0_u64);
            thread::scope(|scope| {
                for n in 0..4 {
                    let lock = &lock;
                    scope.spawn(move || {
                        for step in 0..10_000 {
                            let mut guard = lock.lock();
                            let before = *guard;
                            if n == 0 && step % 2_000 == 0 {
                                thread::sleep(Duration::from_millis(1));
                            }
                            *guard = before + 1;
                        }
                    });
                }
            });
            assert_eq!(*lock.lock(), 40_000);
        }
    }
}

#[cfg(not(shuttle))]
pub(in super::super) use real::{Guard, Lock};

/// The model checker's mutex: it does not know loops that wait.
#[cfg(shuttle)]
pub(in super::super) use crate::sync::{Mutex as Lock, MutexGuard as Guard};
