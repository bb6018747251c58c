//! Dependencies take memory for what is there, not for what was: a million of them come and go.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use perfkit::cache::{depends_on_tag, invalidate_tag};
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

static NEXT: AtomicU64 = AtomicU64::new(0);

#[cached(max_size = 500)]
fn base(id: u64) -> u64 {
    depends_on_tag("base");
    id + NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cached(max_size = 2_000)]
fn middle(id: u64) -> Arc<u64> {
    Arc::new(base(id % 997) + base(id % 991))
}

#[cached(max_size = 2_000)]
fn outer(id: u64) -> String {
    depends_on_tag(&format!("outer {}", id % 64));
    format!("{} {}", middle(id), middle(id + 1))
}

fn round(from: u64) {
    for id in from..from + 50_000 {
        outer(id);
        match id % 10 {
            0 => _ = base::invalidate(&(id % 997)),
            1 => _ = middle::invalidate(&id),
            2 => _ = outer::invalidate(&id),
            3 if id % 1_000 == 3 => _ = base::clear(),
            4 if id % 100 == 4 => _ = invalidate_tag(&format!("outer {}", id % 64)),
            5 if id % 5_000 == 5 => _ = invalidate_tag("base"),
            _ => {}
        }
    }
}

fn clear() {
    base::clear();
    middle::clear();
    outer::clear();
}

/// One test alone in its process.
#[test]
fn a_million_dependencies_come_and_go() {
    // Each of them is three results and six edges.
    (0..3).for_each(|n| round(n * 50_000));
    let warm = LIVE.load(Ordering::Relaxed);
    (3..8).for_each(|n| round(n * 50_000));
    let after = LIVE.load(Ordering::Relaxed);
    assert!(after < warm + 300_000, "{warm} bytes were live, and {after} are now");
    let results = base::stats().loads + middle::stats().loads + outer::stats().loads;
    assert!(results > 1_000_000, "{results}");
    // What nothing depends on any more takes next to nothing.
    clear();
    let empty = LIVE.load(Ordering::Relaxed);
    (8..10).for_each(|n| round(n * 50_000));
    clear();
    let again = LIVE.load(Ordering::Relaxed);
    assert!((again - empty).abs() < 100_000, "{empty} {again}");
}
