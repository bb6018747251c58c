//! All requests to the allocator, counted for the thread and for the process, while somebody watches: what a benchmark's calls allocate, and what they keep.
//!
//! A request is counted as it comes, whatever function it is made in and whether that is profiled. What perfkit itself allocates is not counted. Who does not
//! watch pays nothing for it (see [`profile`]); nothing here allocates, or panics, since an allocator calls it.

use core::cell::Cell;
use core::hint::black_box;

use crate::profile;
use crate::sync::{AtomicI64, AtomicU64, Mutex, Ordering, thread_local};

/// How many watch.
static WATCHES: Mutex<u32> = Mutex::new(0);

thread_local! {
    static OF_THREAD: Cell<Counts> = const { Cell::new(Counts::NONE) };
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static ALLOCATED: AtomicU64 = AtomicU64::new(0);
static BLOCKS: AtomicI64 = AtomicI64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// What was counted up to a moment. Only differences mean anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests for memory: new blocks, and blocks that were made larger.
    pub allocations: u64,
    /// The bytes of these.
    pub allocated: u64,
    /// Blocks allocated less blocks freed.
    pub blocks: i64,
    /// Bytes allocated less bytes freed.
    pub bytes: i64,
    /// The most that `bytes` was since [`Watch::begin_peak`].
    pub peak: i64,
}

impl Counts {
    const NONE: Counts = Counts { allocations: 0, allocated: 0, blocks: 0, bytes: 0, peak: 0 };
}

/// Requests are counted while this lives.
#[derive(Debug)]
pub struct Watch(());

impl Watch {
    /// `None` where the program's allocator is no [`Alloc`](super::Alloc), which nobody hears of.
    #[must_use]
    pub fn begin() -> Option<Self> {
        let mut watches = WATCHES.lock();
        *watches += 1;
        profile::set_watched(true);
        drop(watches);
        let watch = Watch(());
        let before = Self::of_thread().allocations;
        drop(black_box(Box::new(0_u8)));
        (Self::of_thread().allocations != before).then_some(watch)
    }

    /// What this thread asked for.
    #[must_use]
    pub fn of_thread() -> Counts {
        OF_THREAD.try_with(Cell::get).unwrap_or_default()
    }

    /// What all threads asked for.
    #[must_use]
    pub fn of_process() -> Counts {
        Counts {
            allocations: ALLOCATIONS.load(Ordering::Relaxed),
            allocated: ALLOCATED.load(Ordering::Relaxed),
            blocks: BLOCKS.load(Ordering::Relaxed),
            bytes: BYTES.load(Ordering::Relaxed),
            peak: PEAK.load(Ordering::Relaxed),
        }
    }

    /// The peaks of this thread and of the process begin anew.
    pub fn begin_peak() {
        let _ = OF_THREAD.try_with(|counts| {
            let now = counts.get();
            counts.set(Counts { peak: now.bytes, ..now });
        });
        PEAK.store(BYTES.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watches = WATCHES.lock();
        *watches -= 1;
        if *watches == 0 {
            profile::set_watched(false);
        }
    }
}

/// Counts a request of this thread: so many bytes more, or fewer, and as many blocks.
pub(crate) fn note(bytes: i64, blocks: i64) {
    let (requests, allocated) = if bytes > 0 || blocks > 0 { (1, bytes.unsigned_abs()) } else { (0, 0) };
    let _ = OF_THREAD.try_with(|counts| {
        let before = counts.get();
        let now = before.bytes.wrapping_add(bytes);
        counts.set(Counts {
            allocations: before.allocations.wrapping_add(requests),
            allocated: before.allocated.wrapping_add(allocated),
            blocks: before.blocks.wrapping_add(blocks),
            bytes: now,
            peak: before.peak.max(now),
        });
    });
    ALLOCATIONS.fetch_add(requests, Ordering::Relaxed);
    ALLOCATED.fetch_add(allocated, Ordering::Relaxed);
    BLOCKS.fetch_add(blocks, Ordering::Relaxed);
    let now = BYTES.fetch_add(bytes, Ordering::Relaxed).wrapping_add(bytes);
    PEAK.fetch_max(now, Ordering::Relaxed);
}
