//! Starting a thread, once: it is two thousand lines of machine code for each kind of work, all of which every user's build would pay for.

use std::thread;

/// Starts a thread of perfkit's; whether there is one.
pub(in super::super) fn spawn(name: &str, work: fn()) -> bool {
    thread::Builder::new().name(String::from(name)).spawn(work).is_ok()
}
