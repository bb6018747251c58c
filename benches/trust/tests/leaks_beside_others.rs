//! Calls that keep memory, and calls that do not, as tests of which others may run at the same time.

#[path = "../../../tests/leak_cases/mod.rs"]
mod leak_cases;

#[global_allocator]
static ALLOCATOR: perfkit::Alloc = perfkit::Alloc::system();
