//! `unsafe` functions keep their rules under `#[profiled]`.
#![deny(warnings, unsafe_op_in_unsafe_fn)]
#![allow(missing_docs)]

use perfkit::profiled;

/// # Safety
///
/// `pointer` must be valid.
#[profiled]
unsafe fn read(pointer: *const u8) -> u8 {
    // SAFETY: the caller's promise.
    unsafe { *pointer }
}

/// # Safety
///
/// `pointer` must be valid.
#[profiled]
unsafe fn read_result(pointer: *const u8) -> Result<u8, ()> {
    // SAFETY: the caller's promise.
    let value = unsafe { *pointer };
    if value == 0 { Err(()) } else { Ok(value) }
}

#[test]
fn unsafe_functions_are_counted() {
    let byte = 7;
    // SAFETY: `byte` is alive.
    assert_eq!(unsafe { read(&raw const byte) }, 7);
    // SAFETY: `byte` is alive.
    assert_eq!(unsafe { read_result(&raw const byte) }, Ok(7));
    let report = perfkit::report();
    let mut calls: Vec<_> = report.functions.iter().map(|row| (row.name.as_str(), row.calls)).collect();
    calls.sort_unstable();
    assert_eq!(calls, [("profiled_unsafe::read", 1), ("profiled_unsafe::read_result", 1)]);
}
