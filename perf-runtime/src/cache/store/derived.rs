//! Entries whose results were computed from others: looked up by bodies that take note, and removed when what they came from changes.
//!
//! A result's record lies beside its shard as long as the result does, so that whoever holds the slot finds it, kept or not. Entries
//! that were computed from nothing, which are most, have none, and what is here never sees them.

use super::super::dependency::{Computation, Computed, Finished, Gone, Source};
use super::super::readers::Record;
use super::super::shard::Cause;
use super::super::shard::held::Held;
use super::super::shard::node::{ALOFT, DERIVED, KEPT, VALUE};
use super::super::{cascade, dependency::Reading};
use super::{Inconclusive, Lead, NOTED, Store, first, tag};

impl<K, S, R> Store<K, S, R> {
    /// As [`find`](Store::find), for a body that depends on what is found.
    pub(in super::super) fn find_noted<T>(
        &self,
        reading: Reading,
        hash: u64,
        is: impl Fn(&K) -> bool,
        take: impl Fn(&S) -> T,
    ) -> Option<T> {
        let Some(record) = self.readers.mine() else { return self.find_without_a_record(hash, &is, &take) };
        let found = self.look_noted(reading, Some(record), hash, &is, &take, true);
        self.count_look(record, hash, &is, found.is_some());
        found
    }

    /// As [`peek`](Store::peek), the same. That nothing is there is noted, too.
    pub(in super::super) fn peek_noted<T>(
        &self,
        reading: Reading,
        hash: u64,
        is: impl Fn(&K) -> bool,
        take: impl Fn(&S) -> T,
    ) -> Option<T> {
        let found = self.look_noted(reading, self.readers.mine(), hash, &is, &take, false);
        if found.is_none() {
            reading.of(self.number, hash, None);
        }
        found
    }

    fn look_noted<T>(
        &self,
        reading: Reading,
        record: Option<&Record>,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
        is_use: bool,
    ) -> Option<T> {
        let found =
            record.map_or(Err(Inconclusive), |record| self.read::<T, NOTED>(record, hash, is, take, is_use));
        let (found, computed) = match found {
            Ok(found) => (first(found)?, None),
            Err(Inconclusive) => self.find_derived(hash, is, take, is_use)?,
        };
        reading.of(self.number, hash, computed.as_ref());
        Some(found)
    }

    /// Looks at what it holds.
    fn find_derived<T>(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
        is_use: bool,
    ) -> Option<(T, Option<Computed>)> {
        let look = |held: &Held<'_, K, S, R>, place| {
            let found = held.value(place).map(take)?;
            Some((found, self.computed(hash, held, place)))
        };
        self.look_held(hash, is, look, is_use)
    }

    /// What the result in a slot that is held was computed from, if that is known.
    fn computed(&self, hash: u64, held: &Held<'_, K, S, R>, place: usize) -> Option<Computed> {
        if !held.node(place).is(DERIVED) {
            return None;
        }
        self.shard(hash).lock().writer.computed(held.slots()[place]).cloned()
    }

    /// Whether the result in the first slot that is held landed outdated: whoever found its flight may have called after the change.
    pub(super) fn is_rejected(&self, hash: u64, held: &Held<'_, K, S, R>) -> bool {
        held.node(0).is(DERIVED)
            && !held.node(0).is(KEPT)
            && self.computed(hash, held, 0).is_some_and(|computed| !computed.is_current())
    }

    /// A body has what is held first from another call, which computed it.
    pub(in super::super) fn note(&self, reading: Reading, hash: u64, held: &Held<'_, K, S, R>) {
        if reading.is_noted() {
            reading.of(self.number, hash, self.computed(hash, held, 0).as_ref());
        }
    }

    /// Removes the entry that was computed as `gone` says, if it is there; whether it was.
    pub(in super::super) fn remove(&self, gone: &Gone) -> bool {
        let now = self.now();
        let mut locked = self.shard(gone.hash).lock();
        let writer = &*locked.writer;
        let is_meant = |slot: &u32| {
            writer.node(*slot).is(KEPT) && writer.computed(*slot).is_some_and(|computed| computed.is(gone))
        };
        let Some(slot) = writer.slots(tag(gone.hash)).find(is_meant) else { return false };
        let is_over = writer.is_over(slot, now);
        let before = locked.writer.bytes;
        locked.writer.remove(slot, if is_over { Cause::Expired } else { Cause::Invalidated });
        self.left(1, before - locked.writer.bytes);
        drop(self.unlock(locked, true));
        !is_over
    }

    /// Removes what was computed from a key, whose own entry was changed or removed.
    pub(super) fn changed(&self, hash: u64) {
        cascade::invalidated(Source::Key(self.number, hash));
    }

    /// The same of all keys.
    pub(super) fn all_changed(&self) {
        cascade::invalidated(Source::Function(self.number));
    }
}

impl<K, S, R> Lead<K, S, R> {
    /// The body has ended: what it read.
    #[inline]
    pub(in super::super) fn finish(&self, computation: Computation, reading: Reading) -> Finished {
        if computation.has_read_nothing() && !reading.is_noted() {
            return Finished { computed: None, crowded_out: Vec::new() };
        }
        self.finish_noted(computation, reading)
    }

    #[cold]
    #[inline(never)]
    fn finish_noted(&self, computation: Computation, reading: Reading) -> Finished {
        let finished = computation.finish(self.store.number, self.hash);
        reading.of(self.store.number, self.hash, finished.computed.as_ref());
        finished
    }

    /// What the result, which is about to land, was computed from.
    #[cold]
    pub(super) fn derive(&self, computed: Computed) {
        let mut locked = self.store.shard(self.hash).lock();
        debug_assert!(!self.node().is(VALUE) || !self.node().is(ALOFT));
        locked.writer.derive(self.slot(), computed);
    }
}
