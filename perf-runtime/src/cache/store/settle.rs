//! Changing what is kept of a key: computations begin and end, results are put in and taken out.
//!
//! Whatever is done about a key is done under its shard's lock in one step that leaves nothing half done. Keys are compared before, with no lock held; if
//! others with their tag have come meanwhile, all begins anew.

use std::sync::Arc;

use super::super::flight::{Flight, Landing};
use super::super::shard::held::Held;
use super::super::shard::node::{ALOFT, CROWDED, DERIVED, KEPT, Node, REFRESHED, SHARED};
use super::super::shard::{Cause, Gones, Locked, Terms, Writer};
use super::super::weigh::weight::Weight;
use super::{Lead, Store, Turn, tag};
use crate::clock;
use crate::sync::Ordering;

/// What is to become of a key.
#[derive(Clone, Copy)]
pub(super) enum Settlement {
    /// The result in this slot, which the caller holds, is kept.
    Insert(u32),
    /// The same of a flight, as long as it is aloft.
    Land(u32),
    /// What is there is removed, for this flight brought nothing, as long as it is aloft.
    Forget(u32),
    /// What is there is removed.
    Invalidate,
}

impl Settlement {
    pub(super) const fn slot(self) -> Option<u32> {
        match self {
            Settlement::Insert(slot) | Settlement::Land(slot) | Settlement::Forget(slot) => Some(slot),
            Settlement::Invalidate => None,
        }
    }

    pub(super) const fn is_flight(self) -> bool {
        matches!(self, Settlement::Land(_) | Settlement::Forget(_))
    }

    pub(super) const fn has_value(self) -> bool {
        matches!(self, Settlement::Insert(_) | Settlement::Land(_))
    }
}

/// What became of a key.
#[must_use = "what gave way is dropped with it"]
pub(super) struct Settled<K, S, R> {
    pub(super) was_there: bool,
    /// What the result was computed from has changed meanwhile: it is not kept, and not for those who wait.
    pub(super) is_outdated: bool,
    /// Those who wait for the flight that landed.
    pub(super) flight: Option<Arc<Flight<R>>>,
    pub(super) gones: Gones<K, S>,
}

/// What is to be done about a flight that was kept.
#[must_use = "what gave way is dropped with it"]
pub(super) struct Kept<K, S, R> {
    /// Those who wait for it.
    pub(super) flight: Option<Arc<Flight<R>>>,
    pub(super) gones: Gones<K, S>,
}

impl<K, S, R> Store<K, S, R> {
    /// Begins the computation of a key that is not in the cache, if nothing else has its tag; gives the key back otherwise.
    #[inline]
    pub(in super::super) fn lead_alone(&'static self, hash: u64, key: K) -> Result<Lead<K, S, R>, K> {
        let mut locked = self.shard(hash).lock();
        let node = locked.begin_alone(tag(hash), key)?;
        Ok(self.lead(hash, node, locked, true))
    }

    /// Joins the computation of a key that is not in the cache, or begins it; then the key is taken. `None` asks the caller to run the
    /// body for itself.
    #[cold]
    #[inline(never)]
    pub(in super::super) fn join(
        &'static self,
        hash: u64,
        key: &mut Option<K>,
        are_same: impl Fn(&K, &K) -> bool,
    ) -> Option<Turn<K, S, R>> {
        let now = self.now();
        let shard = self.shard(hash);
        let mut seen = Held::none(shard, &self.readers);
        loop {
            let mut locked = shard.lock();
            let writer = &locked.writer;
            let live = |slot: &u32| writer.node(*slot).is(ALOFT | SHARED) || writer.is_live(*slot, now);
            let slots: Vec<u32> = writer.slots(tag(hash)).filter(live).collect();
            // Others with this tag were looked at just now: they are other keys.
            if slots == seen.slots() {
                let slot = locked.fill(tag(hash), key.take()?);
                locked.show(slot, ALOFT | SHARED);
                seen.release(&mut locked.writer);
                return Some(Turn::Lead(self.lead(hash, locked.writer.address(slot), locked, true)));
            }
            if slots.iter().any(|slot| locked.writer.node(*slot).is_crowd_waiting()) {
                return None;
            }
            let held = locked.hold(slots, &self.readers);
            drop(core::mem::replace(&mut seen, held));
            let own = key.as_ref()?;
            let Some(place) = seen.position(&|other| are_same(other, own)) else { continue };
            let held = core::mem::replace(&mut seen, Held::none(shard, &self.readers)).only(place);
            if held.value(0).is_some() {
                if self.is_rejected(hash, &held) {
                    continue;
                }
                return Some(Turn::Found(held));
            }
            let mut locked = shard.lock();
            let slot = held.slots()[0];
            if locked.writer.node(slot).is(ALOFT) {
                let flight = locked.writer.flight(slot);
                return Some(Turn::Follow(flight, held));
            }
            // It ended meanwhile. `held` is let go of after the lock.
        }
    }

    /// Begins a computation that nobody waits for, whatever else is under way.
    pub(in super::super) fn begin(&'static self, hash: u64, key: K) -> Lead<K, S, R> {
        let mut locked = self.shard(hash).lock();
        let slot = locked.fill(tag(hash), key);
        locked.show(slot, ALOFT);
        self.lead(hash, locked.writer.address(slot), locked, false)
    }

    /// Begins to compute an entry anew, unless somebody does or it is gone.
    pub(in super::super) fn begin_refresh(
        &'static self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        key: impl FnOnce() -> K,
    ) -> Option<Lead<K, S, R>> {
        let held = self.hold(hash, |writer, slot| writer.node(slot).is(KEPT));
        let place = held.position(is)?;
        let old = held.only(place);
        let key = key();
        let mut locked = self.shard(hash).lock();
        let node = locked.writer.node(old.slots()[0]);
        if !node.is_only(KEPT, REFRESHED) {
            drop(locked);
            return None;
        }
        node.set(REFRESHED);
        let slot = locked.fill(tag(hash), key);
        // Nobody is to wait for it before it begins.
        locked.show(slot, ALOFT);
        let mut lead = self.lead(hash, locked.writer.address(slot), locked, true);
        lead.old = Some(Box::new(old));
        Some(lead)
    }

    /// The computation in a node.
    #[inline]
    fn lead(
        &'static self,
        hash: u64,
        node: *const Node<K, S>,
        locked: Locked<'_, K, S, R>,
        is_shared: bool,
    ) -> Lead<K, S, R> {
        let stands_for = locked.writer.timed_loads();
        drop(locked);
        Lead {
            store: self,
            hash,
            node,
            is_shared,
            stands_for,
            start: 0,
            is_written: false,
            old: None,
            is_over: false,
        }
    }

    /// Keeps an entry in place of what is there; no computation under way overwrites it.
    pub(in super::super) fn insert(
        &self,
        hash: u64,
        key: K,
        value: S,
        weight: u64,
        is: &impl Fn(&K) -> bool,
    ) {
        let mut locked = self.shard(hash).lock();
        let slot = locked.fill(tag(hash), key);
        // SAFETY: it is in no table, and held by this call.
        unsafe { locked.writer.node(slot).write_value(value) };
        drop(locked);
        let filled = Filled { store: self, hash, slot };
        let settled = self.settle(hash, Settlement::Insert(slot), None, weight, is);
        core::mem::forget(filled);
        self.changed(hash);
        drop(settled);
    }

    /// Removes a key's entry; whether there was one. A computation under way is not kept.
    pub(in super::super) fn invalidate(&self, hash: u64, is: &impl Fn(&K) -> bool) -> bool {
        let settled = self.settle(hash, Settlement::Invalidate, None, 0, is);
        self.changed(hash);
        settled.was_there
    }

    /// Keeps what a flight brought if nothing else has the tag, and nothing else is to be done or asked: as a rule. Otherwise nothing is done.
    #[inline]
    pub(super) fn keep_alone(
        &self,
        hash: u64,
        node: &Node<K, S>,
        ticks: u64,
        weight: u64,
    ) -> Option<Kept<K, S, R>> {
        let now = self.now();
        let terms = self.terms(now, Some((ticks, true)), weight);
        let mut locked = self.shard(hash).lock();
        let writer = &mut *locked.writer;
        if !node.is_only(ALOFT, CROWDED | DERIVED) || writer.is_clogged() {
            return None;
        }
        self.sweep_shard(writer, now, 2);
        self.make_room(writer, &terms).ok()?;
        writer.count_load(ticks, true);
        let flight = writer.land(node, &terms);
        Some(Kept { flight, gones: self.unlock(locked, false) })
    }

    /// Settles a key, and gives up what began earlier and could undo that. `load` is what the run of the body took, and whether its result
    /// is one to keep. Lets go of the slot.
    pub(super) fn settle(
        &self,
        hash: u64,
        settlement: Settlement,
        load: Option<(u64, bool)>,
        weight: u64,
        is: &impl Fn(&K) -> bool,
    ) -> Settled<K, S, R> {
        let now = self.now();
        let terms = &self.terms(now, load, weight);
        let shard = self.shard(hash);
        let mut was_there = false;
        let mut same: Vec<bool> = Vec::new();
        let mut seen = Held::none(shard, &self.readers);
        loop {
            let mut locked = shard.lock();
            let writer = &mut *locked.writer;
            let slot = settlement.slot();
            let is_overtaken =
                settlement.is_flight() && slot.is_some_and(|slot| !writer.node(slot).is(ALOFT));
            if !is_overtaken {
                let others: Vec<u32> = writer.slots(tag(hash)).filter(|other| Some(*other) != slot).collect();
                if others != seen.slots() {
                    let held = locked.hold(others, &self.readers);
                    drop(core::mem::replace(&mut seen, held));
                    same = seen.keys().map(is).collect();
                    continue;
                }
                let serial = match slot {
                    Some(slot) => writer.node(slot).serial(),
                    None => writer.next_serial(),
                };
                for (other, _) in others.iter().zip(&same).filter(|(_, is_same)| **is_same) {
                    if writer.node(*other).is(KEPT) {
                        let is_over = writer.is_over(*other, now);
                        let before = writer.bytes;
                        writer.remove(*other, if is_over { Cause::Expired } else { Cause::Invalidated });
                        self.left(1, before - writer.bytes);
                        was_there |= !is_over;
                    } else if writer.node(*other).is_before(serial) {
                        writer.detach(*other);
                    }
                }
                self.sweep_shard(writer, now, 2);
                if let Some(slot) = slot.filter(|_| settlement.has_value()) {
                    if writer.is_clogged()
                        || self.limits.keeps_nothing()
                        || writer.is_outdated(slot)
                        || terms.weight.bytes() > self.limits.max_memory
                    {
                        writer.node(slot).is(ALOFT).then(|| writer.detach(slot));
                    } else if let Err(cause) = self.make_room(writer, terms) {
                        drop(self.unlock(locked, false));
                        self.evict_anywhere(cause);
                        continue;
                    } else {
                        locked.keep(slot, terms);
                    }
                } else if let Some(slot) = slot {
                    writer.detach(slot);
                }
            }
            let writer = &mut *locked.writer;
            seen.release(writer);
            if let Some((ticks, is_kept)) = load {
                writer.count_load(ticks, is_kept);
            }
            let is_outdated = slot.is_some_and(|slot| writer.is_outdated(slot));
            let flight = slot.and_then(|slot| writer.finish(slot, settlement.has_value()));
            let at_once = matches!(settlement, Settlement::Invalidate);
            return Settled { was_there, is_outdated, flight, gones: self.unlock(locked, at_once) };
        }
    }

    /// Ends a flight whose result, if it has one, is not kept; what is there stays. `ticks` is what the run of the body took, if there was one.
    pub(super) fn end(
        &self,
        hash: u64,
        slot: u32,
        has_value: bool,
        ticks: Option<u64>,
        landing: &Landing<R>,
    ) {
        let mut locked = self.shard(hash).lock();
        let writer = &mut *locked.writer;
        if writer.node(slot).is(ALOFT) {
            writer.detach(slot);
        }
        if let Some(ticks) = ticks {
            writer.count_load(ticks, false);
        }
        let flight = writer.finish(slot, has_value);
        let gones = self.unlock(locked, false);
        if let Some(flight) = flight {
            flight.land(landing.clone().unless_outdated());
        }
        drop(gones);
    }

    /// Sends those who wait for what is held, and is aloft no longer or should not be, back to the beginning.
    pub(in super::super) fn abandon(&self, hash: u64, held: &Held<'_, K, S, R>, flight: &Flight<R>) {
        let locked = self.shard(hash).lock();
        let slot = held.slots()[0];
        if locked.writer.node(slot).is(ALOFT) {
            locked.writer.detach(slot);
        }
        drop(locked);
        flight.land(Landing::Nothing);
    }

    /// Takes a place and the bytes for an entry, for which others of its shard give way. If that is not enough, nothing is taken, and one
    /// of another shard is to leave for this cause.
    #[inline]
    pub(super) fn make_room(&self, writer: &mut Writer<K, S, R>, terms: &Terms) -> Result<(), Cause> {
        if !self.is_flat && !self.make_room_for(writer, terms.weight.bytes()) {
            return Err(Cause::Memory);
        }
        let before = writer.bytes;
        if self.reserve() {
            return Ok(());
        }
        if writer.evict(Cause::Evicted) {
            self.left(0, before - writer.bytes);
            if self.len.load(Ordering::Relaxed) > self.max_size() {
                self.evict_one_more(writer);
            }
            return Ok(());
        }
        self.left(0, terms.weight.bytes());
        Err(Cause::Evicted)
    }

    /// There are more than there may be: others came while the limit became smaller, or it was a panic that ended that.
    #[cold]
    fn evict_one_more(&self, writer: &mut Writer<K, S, R>) {
        let before = writer.bytes;
        if writer.evict(Cause::Evicted) {
            self.left(1, before - writer.bytes);
        }
    }

    fn make_room_for(&self, writer: &mut Writer<K, S, R>, bytes: u64) -> bool {
        let max = self.limits.max_memory;
        if bytes > max {
            return false;
        }
        let mut total = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        while total > max {
            let before = writer.bytes;
            if !writer.evict(Cause::Memory) {
                self.left(0, bytes);
                return false;
            }
            self.left(1, before - writer.bytes);
            total = self.bytes.load(Ordering::Relaxed);
        }
        true
    }

    /// Entries left, and bytes.
    pub(super) fn left(&self, entries: usize, bytes: u64) {
        if entries > 0 {
            self.len.fetch_sub(entries, Ordering::Relaxed);
        }
        if bytes > 0 && !self.is_flat {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// Lets an entry of any shard give way.
    #[cold]
    #[inline(never)]
    pub(super) fn evict_anywhere(&self, cause: Cause) {
        for shard in &self.shards {
            let mut locked = shard.lock();
            let before = locked.writer.bytes;
            if locked.writer.evict(cause) {
                self.left(1, before - locked.writer.bytes);
                drop(self.unlock(locked, false));
                return;
            }
        }
    }

    /// Removes everything; how much there was. No computation under way is kept.
    pub(in super::super) fn clear(&self) -> u64 {
        let (mut removed, mut gones) = (0, Vec::new());
        for shard in &self.shards {
            let mut locked = shard.lock();
            let before = locked.writer.bytes;
            let removed_here = locked.writer.clear();
            self.left(removed_here, before);
            removed += removed_here as u64;
            gones.push(self.unlock(locked, true));
        }
        self.all_changed();
        removed
    }

    /// Lets go of a shard's lock; what is returned is to be dropped. `at_once` asks for all of it that nobody uses.
    #[inline]
    pub(super) fn unlock(&self, locked: Locked<'_, K, S, R>, at_once: bool) -> Gones<K, S> {
        locked.unlock(&self.readers, at_once)
    }

    /// Removes some of a shard's entries whose time is up; how many.
    #[inline]
    pub(super) fn sweep_shard(&self, writer: &mut Writer<K, S, R>, now: u64, most: usize) -> usize {
        if !self.is_timed {
            return 0;
        }
        let before = writer.bytes;
        let swept = writer.sweep(now, self.windows.longest(), self.idle < u64::MAX, most);
        self.left(swept, before - writer.bytes);
        swept
    }

    /// Of an entry whose key and result have so many bytes.
    const fn weight(bytes: u64) -> Weight {
        /// More than there is memory, and so little that sums of it are numbers.
        const HEAVIEST: u64 = 1 << 48;
        let bytes = bytes.saturating_add(Self::PLACE);
        Weight::new(if bytes < HEAVIEST { bytes } else { HEAVIEST })
    }

    /// What becomes of an entry that is kept now.
    #[inline]
    pub(super) fn terms(&self, now: u64, load: Option<(u64, bool)>, weight: u64) -> Terms {
        let weight = if self.is_flat { Weight::new(0) } else { Self::weight(weight) };
        if !self.is_timed {
            return Terms { expires: u64::MAX, ends: u64::MAX, load: 0, weight };
        }
        let ends = now.saturating_add(self.life);
        let load = load.map_or(0, |load| load.0);
        Terms { expires: ends.min(now.saturating_add(self.idle)), ends, load, weight }
    }

    /// Takes a place if there is one left. Either this sees that the cache was made smaller meanwhile, or whoever does that sees the place taken
    /// and, when it has the lock of the shard, the entry in it.
    pub(super) fn reserve(&self) -> bool {
        let mut max = self.max_size();
        let mut len = self.len.load(Ordering::Relaxed);
        while len < max {
            match self.len.compare_exchange_weak(len, len + 1, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => {
                    max = self.max_size.load(Ordering::SeqCst);
                    if len < max {
                        return true;
                    }
                    len = self.len.fetch_sub(1, Ordering::Relaxed) - 1;
                }
                Err(now) => len = now,
            }
        }
        false
    }

    /// Only caches whose entries expire read the clock.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        if self.is_timed { clock::now() } else { 0 }
    }
}

/// A slot with a key and a result, in no table. Where somebody's code panics before it is settled, it is emptied.
struct Filled<'a, K, S, R> {
    store: &'a Store<K, S, R>,
    hash: u64,
    slot: u32,
}

impl<K, S, R> Drop for Filled<'_, K, S, R> {
    fn drop(&mut self) {
        let mut locked = self.store.shard(self.hash).lock();
        let flight = locked.writer.finish(self.slot, true);
        drop(self.store.unlock(locked, false));
        drop(flight);
    }
}
