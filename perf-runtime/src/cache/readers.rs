//! Who is reading: what lets a hit do without a lock and without a reference count.
//!
//! Each thread has a *record* for each cache that it has asked. In it stands what the thread is doing: nothing, reading the table, or
//! using one entry (a hazard pointer: M. Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects", IEEE TPDS 2004). Whoever has taken an
//! entry out of the table reads all records before its memory is used again: a thread that reads the table now
//! may have seen the entry, one that begins later cannot; one that uses another entry does not mind. So a thread that stands still, also in
//! a user's `Clone`, keeps one entry from being freed and no more.
//!
//! A record is written by its thread alone, so counting hits in it takes no read-modify-write, and is exact.
//! What is read from here must never be waited for with a lock held: the thread may have been stopped.

use core::cell::RefCell;
use std::sync::Arc;

use crate::sync::{AtomicU32, AtomicU64, AtomicUsize, Mutex, Ordering, fence, thread_local, yield_now};

/// In a record: nothing.
const IDLE: usize = 0;
/// In a record: the table is read. No address of an entry is odd.
const READING: usize = 1;

/// What one thread does in one cache, and what it counted there. On cache lines of its own: 128 bytes, because Intel's prefetcher fetches
/// lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Record {
    /// [`IDLE`], [`READING`], or the address of the entry in use.
    doing: AtomicUsize,
    hits: AtomicU64,
    misses: AtomicU64,
    /// Hits that were timed, and how long they took.
    timed: AtomicU64,
    ticks: AtomicU64,
    /// The process whose thread writes it: in one that was forked only the thread that did so goes on.
    process: AtomicU32,
}

/// What threads counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) timed: u64,
    pub(super) ticks: u64,
}

impl Counted {
    fn add(&mut self, record: &Record) {
        self.hits += record.hits.load(Ordering::Relaxed);
        self.misses += record.misses.load(Ordering::Relaxed);
        self.timed += record.timed.load(Ordering::Relaxed);
        self.ticks += record.ticks.load(Ordering::Relaxed);
    }
}

/// One hit in as many is timed.
const TIMED: u64 = 1024;

/// Adds to a counter that this thread alone writes.
#[inline]
fn add(counter: &AtomicU64, number: u64) -> u64 {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(number);
    counter.store(sum, Ordering::Relaxed);
    sum
}

impl Record {
    /// Counts a hit; whether it is one to be timed.
    #[inline]
    pub(super) fn count_hit(&self) -> bool {
        add(&self.hits, 1) % TIMED == 1
    }

    #[inline]
    pub(super) fn count_miss(&self) {
        add(&self.misses, 1);
    }

    pub(super) fn count_time(&self, ticks: u64) {
        add(&self.ticks, ticks);
        add(&self.timed, 1);
    }

    /// Begins to read the table; `None` while this thread uses an entry of this cache, which a user's code then does that was called for it.
    #[inline]
    pub(super) fn read(&self) -> Option<Reading<'_>> {
        if self.doing.load(Ordering::Relaxed) != IDLE {
            return None;
        }
        // To be seen before anything of the table is read. A locked instruction is the cheapest full fence of x86.
        if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
            self.doing.swap(READING, Ordering::SeqCst);
        } else {
            self.doing.store(READING, Ordering::Relaxed);
            fence(Ordering::SeqCst);
        }
        Some(Reading { record: self })
    }
}

/// The table is read, or one entry is used, until this is dropped, also by a panic.
pub(super) struct Reading<'a> {
    record: &'a Record,
}

impl Reading<'_> {
    /// From now on only the entry at this address, which the table showed, is used.
    #[inline]
    pub(super) fn only<T>(&self, entry: *const T) {
        self.record.doing.store(entry.addr(), Ordering::Release);
    }
}

impl Drop for Reading<'_> {
    #[inline]
    fn drop(&mut self) {
        self.record.doing.store(IDLE, Ordering::Release);
    }
}

/// All readers of one cache.
#[derive(Debug)]
pub(super) struct Readers {
    /// What a thread finds its record by.
    number: usize,
    all: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    records: Vec<&'static Record>,
    /// By threads that have ended.
    before: Counted,
}

/// Records of ended threads and of caches that are gone. They are as many as there were at one time.
static FREE: Mutex<Vec<&'static Record>> = Mutex::new(Vec::new());

thread_local! {
    static MINE: RefCell<Mine> = const { RefCell::new(Mine(Vec::new())) };
}

/// A thread's records, by the numbers of the caches.
struct Mine(Vec<Option<(&'static Record, Arc<Readers>)>>);

impl Drop for Mine {
    fn drop(&mut self) {
        for (record, readers) in self.0.drain(..).flatten() {
            readers.leave(record);
        }
    }
}

impl Readers {
    pub(super) fn new() -> Arc<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Arc::new(Readers { number, all: Mutex::new(All::default()) })
    }

    /// This thread's record. `None` on a thread that has ended as far as thread-local storage goes.
    #[inline]
    pub(super) fn mine(self: &Arc<Self>) -> Option<&'static Record> {
        let found = MINE.try_with(|mine| {
            let mine = mine.try_borrow().ok()?;
            mine.0.get(self.number)?.as_ref().map(|(record, _)| *record)
        });
        match found {
            Ok(Some(record)) => Some(record),
            Ok(None) => self.enter(),
            Err(_) => None,
        }
    }

    #[cold]
    #[inline(never)]
    fn enter(self: &Arc<Self>) -> Option<&'static Record> {
        MINE.try_with(|mine| {
            let mut mine = mine.try_borrow_mut().ok()?;
            if mine.0.len() <= self.number {
                mine.0.resize_with(self.number + 1, || None);
            }
            let free = FREE.lock().pop();
            let record = free.unwrap_or_else(|| Box::leak(Box::default()));
            record.process.store(std::process::id(), Ordering::Relaxed);
            self.all.lock().records.push(record);
            mine.0[self.number] = Some((record, Arc::clone(self)));
            Some(record)
        })
        .ok()
        .flatten()
    }

    fn leave(&self, record: &'static Record) {
        let mut all = self.all.lock();
        all.before.add(record);
        all.records.retain(|other| !core::ptr::eq(*other, record));
        drop(all);
        let Record { doing: _, process: _, hits, misses, timed, ticks } = record;
        for counter in [hits, misses, timed, ticks] {
            counter.store(0, Ordering::Relaxed);
        }
        FREE.lock().push(record);
    }

    /// What all threads counted.
    pub(super) fn counted(&self) -> Counted {
        let all = self.all.lock();
        let mut sum = all.before;
        for record in &all.records {
            sum.add(record);
        }
        sum
    }

    /// How many threads may read.
    pub(super) fn len(&self) -> usize {
        self.all.lock().records.len()
    }

    /// What was taken out of the table before this call and is in use nevertheless, by address. `None` if a thread does not come to an end
    /// with its look at the table, because it was stopped in the middle: what was taken out must then be kept for longer.
    pub(super) fn in_use(&self) -> Option<InUse> {
        /// Looks at a record; a look at the table takes as long as a few of them.
        const PATIENCE: u32 = 100;
        // What was taken out is out for everybody who begins to read from here on.
        fence(Ordering::SeqCst);
        let all = self.all.lock();
        let mut in_use = InUse(Vec::new());
        for record in &all.records {
            let mut looks = 0;
            loop {
                match record.doing.load(Ordering::Acquire) {
                    IDLE => break,
                    READING if looks == PATIENCE => {
                        if record.process.load(Ordering::Relaxed) == std::process::id() {
                            return None;
                        }
                        break;
                    }
                    READING => {
                        looks += 1;
                        pause();
                    }
                    entry => {
                        in_use.0.push(entry);
                        break;
                    }
                }
            }
        }
        Some(in_use)
    }
}

/// A moment, for another thread to get on.
fn pause() {
    if cfg!(shuttle) { yield_now() } else { core::hint::spin_loop() }
}

/// Entries that threads use.
pub(super) struct InUse(Vec<usize>);

impl InUse {
    pub(super) fn contains<T>(&self, entry: *const T) -> bool {
        !self.0.is_empty() && self.0.contains(&entry.addr())
    }
}
