//! All requests of a program whose allocator tells, counted while somebody watches.

use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use perf_runtime::memory::{Alloc, Counts, Watch};
use perf_runtime::profile::Frame;
use perf_runtime::site::Site;

#[global_allocator]
static ALLOCATOR: Alloc = Alloc::system();

/// What the process asks for is counted here, so one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bytes(len: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(len))
}

/// What this thread asks for in `code`: allocations, their bytes, blocks and bytes that are left, the most bytes at once.
fn asked_for(code: impl FnOnce()) -> (u64, u64, i64, i64, i64) {
    let _watch = Watch::begin().expect("the allocator tells");
    Watch::begin_peak();
    let before = Watch::of_thread();
    code();
    let after = Watch::of_thread();
    difference(before, after)
}

fn difference(before: Counts, after: Counts) -> (u64, u64, i64, i64, i64) {
    (
        after.allocations - before.allocations,
        after.allocated - before.allocated,
        after.blocks - before.blocks,
        after.bytes - before.bytes,
        after.peak - before.bytes,
    )
}

fn all_kinds() {
    drop(bytes(300));
    let mut kept = bytes(10);
    kept.reserve_exact(100);
    kept.shrink_to(40);
    std::mem::forget(black_box(kept));
    drop(black_box(vec![0_u8; 200]));
}

#[test]
fn every_request_counts_in_a_profiled_function_and_outside() {
    let _alone = alone();
    let expected = (4, 300 + 100 + 200, 1, 40, 300);
    assert_eq!(asked_for(all_kinds), expected);
    static SITE: Site = Site::new(|| "profiled", file!(), line!(), 1, 1);
    // The second and third time the path is known, and so is the last call's mark.
    for _ in 0..3 {
        let _frame = Frame::enter(&SITE);
        assert_eq!(asked_for(all_kinds), expected);
        assert_eq!(asked_for(all_kinds), expected);
    }
    assert_eq!(asked_for(|| drop(Frame::enter(&SITE))), (0, 0, 0, 0, 0));
}

#[test]
fn what_another_thread_frees_is_not_kept_by_the_process() {
    let _alone = alone();
    let _watch = Watch::begin().expect("the allocator tells");
    let (mine, all) = (Watch::of_thread(), Watch::of_process());
    thread::spawn({
        let handed = bytes(1_000);
        move || drop(handed)
    })
    .join()
    .unwrap();
    let (_, _, blocks, bytes, _) = difference(mine, Watch::of_thread());
    assert!(blocks >= 1 && bytes >= 1_000, "{blocks} blocks, {bytes} bytes");
    let (allocations, ..) = difference(all, Watch::of_process());
    assert!(allocations >= 1, "{allocations}");
    assert!(Watch::of_process().bytes - all.bytes < 1_000);
}

#[test]
fn nothing_is_counted_when_nobody_watches() {
    let _alone = alone();
    drop(Watch::begin());
    let before = Watch::of_thread();
    drop(bytes(100));
    assert_eq!(before, Watch::of_thread());
}
