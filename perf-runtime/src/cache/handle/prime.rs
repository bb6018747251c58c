//! Results computed before they are asked for.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use crate::sync::{AtomicU64, Mutex, Ordering};

/// Calls `prime` with each of the arguments, on as many threads as there are processors, and returns how many calls came to an end.
///
/// # Panics
/// With the first panic of a call, after all others have come to an end.
pub fn prime_all<A: Send>(arguments: impl IntoIterator<Item = A>, prime: impl Fn(A) + Sync) -> u64 {
    let arguments: Vec<A> = arguments.into_iter().collect();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(arguments.len());
    let (queue, ended, panic) = (Mutex::new(arguments.into_iter()), AtomicU64::new(0), Mutex::new(None));
    let work = || {
        loop {
            let next = queue.lock().next();
            let Some(arguments) = next else { return };
            match catch_unwind(AssertUnwindSafe(|| prime(arguments))) {
                Ok(()) => {
                    ended.fetch_add(1, Ordering::Relaxed);
                }
                Err(payload) => drop(panic.lock().get_or_insert(payload)),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // Where the system gives no more threads, this one does it all.
            if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    let panic = panic.lock().take();
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
    ended.load(Ordering::Relaxed)
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_panic_loses_no_other_call() {
        let seen = AtomicU64::new(0);
        let result = catch_unwind(AssertUnwindSafe(|| {
            prime_all(0..100, |n: u64| {
                assert!(n != 7, "seven");
                seen.fetch_add(n, Ordering::Relaxed);
            })
        }));
        assert!(result.is_err());
        assert_eq!(seen.load(Ordering::Relaxed), 99 * 50 - 7);
        assert_eq!(prime_all(0..3, |_| ()), 3);
        assert_eq!(prime_all(core::iter::empty::<u8>(), |_| ()), 0);
    }
}
