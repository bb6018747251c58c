//! Who is reading: what lets a hit do without a lock and without a reference count.
//!
//! Each thread has a *record* for each cache that it has asked. In it stands what the thread is doing: nothing, reading the table, or
//! using one entry (a hazard pointer: M. Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects", IEEE TPDS 2004). Whoever has taken an
//! entry out of the table reads all records before its memory is used again: a thread that reads the table now
//! may have seen the entry, one that begins later cannot; one that uses another entry does not mind. So a thread that stands still, also in
//! a user's `Clone`, keeps one entry from being freed and no more.
//!
//! Such a *look* at all records is for all shards of a cache, since each shard's batches are small and its cost is in the fence. Looks are numbered as they
//! begin. Whoever took something out makes that visible, by a fence, and only then notes how many looks have begun ([`Readers::looks`]). A look with
//! a greater number begins after that note was taken: its own fence comes after that of the one who took the thing out, so every
//! thread that it sees idle, or finds using something else, sees the thing gone when it reads next. What such a look did not find in use can therefore not be in
//! use later, however old the look is when somebody asks for it; what it did find in use may be so still, and waits for another look. A look that
//! began before may have passed by a thread that then found the thing in the table: it says nothing.
//!
//! A thread must be seen to read before it reads. In a large cache that is for those to see to who take something out ([`barrier`]), since they can do so
//! for many entries at once; in a small one it takes a locked instruction of each hit.
//!
//! A record is written by its thread alone, so counting hits in it takes no read-modify-write, and is exact.
//! What is read from here must never be waited for with a lock held: the thread may have been stopped.

pub(super) mod barrier;

use core::cell::{Cell, RefCell};
use core::ops::Deref;
use std::sync::Arc;

use crate::sync::{
    AtomicU32, AtomicU64, AtomicUsize, Mutex, Ordering, compiler_fence, fence, thread_local, yield_now,
};

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
/// One miss in as many is one to look at how the cache does.
const LOOKED_AT: u64 = 1024;

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

    /// Whether the next hit is one to be timed.
    #[inline]
    pub(super) fn is_hit_timed(&self) -> bool {
        self.hits.load(Ordering::Relaxed).is_multiple_of(TIMED)
    }

    /// Counts a miss; whether it is one to look at how the cache does.
    #[inline]
    pub(super) fn count_miss(&self) -> bool {
        add(&self.misses, 1).is_multiple_of(LOOKED_AT)
    }

    pub(super) fn count_time(&self, ticks: u64) {
        add(&self.ticks, ticks);
        add(&self.timed, 1);
    }

    /// Begins to read the table; `None` while this thread uses an entry of this cache, which a user's code then does that was called for it.
    /// `is_fenced`: what the cache's [`Register`] says.
    #[inline]
    pub(super) fn read(&self, is_fenced: bool) -> Option<Reading<'_>> {
        if self.doing.load(Ordering::Relaxed) != IDLE {
            return None;
        }
        // To be seen before anything of the table is read.
        if !is_fenced {
            self.doing.store(READING, Ordering::Relaxed);
            compiler_fence(Ordering::SeqCst);
        } else if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
            // The cheapest full fence of these.
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
    is_fenced: bool,
    /// Whether several shards have them.
    are_shared: bool,
    /// Looks at all records that have begun.
    looks: AtomicU64,
    all: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    records: Vec<&'static Record>,
    /// By threads that have ended.
    before: Counted,
    /// The number of the last look that came to its end, and what it found.
    last: (u64, InUse),
}

/// Records of ended threads and of caches that are gone. They are as many as there were at one time.
static FREE: Mutex<Vec<&'static Record>> = Mutex::new(Vec::new());

/// Caches whose records a thread finds at once.
const AT_HAND: usize = 32;

thread_local! {
    /// A thread's records of the first caches, once more: without a destructor, they are there without a question.
    static HAND: [Cell<Option<&'static Record>>; AT_HAND] = const { [const { Cell::new(None) }; AT_HAND] };
    static MINE: RefCell<Mine> = const { RefCell::new(Mine(Vec::new())) };
}

/// A thread's records, by the numbers of the caches.
struct Mine(Vec<Option<(&'static Record, Arc<Readers>)>>);

impl Drop for Mine {
    fn drop(&mut self) {
        let _ = HAND.try_with(|hand| hand.iter().for_each(|record| record.set(None)));
        for (record, readers) in self.0.drain(..).flatten() {
            readers.leave(record);
        }
    }
}

/// A cache's readers, as the cache has them: with the number at hand.
#[derive(Debug)]
pub(super) struct Register {
    number: usize,
    is_fenced: bool,
    readers: Arc<Readers>,
}

impl Register {
    /// `is_large`: the cache has so many entries that many can leave at once. `are_shared`: it has several shards.
    pub(super) fn new(is_large: bool, are_shared: bool) -> Self {
        let readers = Readers::new(is_large, are_shared);
        Register { number: readers.number, is_fenced: readers.is_fenced, readers }
    }

    /// Whether a thread has to see to it itself that it is seen to read.
    #[inline]
    pub(super) const fn is_fenced(&self) -> bool {
        self.is_fenced
    }

    /// This thread's record, if it is at hand.
    #[inline]
    pub(super) fn at_hand(&self) -> Option<&'static Record> {
        if self.number >= AT_HAND {
            return None;
        }
        HAND.try_with(|hand| hand[self.number].get()).ok().flatten()
    }

    /// This thread's record. `None` on a thread that has ended as far as thread-local storage goes.
    #[inline]
    pub(super) fn mine(&self) -> Option<&'static Record> {
        self.at_hand().or_else(|| self.readers.mine())
    }
}

impl Deref for Register {
    type Target = Readers;

    fn deref(&self) -> &Readers {
        &self.readers
    }
}

impl Readers {
    fn new(is_large: bool, are_shared: bool) -> Arc<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let is_fenced = !(is_large && barrier::is_there());
        let (looks, all) = (AtomicU64::new(0), Mutex::new(All::default()));
        Arc::new(Readers { number, is_fenced, are_shared, looks, all })
    }

    #[cold]
    #[inline(never)]
    fn mine(self: &Arc<Self>) -> Option<&'static Record> {
        MINE.try_with(|mine| {
            let mut mine = mine.try_borrow_mut().ok()?;
            if let Some(Some((record, _))) = mine.0.get(self.number) {
                return Some(*record);
            }
            if mine.0.len() <= self.number {
                mine.0.resize_with(self.number + 1, || None);
            }
            follow_forks();
            let free = FREE.lock().pop();
            let record = free.unwrap_or_else(|| Box::leak(Box::default()));
            record.process.store(std::process::id(), Ordering::Relaxed);
            self.all.lock().records.push(record);
            mine.0[self.number] = Some((record, Arc::clone(self)));
            if self.number < AT_HAND {
                let _ = HAND.try_with(|hand| hand[self.number].set(Some(record)));
            }
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

    /// Whether several shards have them, so that one's look is another's, too.
    pub(super) const fn are_shared(&self) -> bool {
        self.are_shared
    }

    /// How many looks have begun, to be noted by who took something out of the table: those that begin later tell of it.
    pub(super) fn looks(&self) -> u64 {
        fence(Ordering::SeqCst);
        self.looks.load(Ordering::Relaxed)
    }

    /// The same as [`in_use`](Self::in_use), if somebody looked who began after so many looks had.
    pub(super) fn in_use_after(&self, looks: u64) -> Option<InUse> {
        let all = self.all.lock();
        (all.last.0 > looks).then(|| all.last.1.clone())
    }

    /// What was taken out of the table before this call and is in use nevertheless, by address. `None` if a thread does not come to an end
    /// with its look at the table, because it was stopped in the middle: what was taken out must then be kept for longer.
    pub(super) fn in_use(&self) -> Option<InUse> {
        /// Looks at a record; a look at the table takes as long as a few of them.
        const PATIENCE: u32 = 100;
        let number = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
        // What was taken out is out for everybody who begins to read from here on.
        fence(Ordering::SeqCst);
        if !self.is_fenced && !barrier::heavy() {
            return None;
        }
        let mut all = self.all.lock();
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
        if self.are_shared && all.last.0 < number {
            all.last = (number, in_use.clone());
        }
        Some(in_use)
    }
}

/// In a process that is forked, the one thread that goes on is a thread of the new one: its records say so.
fn follow_forks() {
    #[cfg(all(unix, not(any(miri, shuttle))))]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();

        unsafe extern "C" fn child() {
            let process = std::process::id();
            let _ = MINE.try_with(|mine| {
                let Ok(mine) = mine.try_borrow() else { return };
                for (record, _) in mine.0.iter().flatten() {
                    record.process.store(process, Ordering::Relaxed);
                }
            });
        }

        ONCE.call_once(|| {
            // SAFETY: it takes the address of a function, which reads and writes what is this thread's. Where there is no memory for it, nothing
            // follows.
            let _ = unsafe { libc::pthread_atfork(None, None, Some(child)) };
        });
    }
}

/// A moment, for another thread to get on.
fn pause() {
    if cfg!(shuttle) { yield_now() } else { core::hint::spin_loop() }
}

/// Entries that threads use, by address.
#[derive(Clone, Debug, Default)]
pub(super) struct InUse(Vec<usize>);

impl InUse {
    pub(super) const NONE: InUse = InUse(Vec::new());

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, entry: usize) -> bool {
        self.0.contains(&entry)
    }
}

#[cfg(all(test, unix, not(any(miri, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn who_forks_is_still_seen_to_read() {
        for is_large in [true, false] {
            let register = Register::new(is_large, true);
            let record = register.mine().unwrap();
            // SAFETY: the child locks nothing that another thread may have locked.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: it takes a number. What hangs ends.
                unsafe { libc::alarm(60) };
                let reading = record.read(register.is_fenced());
                let while_reading = register.in_use().is_some();
                drop(reading);
                let is_right = !while_reading && register.in_use().is_some();
                // SAFETY: it ends the process.
                unsafe { libc::_exit(i32::from(!is_right)) };
            }
            let mut status = 0;
            // SAFETY: the status is there.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "{is_large}");
        }
    }
}
