//! Work that is known to take so long, and nothing.
#![allow(missing_docs, reason = "a program")]

use perfkit::benchmark;
use perfkit_trust::work::{Kind, do_units, lanes, units_told};

#[benchmark]
fn nothing() {}

#[benchmark]
fn ten_nanoseconds() -> u64 {
    lanes()
}

#[benchmark]
fn a_microsecond() -> u64 {
    do_units(Kind::Arithmetic, units_told(Kind::Arithmetic))
}

#[benchmark]
fn a_millisecond() -> u64 {
    do_units(Kind::Arithmetic, 1_000 * units_told(Kind::Arithmetic))
}

perfkit::bench_main!();
