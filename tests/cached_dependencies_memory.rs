//! Dependencies take memory for what is there, not for what was: a million of them come and go.

mod live_bytes;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use live_bytes::live_bytes;
use perfkit::cache::{depends_on_tag, invalidate_tag};
use perfkit::cached;

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
    let warm = live_bytes();
    (3..8).for_each(|n| round(n * 50_000));
    let after = live_bytes();
    assert!(after < warm + 300_000, "{warm} bytes were live, and {after} are now");
    let results = base::stats().loads + middle::stats().loads + outer::stats().loads;
    assert!(results > 1_000_000, "{results}");
    // What nothing depends on any more takes next to nothing.
    clear();
    let empty = live_bytes();
    (8..10).for_each(|n| round(n * 50_000));
    clear();
    let again = live_bytes();
    assert!((again - empty).abs() < 100_000, "{empty} {again}");
}
