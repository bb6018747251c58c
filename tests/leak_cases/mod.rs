//! Benchmarks that keep memory, and benchmarks that only seem to. Left out unless asked for: those of the first kind fail.
//!
//! Used by the tests of what the harness finds, and by `benches/trust`, which counts how often.

mod keep;
mod keep_not;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn to_a_thread(run: fn(Receiver<Vec<u8>>)) -> Sender<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || run(receiver));
    sender
}

fn wait_for_a_millisecond() {
    thread::sleep(Duration::from_millis(1));
}

/// Runs `code` while another thread allocates and frees, up to a thousand blocks at a time.
fn beside_another(code: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut blocks: Vec<Vec<u8>> = Vec::with_capacity(1_000);
            let mut random = 1_u64;
            while !is_over.load(Ordering::Relaxed) {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                match (random >> 33) % 1_000 {
                    place if (place as usize) < blocks.len() => drop(blocks.swap_remove(place as usize)),
                    size => blocks.push(Vec::with_capacity(size as usize + 1)),
                }
            }
        });
        code();
        is_over.store(true, Ordering::Relaxed);
    });
}
