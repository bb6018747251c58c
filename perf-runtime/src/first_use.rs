//! Tells who wants to know that perfkit is used for the first time in this process: something instrumented runs, or a report is asked for.
//!
//! The collecting layers call [`announce`] on their cold paths and know nobody who listens; the session puts itself on the list
//! at link time. That is how `PERFKIT=…` works in a program whose code has attributes and nothing else.

use crate::sync::{AtomicBool, Ordering};

/// What to call. It runs on the thread that came first, with no lock held, and must not panic.
pub(crate) struct Listener(pub(crate) fn());

inventory::collect!(Listener);

static ANNOUNCED: AtomicBool = AtomicBool::new(false);

/// Calls every listener, the first time. Not a `Once`: a listener may itself come to instrumented code.
pub(crate) fn announce() {
    // There is one, but before `main` it may not be on the list yet: then this is too early, and not the first time.
    let are_listed = || inventory::iter::<Listener>().next().is_some();
    if !ANNOUNCED.load(Ordering::Relaxed) && are_listed() && !ANNOUNCED.swap(true, Ordering::Relaxed) {
        for Listener(listener) in inventory::iter::<Listener>() {
            listener();
        }
    }
}
