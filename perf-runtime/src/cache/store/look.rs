//! Looking up: without a lock, and holding what is looked at where that is not enough.

use super::super::readers::{Reading, Record};
use super::super::refresh::{Freshness, random};
use super::super::shard::Writer;
use super::super::shard::held::Held;
use super::super::shard::node::{DERIVED, KEPT, Node, times};
use super::super::shard::table::First;
use super::{Store, tag};
use crate::clock;

/// A look without a lock is not enough.
pub(super) struct Inconclusive;

/// A look for an entry that is good.
pub(super) const PLAIN: u8 = 0;
/// A look for one that may be past its time, as long as it may be handed out.
pub(super) const AHEAD: u8 = 1;
/// A look for a body that depends on what is found: it asks for results that were computed from nothing.
pub(super) const NOTED: u8 = 2;

/// The result, however fresh it is.
pub(super) fn first<T>(found: Option<(T, Freshness)>) -> Option<T> {
    found.map(|found| found.0)
}

impl<K, S, R> Store<K, S, R> {
    /// What `take` makes of the result of the key for which `is` holds. Counts a hit or a miss. After a [glance](Self::glance), which is enough as a
    /// rule.
    #[cold]
    #[inline(never)]
    pub(in super::super) fn find<T>(
        &self,
        hash: u64,
        is: impl Fn(&K) -> bool,
        take: impl Fn(&S) -> T,
    ) -> Option<T> {
        let Some(record) = self.readers.mine() else { return self.find_without_a_record(hash, &is, &take) };
        let found = self.read::<T, PLAIN>(record, hash, &is, &take, true).map(first);
        let found = found.unwrap_or_else(|Inconclusive| self.find_held(hash, &is, &take, true));
        self.count_look(record, hash, &is, found.is_some());
        found
    }

    /// The same; neither counted nor used.
    pub(in super::super) fn peek<T>(
        &self,
        hash: u64,
        is: impl Fn(&K) -> bool,
        take: impl Fn(&S) -> T,
    ) -> Option<T> {
        let found = self
            .readers
            .mine()
            .map(|record| self.read::<T, PLAIN>(record, hash, &is, &take, false).map(first));
        found
            .unwrap_or(Err(Inconclusive))
            .unwrap_or_else(|Inconclusive| self.find_held(hash, &is, &take, false))
    }

    /// Looks without a lock. `MODE` says for what: see [`PLAIN`].
    #[inline]
    pub(super) fn read<T, const MODE: u8>(
        &self,
        record: &Record,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
        is_use: bool,
    ) -> Result<Option<(T, Freshness)>, Inconclusive> {
        let now = self.now();
        let shard = self.shard(hash);
        let Some(reading) = record.read(self.readers.is_fenced()) else { return Err(Inconclusive) };
        // A table that is replaced is freed when nobody reads it any more.
        match shard.table().first::<Node<K, S>>(tag(hash)) {
            First::Nothing => return Ok(None),
            First::Node(address) if !address.is_null() => {
                if let Some(freshness) = self.is_usable::<MODE>(address, hash, now) {
                    return self.use_it::<_, MODE>(&reading, address, hash, freshness, now, is, take, is_use);
                }
            }
            First::Node(_) | First::Further => {}
        }
        self.read_on::<_, MODE>(&reading, hash, now, is, take, is_use)
    }

    /// The same where what it met first was not it.
    #[cold]
    #[inline(never)]
    pub(super) fn read_on<T, const MODE: u8>(
        &self,
        reading: &Reading<'_>,
        hash: u64,
        now: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
        is_use: bool,
    ) -> Result<Option<(T, Freshness)>, Inconclusive> {
        let shard = self.shard(hash);
        for address in shard.table().candidates::<Node<K, S>>(tag(hash)) {
            if let Some(freshness) = self.is_usable::<MODE>(address, hash, now) {
                return self.use_it::<_, MODE>(reading, address, hash, freshness, now, is, take, is_use);
            }
        }
        Ok(None)
    }

    /// Whether what the table showed to a thread that reads is an entry with this tag, and how fresh it is.
    #[inline]
    pub(super) fn is_usable<const MODE: u8>(
        &self,
        address: *const Node<K, S>,
        hash: u64,
        now: u64,
    ) -> Option<Freshness> {
        // SAFETY: nodes live as long as the shard.
        let node = unsafe { &*address };
        if node.tag() != tag(hash) || !node.is(KEPT) {
            return None;
        }
        if !self.is_timed {
            return Some(Freshness::Fresh);
        }
        // SAFETY: entries end, so it has times.
        let times = unsafe { times(address) };
        if MODE != AHEAD {
            return (!times.is_over(now)).then_some(Freshness::Fresh);
        }
        let freshness = self.windows.freshness(now, times.expires(), times.load(), random);
        (!matches!(freshness, Freshness::OnlyIfError | Freshness::Gone)).then_some(freshness)
    }

    /// Compares and clones what is usable.
    #[inline]
    #[allow(clippy::too_many_arguments, reason = "it is a part of `read`")]
    pub(super) fn use_it<T, const MODE: u8>(
        &self,
        reading: &Reading<'_>,
        address: *const Node<K, S>,
        hash: u64,
        freshness: Freshness,
        now: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
        is_use: bool,
    ) -> Result<Option<(T, Freshness)>, Inconclusive> {
        reading.only(address);
        // SAFETY: nodes live as long as the shard.
        let node = unsafe { &*address };
        // SAFETY: it was an entry after this thread had begun to read.
        if !is(unsafe { node.key() }) {
            // Another key has the same tag.
            return Err(Inconclusive);
        }
        if MODE == NOTED && node.is(DERIVED) {
            return Err(Inconclusive);
        }
        if is_use {
            node.touch();
            if self.tells_of_hits() {
                // SAFETY: entries end where it matters, so it has times.
                self.tell_of_hit(hash, node, now, || unsafe { times(address) });
            }
        }
        // SAFETY: as of the key.
        Ok(Some((take(unsafe { node.value() }), freshness)))
    }

    /// The same as [`find`](Self::find), of what is past its time, too, as long as it may be handed out; `true` asks for it to be computed
    /// anew.
    pub(in super::super) fn find_ahead<T>(
        &self,
        hash: u64,
        is: impl Fn(&K) -> bool,
        take: impl Fn(&S) -> T,
    ) -> Option<(T, bool)> {
        let Some(record) = self.readers.mine() else {
            return self.find_without_a_record(hash, &is, &take).map(|found| (found, false));
        };
        let found = self.read::<T, AHEAD>(record, hash, &is, &take, true);
        let found = found.unwrap_or_else(|Inconclusive| {
            self.find_held(hash, &is, &take, true).map(|found| (found, Freshness::Fresh))
        });
        self.count_look(record, hash, &is, found.is_some());
        found.map(|(found, freshness)| (found, freshness != Freshness::Fresh))
    }

    /// Tells of a use of what is held.
    fn tell_held(&self, hash: u64, now: u64, held: &Held<'_, K, S, R>, place: usize) {
        if self.tells_of_hits() {
            // SAFETY: entries end where it matters, so it has times; it is held.
            self.tell_of_hit(hash, held.node(place), now, || unsafe { times(held.address(place)) });
        }
    }

    /// What is past its time and may be handed out where computing it anew fails.
    pub(in super::super) fn find_if_error<T>(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
    ) -> Option<T> {
        let oldest = self.now().saturating_sub(self.windows.stale_if_error);
        let held = self.hold(hash, |writer, slot| writer.is_live(slot, oldest));
        let found = held.value(held.position(is)?).map(take);
        drop(held);
        found
    }

    /// Whether there may be something for [`find_if_error`](Self::find_if_error).
    #[inline]
    pub(in super::super) fn is_stale_if_error(&self) -> bool {
        self.windows.stale_if_error > 0
    }

    /// Holds what has the tag and passes a test.
    pub(super) fn hold(&self, hash: u64, test: impl Fn(&Writer<K, S, R>, u32) -> bool) -> Held<'_, K, S, R> {
        let locked = self.shard(hash).lock();
        let writer = &*locked.writer;
        let slots = writer.slots(tag(hash)).filter(|slot| test(writer, *slot)).collect();
        locked.hold(slots, &self.readers)
    }

    /// Looks at what it holds: for a thread whose record says something else, and where several keys have one tag.
    #[cold]
    #[inline(never)]
    pub(super) fn find_held<T>(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
        is_use: bool,
    ) -> Option<T> {
        self.look_held(hash, is, |held, place| held.value(place).map(take), is_use)
    }

    /// What `look` makes of the entry with the key for which `is` holds, which is held meanwhile: it has this place among them.
    pub(super) fn look_held<T>(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        look: impl FnOnce(&Held<'_, K, S, R>, usize) -> Option<T>,
        is_use: bool,
    ) -> Option<T> {
        let now = self.now();
        let held = self.hold(hash, |writer, slot| writer.is_live(slot, now));
        let place = held.position(is)?;
        if is_use {
            held.node(place).touch();
            self.tell_held(hash, now, &held, place);
        }
        let found = look(&held, place);
        drop(held);
        found
    }

    /// On a thread that has ended as far as thread-local storage goes.
    #[cold]
    #[inline(never)]
    pub(super) fn find_without_a_record<T>(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
    ) -> Option<T> {
        let found = self.find_held(hash, is, take, true);
        let counts = &mut self.shard(hash).lock().writer.counts;
        counts.hits += u64::from(found.is_some());
        counts.misses += u64::from(found.is_none());
        found
    }

    /// Counts a look that was a use, and times one hit of many.
    #[inline]
    pub(super) fn count_look(&self, record: &Record, hash: u64, is: &impl Fn(&K) -> bool, is_hit: bool) {
        if !is_hit {
            self.missed(record, hash);
        } else if record.count_hit() {
            self.time_a_hit(record, hash, is);
        }
    }

    /// Looks again, with a clock.
    #[cold]
    #[inline(never)]
    fn time_a_hit(&self, record: &Record, hash: u64, is: &impl Fn(&K) -> bool) {
        let start = clock::now();
        let found = self.read::<_, PLAIN>(record, hash, is, &|_| (), false);
        let ticks = clock::now().saturating_sub(start);
        if let Ok(Some(_)) = found {
            record.count_time(ticks);
        }
    }
}
