//! What values are estimated to own, beside what an allocator that counts was asked for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use perf_runtime::cache::Weigh;

struct Counting;

std::thread_local! {
    /// Bytes that this thread has taken and not given back.
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system's allocator; counting touches a number of this thread and nothing else.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.set(LIVE.get().wrapping_add(layout.size()));
        // SAFETY: the caller's promises are this call's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get().wrapping_sub(layout.size()));
        // SAFETY: the caller's promises are this call's.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Makes a value and compares; off by `percent` at most.
#[track_caller]
fn check<T: Weigh>(percent: usize, make: impl FnOnce() -> T) {
    let before = LIVE.get();
    let value = make();
    let owned = LIVE.get().wrapping_sub(before);
    let estimate = value.heap();
    assert!(
        estimate.abs_diff(owned) * 100 <= owned * percent,
        "{}: {estimate}, and it owns {owned}",
        std::any::type_name::<T>()
    );
    assert_eq!(value.weigh(), size_of::<T>() + estimate);
}

fn words(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("{n} {}", "x".repeat(n * 7 % 50)))
}

#[test]
fn the_estimate_is_what_was_allocated() {
    for count in [0, 1, 10, 1_000, 20_000] {
        check(0, || vec![1_u32; count]);
        check(0, || vec![1_u16; count].into_boxed_slice());
        check(0, || (0..count).collect::<VecDeque<_>>());
        check(0, || (0..count).collect::<BinaryHeap<_>>());
        check(0, || (0..count as u64).map(|n| (n, n)).collect::<HashMap<_, _>>());
        check(0, || (0..count as u64).collect::<HashSet<_>>());
        check(0, || Arc::<[u64]>::from(vec![1; count]));
        check(0, || Some("x".repeat(count)));
        // A few of many are looked at.
        check(5, || words(count).collect::<Vec<_>>());
        check(5, || words(count).map(Box::<str>::from).collect::<VecDeque<_>>());
        check(15, || words(count).map(|word| (word, vec![0_u8; 30])).collect::<HashMap<_, _>>());
    }
    check(0, || (Box::new(5_u64), Rc::new([0_u8; 100]), Arc::<str>::from("shared")));
    check(0, || [Ok(String::from("one")), Err(PathBuf::from("/two"))]);
    check(0, || [Cow::Borrowed("borrowed"), Cow::Owned(String::from("owned"))]);
    check(0, || vec![vec![vec![1_u8; 3]; 10]; 10]);
    // A tree is fuller or less full, by the order in which it was filled.
    for count in [100, 20_000] {
        check(45, || (0..count).map(|n| (n, n)).collect::<BTreeMap<u64, u64>>());
        check(45, || {
            let mut rising = BTreeSet::new();
            (0..count).for_each(|n| _ = rising.insert(n));
            rising
        });
        check(20, || {
            let mut random = BTreeMap::new();
            (0..count).for_each(|n| _ = random.insert(n.wrapping_mul(0x9E37_79B9_7F4A_7C15), [n; 4]));
            random
        });
    }
}
