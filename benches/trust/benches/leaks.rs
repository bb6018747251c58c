//! Calls that keep memory, and calls that do not, in a program whose allocator tells.

#[path = "../../../tests/leak_cases/mod.rs"]
mod leak_cases;

#[global_allocator]
static ALLOCATOR: perfkit::Alloc = perfkit::Alloc::system();

perfkit::bench_main!();
