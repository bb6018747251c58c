//! Work of which so many units are done as `TRUST_UNITS` says for each kind: of a cost that who starts it knows, for targets that are written here.
#![allow(missing_docs, reason = "a program")]

use perfkit::benchmark;
use perfkit_trust::work::{Kind, do_units, units_told};

#[benchmark(target_us = 10)]
fn arithmetic() -> u64 {
    do_units(Kind::Arithmetic, units_told(Kind::Arithmetic))
}

#[benchmark(target_us = 500)]
fn memory() -> u64 {
    do_units(Kind::Memory, units_told(Kind::Memory))
}

#[benchmark(target_us = 100)]
fn allocation() -> u64 {
    do_units(Kind::Allocation, units_told(Kind::Allocation))
}

perfkit::bench_main!();
