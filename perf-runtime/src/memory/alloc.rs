//! A global allocator that tells the profiler what goes through it.
//!
//! It runs before `main`, after a thread's own end and inside of other allocators: it never allocates, locks or panics, and it hands every
//! request to the allocator inside, whatever the profiler makes of it.

use std::alloc::{GlobalAlloc, Layout, System};

use crate::profile;

/// Wraps any global allocator, so that reports show what each function allocated.
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: perf_runtime::memory::Alloc = perf_runtime::memory::Alloc::system();
/// # fn main() {}
/// ```
///
/// Around another allocator: `static ALLOCATOR: Alloc<MiMalloc> = Alloc::new(MiMalloc);`
///
/// It counts what is allocated and freed while a `#[profiled]` function runs, on the thread where that happens, for the function that runs
/// innermost; and for benchmarks, what their calls allocate and keep. What perfkit itself allocates is not counted. A reallocation that grows is one allocation of the difference; one that shrinks frees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alloc<A = System> {
    inner: A,
}

impl Alloc {
    /// Around the system's allocator, which is Rust's own default.
    #[must_use]
    pub const fn system() -> Self {
        Alloc { inner: System }
    }
}

impl<A> Alloc<A> {
    /// Around `inner`.
    #[must_use]
    pub const fn new(inner: A) -> Self {
        Alloc { inner }
    }

    /// The allocator inside, for what it can say of itself.
    pub const fn inner(&self) -> &A {
        &self.inner
    }
}

// SAFETY: every request goes to `inner` as it came, and what `inner` returns is returned; counting touches none of it and does not unwind.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Alloc<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let pointer = unsafe { self.inner.alloc(layout) };
        if !pointer.is_null() {
            profile::allocated(layout.size());
        }
        pointer
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let pointer = unsafe { self.inner.alloc_zeroed(layout) };
        if !pointer.is_null() {
            profile::allocated(layout.size());
        }
        pointer
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.inner.dealloc(pointer, layout) };
        profile::freed(layout.size());
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        let moved = unsafe { self.inner.realloc(pointer, layout, new_size) };
        if !moved.is_null() {
            match new_size.checked_sub(layout.size()) {
                Some(more) => profile::grown(more),
                None => profile::shrunk(layout.size() - new_size),
            }
        }
        moved
    }
}
