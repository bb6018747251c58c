//! What a result was computed from leaves with it, also where the result itself need not be dropped.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering};

use perfkit::cache::depends_on_tag;
use perfkit::cached;

struct Counting;

static LIVE: AtomicI64 = AtomicI64::new(0);

// SAFETY: every call goes on to the system's allocator; counting touches a number and nothing else.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size().cast_signed() as i64, Ordering::Relaxed);
        // SAFETY: the caller's promises are this call's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size().cast_signed() as i64, Ordering::Relaxed);
        // SAFETY: the caller's promises are this call's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[cached(max_size = 20_000)]
fn tagged(n: u64) -> u64 {
    depends_on_tag(if n.is_multiple_of(2) { "even" } else { "odd" });
    n
}

#[test]
fn a_record_leaves_with_its_result() {
    let _ = tagged(0);
    (0..20_000).for_each(|n| _ = tagged(n));
    let full = LIVE.load(Ordering::Relaxed);
    tagged::clear();
    let empty = LIVE.load(Ordering::Relaxed);
    // Of each at least the record and its edge.
    assert!(full - empty > 20_000 * 100, "{full} bytes were live, and {empty} are now");
}
