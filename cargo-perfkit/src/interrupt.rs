//! Ctrl-C: what was made for a comparison is taken away before the program ends, so the signal only sets a flag that every loop looks at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

static WANTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From here on the signals that end a program are taken note of. A second one ends it at once.
pub(crate) fn listen() {
    let wanted = WANTED.get_or_init(Arc::default);
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // In this order, or the first signal would be the second. What cannot be listened to ends the program as ever.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(wanted));
        let _ = signal_hook::flag::register(signal, Arc::clone(wanted));
    }
}

/// Whether the user wants it to end.
pub(crate) fn is_wanted() -> bool {
    WANTED.get().is_some_and(|wanted| wanted.load(Ordering::Relaxed))
}
