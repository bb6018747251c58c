//! What a cache promises about its size and its memory, also where somebody's code panics in the middle.

#![allow(clippy::needless_pass_by_value, reason = "arguments by value are the point")]

use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use perfkit::caches;
use perfkit::{Weigh, cached};

#[test]
fn a_larger_size_takes_no_more_memory_than_it_may() {
    #[cached(max_memory = "8KiB")]
    fn small_and_flat(n: u64) -> u64 {
        n
    }

    let _ = small_and_flat(0);
    caches().find("small_and_flat").unwrap().resize(1_000_000);
    for n in 0..5_000 {
        let _ = small_and_flat(n);
    }
    let stats = small_and_flat::stats();
    // Its key, its result and its place.
    assert!(stats.len * 56 <= 8 << 10, "{} entries", stats.len);
    assert!(stats.max_size * 56 <= 8 << 10, "{} entries", stats.max_size);
}

#[test]
fn a_panic_while_a_cache_shrinks_leaves_it_no_larger_than_it_may_be() {
    static IS_ARMED: AtomicBool = AtomicBool::new(false);

    #[derive(Clone)]
    struct Fragile;

    impl Drop for Fragile {
        fn drop(&mut self) {
            assert!(!IS_ARMED.swap(false, Ordering::SeqCst), "on purpose");
        }
    }

    #[cached(max_size = 400)]
    fn fragile_and_many(_n: u32) -> Fragile {
        Fragile
    }

    (0..400).for_each(|n| drop(fragile_and_many(n)));
    IS_ARMED.store(true, Ordering::SeqCst);
    let shrink = || caches().find("fragile_and_many").unwrap().resize(10);
    assert!(catch_unwind(AssertUnwindSafe(shrink)).is_err());
    (1_000..2_000).for_each(|n| drop(fragile_and_many(n)));
    let len = fragile_and_many::stats().len;
    assert!(len <= 10, "{len} entries");
}

#[test]
fn the_heaviest_weight_is_no_light_one() {
    #[derive(Clone)]
    struct Huge;

    impl Weigh for Huge {
        fn heap(&self) -> usize {
            usize::MAX
        }
    }

    #[cached(max_memory = "1MiB")]
    fn bounded(_n: String) -> Huge {
        Huge
    }

    #[cached(max_size = 10, max_memory = 18_446_744_073_709_551_615)]
    fn as_good_as_unbounded(_n: String) -> Huge {
        Huge
    }

    for n in 0..4 {
        let _ = bounded(n.to_string());
        let _ = as_good_as_unbounded(n.to_string());
    }
    assert_eq!((bounded::stats().len, as_good_as_unbounded::stats().len), (0, 4));
}

#[test]
fn a_panic_of_a_comparison_loses_no_memory() {
    static IS_ARMED: AtomicBool = AtomicBool::new(false);

    /// All have one hash.
    #[derive(Clone, Eq)]
    struct Key(u8);

    impl Hash for Key {
        fn hash<H: Hasher>(&self, _: &mut H) {}
    }

    impl PartialEq for Key {
        fn eq(&self, other: &Key) -> bool {
            assert!(!IS_ARMED.load(Ordering::SeqCst), "on purpose");
            self.0 == other.0
        }
    }

    #[cached]
    fn run(key: Key, result: &Arc<u8>) -> Arc<u8> {
        IS_ARMED.store(key.0 == 2, Ordering::SeqCst);
        Arc::clone(result)
    }

    let result = Arc::new(7);
    let _ = run(Key(1), &result);
    let landing = catch_unwind(AssertUnwindSafe(|| run(Key(2), &result)));
    IS_ARMED.store(false, Ordering::SeqCst);
    assert!(landing.is_err());
    run::cache().clear();
    // The one here, and those of keys, which are the same.
    let mut count = Arc::strong_count(&result);
    assert_eq!(count, 1, "after a landing");
    let _ = run(Key(1), &result);
    IS_ARMED.store(true, Ordering::SeqCst);
    let inserting = catch_unwind(AssertUnwindSafe(|| run::cache().insert((&Key(3), &result), &result)));
    IS_ARMED.store(false, Ordering::SeqCst);
    assert!(inserting.is_err());
    run::cache().clear();
    count = Arc::strong_count(&result);
    assert_eq!(count, 1, "after an insert");
}
