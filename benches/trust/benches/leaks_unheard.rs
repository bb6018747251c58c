//! Calls that keep memory, and calls that do not, in a program whose allocator tells nothing.

#[path = "../../../tests/resident_cases/mod.rs"]
mod resident_cases;

perfkit::bench_main!();
