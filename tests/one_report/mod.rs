//! For tests that look at the one report of their process: one at a time, each from nothing, and the row of one function.

#![allow(dead_code, reason = "who compares whole reports asks for no row")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use perfkit::FunctionRow;

static SERIAL: Mutex<()> = Mutex::new(());

/// Until the guard is dropped no other test measures; what was measured before is forgotten.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    let guard = SERIAL.lock().unwrap_or_else(PoisonError::into_inner);
    perfkit::reset();
    guard
}

/// The row of the function with this path, or end of one.
#[track_caller]
pub(crate) fn row(name: &str) -> FunctionRow {
    let suffix = format!("::{name}");
    let mut rows = perfkit::report().functions.into_iter();
    rows.find(|row| row.name.ends_with(&suffix)).unwrap_or_else(|| panic!("no {name}"))
}
