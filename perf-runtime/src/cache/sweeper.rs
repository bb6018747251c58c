//! Entries whose time is up leave memory although nobody asks: a thread looks at the caches whose entries end, as long as these have entries.
//!
//! It sleeps for an eighth of the shortest life among them, at least a quarter of a second and at most ten, so that what is over stays for about an
//! eighth of its life longer. It begins with the first entry and ends when all of these caches are empty.

use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::worker::spawn::spawn;

/// A cache whose entries end.
pub(super) trait Sweep: Sync {
    /// Removes what is over; whether there is anything left. With no entries left it may be [watched](watch) again.
    fn sweep(&self) -> bool;

    /// How long entries are good for.
    fn life(&self) -> Duration;
}

struct Watched {
    caches: Vec<&'static dyn Sweep>,
    is_running: bool,
}

static WATCHED: Mutex<Watched> = Mutex::new(Watched { caches: Vec::new(), is_running: false });

#[inline]
fn watched() -> MutexGuard<'static, Watched> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks after a cache from now on. Where no thread can be started its entries leave as others come.
#[inline]
pub(super) fn watch(cache: &'static dyn Sweep) {
    let mut watched = watched();
    watched.caches.push(cache);
    if !core::mem::replace(&mut watched.is_running, true) {
        drop(watched);
        if !spawn("perfkit-cache-sweep", run) {
            self::watched().is_running = false;
        }
    }
}

#[inline]
fn run() {
    let mut caches: Vec<&'static dyn Sweep> = Vec::new();
    loop {
        let mut watched = watched();
        caches.append(&mut watched.caches);
        if caches.is_empty() {
            watched.is_running = false;
            return;
        }
        drop(watched);
        let shortest = caches.iter().map(|cache| cache.life()).min().unwrap_or_default();
        thread::sleep((shortest / 8).clamp(Duration::from_millis(250), Duration::from_secs(10)));
        // Dropping what leaves is somebody's code; the hook has reported its panic.
        caches.retain(|cache| catch_unwind(AssertUnwindSafe(|| cache.sweep())).unwrap_or(true));
    }
}
