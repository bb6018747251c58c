//! A place for one entry: a key and its result, at an address that stays as long as the cache.
//!
//! A *slot* is a place's number. Places come in chunks, so that making room moves nothing: other threads read without a lock. Everything but
//! `uses` is written under the shard's lock; the key before the place is shown to anybody, the result by whoever computes it.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use super::policy::MOST_USES;
use crate::sync::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// The key is there.
pub(super) const KEY: u8 = 1;
/// The result is there.
pub(super) const VALUE: u8 = 2;
/// It is an entry of the cache.
pub(super) const KEPT: u8 = 4;
/// Its result is being computed, and will be kept.
pub(super) const ALOFT: u8 = 8;
/// The computation may be waited for.
pub(super) const SHARED: u8 = 16;

/// See the module.
pub(super) struct Node<K, S> {
    /// The upper half of the key's hash.
    pub(super) tag: AtomicU32,
    /// Greater for what began later, in one shard; it wraps.
    pub(super) serial: AtomicU32,
    /// Who holds it, other than the table and readers.
    pub(super) refs: AtomicU32,
    /// An estimate of its size, packed.
    pub(super) weight: AtomicU16,
    state: AtomicU8,
    uses: AtomicU8,
    key: UnsafeCell<MaybeUninit<K>>,
    value: UnsafeCell<MaybeUninit<S>>,
}

// SAFETY: `key` and `value` are written by the one thread that has the place for itself (see the methods) and then shared.
unsafe impl<K: Send + Sync, S: Send + Sync> Sync for Node<K, S> {}

/// When an entry ends.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// In ticks; `u64::MAX` for never.
    pub(super) expires: AtomicU64,
}

impl Times {
    #[inline]
    pub(super) fn is_over(&self, now: u64) -> bool {
        self.expires.load(Ordering::Relaxed) <= now
    }
}

impl<K, S> Node<K, S> {
    pub(super) const fn empty() -> Self {
        Node {
            tag: AtomicU32::new(0),
            serial: AtomicU32::new(0),
            refs: AtomicU32::new(0),
            weight: AtomicU16::new(0),
            state: AtomicU8::new(0),
            uses: AtomicU8::new(0),
            key: UnsafeCell::new(MaybeUninit::uninit()),
            value: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Whether all of these hold.
    #[inline]
    pub(super) fn is(&self, state: u8) -> bool {
        // What was written before the state was is seen.
        self.state.load(Ordering::Acquire) & state == state
    }

    /// Under the lock, as all changes of the state.
    pub(super) fn set(&self, state: u8) {
        self.state.store(self.state.load(Ordering::Relaxed) | state, Ordering::Release);
    }

    pub(super) fn unset(&self, state: u8) {
        self.state.store(self.state.load(Ordering::Relaxed) & !state, Ordering::Release);
    }

    pub(super) fn serial(&self) -> u32 {
        self.serial.load(Ordering::Relaxed)
    }

    /// Whether it began before what has this number.
    pub(super) fn is_before(&self, serial: u32) -> bool {
        (self.serial().wrapping_sub(serial) as i32) < 0
    }

    /// Counts a use. One that was counted often enough is only read, so that threads do not disturb each other at what all of them ask for.
    #[inline]
    pub(super) fn touch(&self) {
        let uses = self.uses.load(Ordering::Relaxed);
        if uses < MOST_USES {
            // Two at a time count as one.
            self.uses.store(uses + 1, Ordering::Relaxed);
        }
    }

    pub(super) fn uses(&self) -> u8 {
        self.uses.load(Ordering::Relaxed)
    }

    pub(super) fn set_uses(&self, uses: u8) {
        self.uses.store(uses, Ordering::Relaxed);
    }

    /// Puts the key in.
    ///
    /// # Safety
    /// The place is empty, and the caller has it for itself.
    pub(super) unsafe fn fill(&self, key: K) {
        // SAFETY: nobody else has it.
        unsafe { (*self.key.get()).write(key) };
        self.state.store(KEY, Ordering::Release);
        self.uses.store(0, Ordering::Relaxed);
        self.refs.store(1, Ordering::Relaxed);
    }

    /// Puts the result in. [`VALUE`] is to be set under the lock.
    ///
    /// # Safety
    /// The caller computes it: nobody else puts it in or reads it before [`VALUE`] is set.
    pub(super) unsafe fn write_value(&self, value: S) {
        // SAFETY: nobody else touches it.
        unsafe { (*self.value.get()).write(value) };
    }

    /// # Safety
    /// The key is there, and stays there: the caller holds the place or reads it.
    #[inline]
    pub(super) unsafe fn key(&self) -> &K {
        // SAFETY: it was put in before anybody else saw the place.
        unsafe { (*self.key.get()).assume_init_ref() }
    }

    /// # Safety
    /// [`VALUE`] was seen, and it stays there: the caller holds the place or reads it.
    #[inline]
    pub(super) unsafe fn value(&self) -> &S {
        // SAFETY: it was put in before `VALUE` was set.
        unsafe { (*self.value.get()).assume_init_ref() }
    }

    /// Takes out what is there.
    ///
    /// # Safety
    /// Nobody else has the place: it is in no table, nobody holds it, nobody reads it.
    pub(super) unsafe fn take(&self) -> Gone<K, S> {
        let (has_key, has_value) = (self.is(KEY), self.is(VALUE));
        self.state.store(0, Ordering::Relaxed);
        // SAFETY: it is there, and after this it no longer counts as there.
        let key = has_key.then(|| unsafe { (*self.key.get()).assume_init_read() });
        // SAFETY: as above.
        let value = has_value.then(|| unsafe { (*self.value.get()).assume_init_read() });
        Gone { _key: key, _value: value }
    }
}

impl<K, S> Drop for Node<K, S> {
    fn drop(&mut self) {
        // SAFETY: it is the caller's alone.
        drop(unsafe { self.take() });
    }
}

/// What was in a place. To be dropped, which is somebody's code, with no lock held.
pub(super) struct Gone<K, S> {
    _key: Option<K>,
    _value: Option<S>,
}
