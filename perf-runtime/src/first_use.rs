//! Tells who wants to know that perfkit is used for the first time in this process: something instrumented runs, or a report is asked for.
//!
//! The collecting layers call [`announce`] on their cold paths and know nobody who listens; the session puts itself on the list
//! at link time. That is how `PERFKIT=…` works in a program whose code has attributes and nothing else.

use linkme::distributed_slice;

use crate::sync::{AtomicBool, Ordering};

/// What to call. Listeners run on the thread that came first, with no lock held, and must not panic.
#[distributed_slice]
pub(crate) static LISTENERS: [fn()];

static ANNOUNCED: AtomicBool = AtomicBool::new(false);

/// Calls every listener, the first time. Not a `Once`: a listener may itself come to instrumented code.
pub(crate) fn announce() {
    if !ANNOUNCED.load(Ordering::Relaxed) && !ANNOUNCED.swap(true, Ordering::Relaxed) {
        for listener in LISTENERS {
            listener();
        }
    }
}
