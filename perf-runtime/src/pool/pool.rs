//! Where idle objects wait.
//!
//! A borrower pops from the shard of its thread, then from the others, and only when all of them are empty, which it
//! makes sure of with all locks held, does the factory run. That *miss* is the one moment when objects in use can be
//! more than ever before: whatever is reused later was in use together with all others once. So the peak is exact
//! although the common way counts nothing that threads share.

use core::fmt;
use core::mem;
use std::panic::{self, AssertUnwindSafe};

use super::shard::{SHARDS, Shard, Stack, thread_number};
use super::{PoolStats, Pooled};
use crate::first_use;
use crate::sync::Mutex;

/// The `max_size` of a pool that sets none.
pub const DEFAULT_MAX_SIZE: usize = 1000;

/// Objects of one kind, made by one factory and used again and again.
///
/// `#[pooled]` makes these, and lists them in reports. One made by hand works the same, but is in no report:
///
/// ```
/// use perf_runtime::pool::Pool;
///
/// static BUFFERS: Pool<Vec<u8>> = Pool::new(|| Vec::with_capacity(4096)).max_size(64).reset(Vec::clear);
///
/// let mut buffer = BUFFERS.borrow();
/// buffer.extend_from_slice(b"hello");
/// drop(buffer);
///
/// let buffer = BUFFERS.borrow();
/// assert!(buffer.is_empty() && buffer.capacity() >= 4096);
/// assert_eq!(BUFFERS.stats().hit_ratio(), Some(0.5));
/// ```
pub struct Pool<T> {
    factory: fn() -> T,
    reset: Option<fn(&mut T)>,
    validate: Option<fn(&T) -> bool>,
    max_size: usize,
    /// The shards in use less one; they are a power of two.
    mask: usize,
    prefill: usize,
    shards: [Shard<T>; SHARDS],
    /// Locked before any shard where both are.
    ledger: Mutex<Ledger<T>>,
}

/// What only a miss touches.
struct Ledger<T> {
    /// Objects of `prefill` that were never handed out.
    fresh: Vec<T>,
    /// Room kept for `fresh`, the objects still to be made for it included.
    reserved: usize,
    /// `prefill` was begun.
    opened: bool,
    /// Objects made because none was idle.
    misses: u64,
    /// Objects made by `prefill`.
    prefilled: u64,
    peak_in_use: u64,
}

/// Making a pool. Of `static`s, so all of it is `const`.
impl<T> Pool<T> {
    /// An empty pool of objects made by `factory`, with room for [`DEFAULT_MAX_SIZE`] of them.
    #[must_use]
    pub const fn new(factory: fn() -> T) -> Self {
        Self {
            factory,
            reset: None,
            validate: None,
            max_size: DEFAULT_MAX_SIZE,
            mask: mask(DEFAULT_MAX_SIZE),
            prefill: 0,
            shards: [const { Shard::new() }; SHARDS],
            ledger: Mutex::new(Ledger {
                fresh: Vec::new(),
                reserved: 0,
                opened: false,
                misses: 0,
                prefilled: 0,
                peak_in_use: 0,
            }),
        }
    }

    /// The same pool, keeping at most `max_size` idle objects; what comes back to a full pool is dropped.
    ///
    /// # Panics
    /// If `max_size` is 0; in a `static` that is a compile error.
    #[must_use]
    pub const fn max_size(mut self, max_size: usize) -> Self {
        assert!(max_size > 0, "a pool that keeps nothing is no pool");
        self.max_size = max_size;
        self.mask = mask(max_size);
        self
    }

    /// The same pool, cleaning each object that comes back with `reset`.
    #[must_use]
    pub const fn reset(mut self, reset: fn(&mut T)) -> Self {
        self.reset = Some(reset);
        self
    }

    /// The same pool, dropping each object that comes back and for which `validate` returns `false`. It sees the
    /// object as the borrower left it, before `reset`.
    #[must_use]
    pub const fn validate(mut self, validate: fn(&T) -> bool) -> Self {
        self.validate = Some(validate);
        self
    }

    /// The same pool, making `prefill` objects, but not more than its `max_size`, on the first borrowing.
    #[must_use]
    pub const fn prefill(mut self, prefill: usize) -> Self {
        self.prefill = prefill;
        self
    }
}

/// Using one.
impl<T> Pool<T> {
    /// Borrows an idle object, or a new one if there is none. Never waits for another borrower.
    ///
    /// # Panics
    /// With the factory's panic, if the factory has to run and panics. The call is then not counted, and the next one
    /// tries again.
    #[inline]
    pub fn borrow(&'static self) -> Pooled<T> {
        let idle = self.home().lock().pop();
        Pooled::new(idle.unwrap_or_else(|| self.borrow_elsewhere()), self)
    }

    /// Drops all idle objects and returns how many there were. Those handed out now come back as ever.
    pub fn shrink(&self) -> usize {
        let mut idle: Vec<Vec<T>> =
            self.shards.iter().map(|Shard(stack)| mem::take(&mut stack.lock().idle)).collect();
        let mut ledger = self.ledger.lock();
        let fresh = mem::take(&mut ledger.fresh);
        ledger.reserved -= fresh.len();
        drop(ledger);
        idle.push(fresh);
        idle.iter().map(Vec::len).sum()
    }

    /// What happened up to now, read at one moment.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let ledger = self.ledger.lock();
        let shards = self.shards.each_ref().map(|Shard(stack)| stack.lock());
        let sum = |part: fn(&Stack<T>) -> u64| shards.iter().map(|stack| part(stack)).sum::<u64>();
        let borrowed = sum(|stack| stack.borrowed);
        PoolStats {
            borrowed,
            reused: borrowed - ledger.misses,
            created: ledger.misses + ledger.prefilled,
            returned: sum(|stack| stack.returned),
            discarded: sum(|stack| stack.discarded),
            taken: sum(|stack| stack.taken),
            idle: sum(|stack| stack.idle.len() as u64) + ledger.fresh.len() as u64,
            in_use: in_use(shards.iter().map(|stack| &**stack)),
            peak_in_use: ledger.peak_in_use,
            max_size: self.max_size as u64,
        }
    }

    /// Where the calling thread looks first.
    #[inline]
    fn home(&self) -> &Mutex<Stack<T>> {
        &self.shards[thread_number() & self.mask].0
    }

    /// The thread's own shard was seen empty.
    #[cold]
    fn borrow_elsewhere(&self) -> T {
        self.shards.iter().find_map(|Shard(stack)| stack.lock().pop()).unwrap_or_else(|| self.miss())
    }

    /// Every shard was seen empty.
    fn miss(&self) -> T {
        first_use::announce();
        self.open();
        if let Some(object) = self.pop_or_count_miss() {
            return object;
        }
        // The miss is counted before the factory runs, as others must see that somebody is served.
        let uncount = Uncount(self);
        let object = (self.factory)();
        mem::forget(uncount);
        object
    }

    /// Looks everywhere at one moment; if there is nothing, counts an object as made and handed out.
    fn pop_or_count_miss(&self) -> Option<T> {
        let mut ledger = self.ledger.lock();
        let mut shards = self.shards.each_ref().map(|Shard(stack)| stack.lock());
        // Somebody gave one back since the shards were seen empty.
        if let Some(object) = shards.iter_mut().find_map(|stack| stack.pop()) {
            return Some(object);
        }
        let object = ledger.fresh.pop();
        match object {
            Some(_) => ledger.reserved -= 1,
            None => ledger.misses += 1,
        }
        shards[thread_number() & self.mask].borrowed += 1;
        ledger.peak_in_use = ledger.peak_in_use.max(in_use(shards.iter().map(|stack| &**stack)));
        // Deal out the room that `fresh` does not need. Nothing can come back before the first time.
        let room = self.max_size.saturating_sub(ledger.reserved);
        let count = self.mask + 1;
        for (index, stack) in shards[..count].iter_mut().enumerate() {
            stack.limit = room / count + usize::from(index < room % count);
        }
        object
    }

    /// Makes the objects of `prefill`, once. Other borrowers do not wait: theirs are made for them meanwhile.
    fn open(&self) {
        let mut ledger = self.ledger.lock();
        if mem::replace(&mut ledger.opened, true) {
            return;
        }
        let wanted = self.prefill.min(self.max_size);
        ledger.reserved = wanted;
        drop(ledger);

        let mut unmade = Unmade(self, wanted);
        while unmade.1 > 0 {
            let object = (self.factory)();
            let mut ledger = self.ledger.lock();
            ledger.fresh.push(object);
            ledger.prefilled += 1;
            unmade.1 -= 1;
        }
    }

    /// Takes back an object whose borrower is done with it.
    #[inline]
    pub(super) fn give_back(&self, mut object: T) {
        if !self.is_fit(&mut object) {
            return self.discard(object);
        }
        let kept = self.home().lock().push(object);
        if let Err(object) = kept {
            self.keep_elsewhere(object);
        }
    }

    /// The thread's own shard was seen full.
    #[cold]
    fn keep_elsewhere(&self, mut object: T) {
        for Shard(stack) in &self.shards {
            let kept = stack.lock().push(object);
            match kept {
                Ok(()) => return,
                Err(homeless) => object = homeless,
            }
        }
        self.discard(object);
    }

    /// Whether the object may be used again; cleans it if so. A panic in either step costs the object, nothing else:
    /// it must not escape, since this runs in a `Drop`.
    #[inline]
    fn is_fit(&self, object: &mut T) -> bool {
        if self.validate.is_none() && self.reset.is_none() {
            return true;
        }
        // Nobody sees the object again if this panics, so it does not matter what it looks like then.
        panic::catch_unwind(AssertUnwindSafe(|| {
            if self.validate.is_some_and(|is_valid| !is_valid(object)) {
                return false;
            }
            if let Some(reset) = self.reset {
                reset(object);
            }
            true
        }))
        .unwrap_or(false)
    }

    /// Ends a loan without keeping the object, which is dropped with no lock held.
    #[cold]
    pub(super) fn discard(&self, object: T) {
        self.home().lock().discarded += 1;
        drop(object);
    }

    pub(super) fn note_taken(&self) {
        self.home().lock().taken += 1;
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// Takes back a counted miss whose factory panicked.
struct Uncount<'a, T>(&'a Pool<T>);

impl<T> Drop for Uncount<'_, T> {
    fn drop(&mut self) {
        let mut ledger = self.0.ledger.lock();
        ledger.misses -= 1;
        self.0.home().lock().borrowed -= 1;
    }
}

/// Frees the room kept for objects of `prefill` that a panicking factory did not make.
struct Unmade<'a, T>(&'a Pool<T>, usize);

impl<T> Drop for Unmade<'_, T> {
    fn drop(&mut self) {
        if self.1 > 0 {
            self.0.ledger.lock().reserved -= self.1;
        }
    }
}

/// An object may come back to another shard than it came from, so only all shards together know.
fn in_use<'a, T: 'a>(shards: impl Iterator<Item = &'a Stack<T>> + Clone) -> u64 {
    let borrowed: u64 = shards.clone().map(|stack| stack.borrowed).sum();
    borrowed - shards.map(|stack| stack.returned + stack.discarded + stack.taken).sum::<u64>()
}

/// The largest power of two of shards such that each has room for an object, less one.
const fn mask(max_size: usize) -> usize {
    let shards = if max_size < SHARDS { max_size } else { SHARDS };
    (1 << shards.ilog2()) - 1
}
