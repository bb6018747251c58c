//! Memory per function, in a program whose allocator tells: figures are exact, so the truth is written down by hand.

mod one_report;

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use one_report::{alone, row};
use perfkit::{Alloc, MemoryUse, profiled};

#[global_allocator]
static ALLOCATOR: Alloc = Alloc::system();

#[track_caller]
fn memory(name: &str) -> MemoryUse {
    row(name).memory.expect("the allocator tells")
}

/// Allocations, bytes and net bytes of the function itself, then with all it called, then the peak.
#[track_caller]
fn assert_memory(name: &str, own: (u64, u64, i64), total: (u64, u64, i64), peak: u64) {
    let memory = memory(name);
    let figures = |requests: perfkit::Requests| (requests.allocations, requests.bytes, requests.net_bytes);
    assert_eq!((figures(memory.own), figures(memory.total), memory.peak_bytes), (own, total, peak), "{name}");
}

fn bytes(len: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(len))
}

#[profiled]
fn keeps() -> Vec<u8> {
    drop(bytes(300));
    bytes(100)
}

#[profiled]
fn outer() -> Vec<u8> {
    let first = bytes(1_000);
    let kept = keeps();
    drop(first);
    drop(bytes(50));
    kept
}

#[test]
fn own_and_total_net_and_peak() {
    let _alone = alone();
    for _ in 0..3 {
        drop(outer());
    }
    assert_memory("keeps", (6, 1_200, 300), (6, 1_200, 300), 300);
    assert_memory("outer", (6, 3_150, 0), (12, 4_350, 300), 1_300);
    let report = perfkit::report();
    let table = report.to_table();
    assert!(table.contains("\nMemory\n") && table.contains("3.08 KiB"), "{table}");
    // By path as well: what `keeps` allocated below `outer`.
    let nodes = report.calls.nodes();
    let name = |node: &perfkit::CallNode| report.calls.functions()[node.function].name.clone();
    let node = nodes.iter().find(|node| name(node).ends_with("::keeps")).unwrap();
    assert!(name(&nodes[node.caller.unwrap()]).ends_with("::outer"));
    assert_eq!((node.allocations, node.bytes), (6, 1_200));
}

#[profiled]
fn grows() {
    let mut growing = bytes(10);
    growing.reserve_exact(100);
    growing.extend([7; 20]);
    growing.shrink_to(40);
    black_box(&growing);
}

#[test]
fn a_reallocation_is_its_difference() {
    let _alone = alone();
    grows();
    // 10, 90 more, 60 less, 40 freed.
    assert_memory("grows", (2, 100, 0), (2, 100, 0), 100);
}

#[profiled]
fn allocates_below(depth: u32) -> Option<Vec<u8>> {
    let here = bytes(10);
    let below = if depth > 0 { allocates_below(depth - 1) } else { None };
    drop(here);
    below
}

#[profiled]
fn ping(depth: u32) {
    let _here = bytes(10);
    if depth > 0 {
        pong(depth - 1);
    }
}

#[profiled]
fn pong(depth: u32) {
    let _here = bytes(100);
    if depth > 0 {
        ping(depth - 1);
    }
}

#[test]
fn a_recursion_counts_once() {
    let _alone = alone();
    allocates_below(9);
    assert_memory("allocates_below", (10, 100, 0), (10, 100, 0), 100);
    ping(3);
    assert_memory("ping", (2, 20, 0), (4, 220, 0), 220);
    assert_memory("pong", (2, 200, 0), (3, 210, 0), 210);
}

#[profiled]
fn frees(what: Vec<u8>) {
    drop(black_box(what));
}

#[profiled]
fn sends() -> Vec<u8> {
    bytes(500)
}

#[test]
fn what_another_thread_frees_is_counted_there() {
    let _alone = alone();
    let what = sends();
    thread::spawn(move || frees(what)).join().unwrap();
    assert_memory("sends", (1, 500, 500), (1, 500, 500), 500);
    assert_memory("frees", (0, 0, -500), (0, 0, -500), 0);
}

#[profiled]
fn allocates_after_a_free(what: Vec<u8>) {
    drop(black_box(what));
    drop(bytes(200));
}

#[test]
fn a_peak_is_above_what_there_was_at_the_beginning() {
    let _alone = alone();
    allocates_after_a_free(bytes(150));
    assert_memory("allocates_after_a_free", (1, 200, -150), (1, 200, -150), 50);
}

/// Pending once.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(
        |_| if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending },
    )
    .await;
}

#[profiled]
async fn waits() -> usize {
    let first = bytes(100);
    yield_once().await;
    let second = bytes(30);
    first.capacity() + second.capacity()
}

#[test]
fn a_future_is_charged_for_its_polls_on_whatever_thread() {
    let _alone = alone();
    let mut future = Box::pin(waits());
    let poll = |future: std::pin::Pin<&mut dyn Future<Output = usize>>| {
        future.poll(&mut Context::from_waker(Waker::noop()))
    };
    assert!(poll(future.as_mut()).is_pending());
    let between = bytes(7_000);
    let ready = thread::spawn(move || poll(pin!(future)) == Poll::Ready(130)).join().unwrap();
    assert!(ready);
    drop(between);
    assert_memory("waits", (2, 130, 0), (2, 130, 0), 100);
}

#[test]
fn a_reset_forgets_what_there_was() {
    let _alone = alone();
    drop(outer());
    perfkit::reset();
    let kept = keeps();
    assert_memory("keeps", (2, 400, 100), (2, 400, 100), 300);
    assert!(!perfkit::report().functions.iter().any(|row| row.name.ends_with("::outer")));
    drop(kept);
}

#[profiled]
fn holds_and_calls(depth: u64, at_the_bottom: &mut dyn FnMut()) {
    let _held = bytes(10);
    if depth > 0 {
        is_between(depth - 1, at_the_bottom);
        // Called again, it begins anew.
        is_between(0, &mut || ());
    } else {
        drop(bytes(7));
        at_the_bottom();
    }
}

#[profiled]
fn is_between(depth: u64, at_the_bottom: &mut dyn FnMut()) {
    holds_and_calls(depth, at_the_bottom);
}

#[test]
fn callers_hold_what_their_callees_do_while_and_after_these_run() {
    let _alone = alone();
    let report = || (memory("holds_and_calls").peak_bytes, memory("is_between").peak_bytes);
    // Neither waiting nor telling asks for memory.
    let stage = &*Box::leak(Box::new(AtomicU8::new(0)));
    let wait_for = |at_least| {
        while stage.load(Ordering::Acquire) < at_least {
            thread::yield_now();
        }
    };
    let thread = thread::spawn(move || {
        holds_and_calls(100, &mut || {
            stage.store(1, Ordering::Release);
            wait_for(2);
        });
    });
    wait_for(1);
    assert_eq!(report(), (1_017, 1_007));
    stage.store(2, Ordering::Release);
    thread.join().unwrap();
    assert_eq!(report(), (1_017, 1_007));
    // Another thread goes on in the same tree.
    perfkit::reset();
    thread::spawn(|| holds_and_calls(3, &mut || ())).join().unwrap();
    assert_eq!(report(), (47, 37));
}

#[profiled]
fn holds_over_a_reset(kept: usize) {
    let kept = bytes(kept);
    drop(bytes(2_000));
    resets();
    drop(bytes(300));
    drop(kept);
}

#[profiled]
fn resets() {
    let held = bytes(5_000);
    perfkit::reset();
    drop(bytes(20));
    drop(held);
}

#[test]
fn a_call_under_way_holds_after_a_reset_what_it_took_since() {
    let _alone = alone();
    for kept in [1_000, 10_000] {
        holds_over_a_reset(kept);
        let freed = -i64::try_from(kept).unwrap();
        assert_memory("resets", (1, 20, -5_000), (1, 20, -5_000), 20);
        assert_memory("holds_over_a_reset", (1, 300, freed), (2, 320, freed - 5_000), 20);
    }
}

#[test]
fn an_operation_holds_no_more_than_it_took() {
    let _alone = alone();
    takes(10_000);
    let ((), report) = perfkit::profile_operation(|| takes(70));
    let row = report.functions.iter().find(|row| row.name.ends_with("::takes")).unwrap();
    assert_eq!(row.memory.unwrap().peak_bytes, 70);
    assert_memory("takes", (2, 10_070, 0), (2, 10_070, 0), 10_000);
}

#[profiled]
fn takes(len: usize) {
    drop(bytes(len));
}

#[test]
fn a_new_path_costs_nobody_any_memory() {
    let _alone = alone();
    #[profiled]
    fn calls_what_is_new() {
        new_leaf();
    }
    #[profiled]
    fn new_leaf() {}
    // Trees, nodes, histograms and a hundred buffers of durations are the profiler's own.
    thread::spawn(|| (0..10_000).for_each(|_| calls_what_is_new())).join().unwrap();
    assert_memory("calls_what_is_new", (0, 0, 0), (0, 0, 0), 0);
    assert_memory("new_leaf", (0, 0, 0), (0, 0, 0), 0);
}

/// Calls what allocates when its thread is past the profiler's own destructor.
struct Last;

impl Drop for Last {
    fn drop(&mut self) {
        drop(bytes(5));
        drop(outer());
    }
}

#[test]
fn a_thread_that_ends_allocates_too() {
    thread_local!(static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) });
    let _alone = alone();
    thread::spawn(|| {
        LAST.with_borrow_mut(|last| *last = Some(Last));
        drop(outer());
    })
    .join()
    .unwrap();
    assert_memory("outer", (4, 2_100, 0), (8, 2_900, 200), 1_300);
}

#[cfg(unix)]
#[test]
fn a_forked_child_allocates_too() {
    let _alone = alone();
    drop(outer());
    // SAFETY: the child only calls what is under test, which takes no lock, and ends without returning.
    let child = unsafe { libc::fork() };
    if child == 0 {
        drop(outer());
        // SAFETY: nothing of the parent's is to be run at the end.
        unsafe { libc::_exit(7) };
    }
    let mut status = 0;
    // SAFETY: `status` is there for the call.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!((libc::WIFEXITED(status), libc::WEXITSTATUS(status)), (true, 7));
    assert_memory("outer", (2, 1_050, 0), (4, 1_450, 100), 1_300);
}

macro_rules! busy {
    ($($name:ident)*) => {
        $(#[profiled] fn $name() { std::thread::sleep(std::time::Duration::from_micros(200)); })*
        fn all_busy() { $($name();)* }
    };
}

busy!(b01 b02 b03 b04 b05 b06 b07 b08 b09 b10 b11 b12 b13 b14 b15 b16 b17 b18 b19 b20 b21 b22);

#[test]
fn an_operation_tells_who_took_longest_and_who_allocated_most() {
    let _alone = alone();
    let ((), report) = perfkit::profile_operation(|| {
        all_busy();
        drop(keeps());
    });
    let is_there = |name: &str| report.functions.iter().any(|row| row.name.ends_with(name));
    assert_eq!(report.functions.len(), 21, "{report}");
    assert!(is_there("::keeps") && report.functions[20].name.ends_with("::keeps"), "{report}");
}

#[test]
fn every_way_to_ask_an_allocator_reaches_the_one_inside() {
    #[derive(Default)]
    struct Log(Mutex<Vec<&'static str>>);
    impl Log {
        fn note(&self, what: &'static str) {
            self.0.lock().unwrap().push(what);
        }
    }
    // SAFETY: as `System`.
    unsafe impl GlobalAlloc for Log {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.note("alloc");
            // SAFETY: the caller's promise.
            unsafe { System.alloc(layout) }
        }
        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            self.note("alloc_zeroed");
            // SAFETY: the caller's promise.
            unsafe { System.alloc_zeroed(layout) }
        }
        unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            self.note("realloc");
            // SAFETY: the caller's promise.
            unsafe { System.realloc(pointer, layout, size) }
        }
        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            self.note("dealloc");
            // SAFETY: the caller's promise.
            unsafe { System.dealloc(pointer, layout) }
        }
    }
    let allocator = Alloc::new(Log::default());
    let layout = Layout::array::<u8>(10).unwrap();
    let larger = Layout::array::<u8>(20).unwrap();
    // SAFETY: the layout has a size.
    let (first, second) = (unsafe { allocator.alloc(layout) }, unsafe { allocator.alloc_zeroed(layout) });
    // SAFETY: it was allocated, with zeros.
    assert_eq!(unsafe { *second }, 0);
    // SAFETY: it was allocated with that layout.
    let first = unsafe { allocator.realloc(first, layout, 20) };
    // SAFETY: it was reallocated to that layout.
    unsafe { allocator.dealloc(first, larger) };
    // SAFETY: it was allocated with that layout.
    unsafe { allocator.dealloc(second, layout) };
    let log = allocator.inner().0.lock().unwrap();
    assert_eq!(*log, ["alloc", "alloc_zeroed", "realloc", "dealloc", "dealloc"]);
}

/// What a constructor, which runs before `main` and before anything of Rust's is set up, saw in the report.
#[cfg(target_os = "linux")]
static BEFORE_MAIN: AtomicU64 = AtomicU64::new(0);

#[cfg(target_os = "linux")]
#[used]
// SAFETY: the section holds functions of this type, which the system calls once.
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

#[cfg(target_os = "linux")]
extern "C" fn constructor() {
    #[profiled]
    fn in_a_constructor() {
        drop(bytes(22));
    }
    drop(bytes(11));
    in_a_constructor();
    let report = perfkit::report();
    let row = report.functions.iter().find(|row| row.name.ends_with("::in_a_constructor"));
    let bytes = row.and_then(|row| row.memory).map_or(0, |memory| memory.own.bytes);
    BEFORE_MAIN.store(bytes, Ordering::Relaxed);
}

#[cfg(target_os = "linux")]
#[test]
fn a_constructor_before_main_allocates_too() {
    assert_eq!(BEFORE_MAIN.load(Ordering::Relaxed), 22);
}
