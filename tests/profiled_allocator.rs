//! A profiled global allocator: what the profiler itself allocates comes back to it, and must neither wait for itself nor recurse.

use std::alloc::{GlobalAlloc, Layout, System};
use std::thread;

use perfkit::profiled;

struct Counted;

// SAFETY: as `System`.
unsafe impl GlobalAlloc for Counted {
    #[profiled(name = "alloc")]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    #[profiled(name = "dealloc")]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

#[profiled]
fn allocates() -> usize {
    (0..100).map(|n| std::hint::black_box(vec![0_u8; n + 1]).len()).sum()
}

fn calls(name: &str) -> u64 {
    let report = perfkit::report();
    report.functions.iter().find(|row| row.name.ends_with(name)).map_or(0, |row| row.calls)
}

#[test]
fn every_call_of_the_programs_is_measured_on_every_thread() {
    allocates();
    let (before, freed_before) = (calls("alloc"), calls("dealloc"));
    let threads: Vec<_> = (0..4).map(|_| thread::spawn(allocates)).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 5_050);
    }
    assert_eq!(calls("allocates"), 5);
    assert!(calls("alloc") >= before + 400 && calls("dealloc") >= freed_before + 400);
    perfkit::reset();
    allocates();
    let report = perfkit::report();
    assert!(report.to_table().contains("alloc"));
    assert!(!report.to_json().is_empty());
}
