//! The computation of a key by whoever leads it, from its beginning to whatever end.

use std::sync::Arc;

use super::super::dependency::Computed;
use super::super::flight::{Flight, Landing};
use super::super::node::{Node, REFRESHED};
use super::super::shard::Held;
use super::super::waits::FlightId;
use super::Store;
use super::settle::Settlement;
use crate::clock;

/// A computation, which ends when this does: also by a panic, or because its future is dropped.
pub(in super::super) struct Lead<K: 'static, S: 'static, R: 'static> {
    pub(super) store: &'static Store<K, S, R>,
    pub(super) hash: u64,
    pub(super) slot: u32,
    pub(super) node: *const Node<K, S>,
    /// Those who wait, if it is a task's.
    pub(super) flight: Option<Arc<Flight<R>>>,
    /// Whether others may wait for it.
    pub(in super::super) is_shared: bool,
    /// How many runs of the body this one is timed for.
    pub(super) stands_for: u64,
    /// When the body began, in ticks.
    pub(super) start: u64,
    /// The entry that is computed anew.
    pub(super) old: Option<Box<Held<'static, K, S, R>>>,
    /// The result is in the slot, but nobody was told.
    pub(super) has_value: bool,
    pub(super) is_over: bool,
}

// SAFETY: it is a slot, which it holds, and a shared reference to its node.
unsafe impl<K: Send + Sync, S: Send + Sync, R: Send + Sync> Send for Lead<K, S, R> {}
// SAFETY: as above.
unsafe impl<K: Send + Sync, S: Send + Sync, R: Send + Sync> Sync for Lead<K, S, R> {}

impl<K, S, R> Lead<K, S, R> {
    pub(in super::super) const fn store(&self) -> &'static Store<K, S, R> {
        self.store
    }

    pub(super) fn node(&self) -> &Node<K, S> {
        // SAFETY: nodes live as long as the store.
        unsafe { &*self.node }
    }

    /// What it is called among all that are under way.
    pub(in super::super) fn id(&self) -> FlightId {
        self.node.addr()
    }

    /// Those who wait for it.
    pub(in super::super) fn flight(&self) -> Arc<Flight<R>> {
        match &self.flight {
            Some(flight) => Arc::clone(flight),
            None => self.store.shard(self.hash).lock().writer.flight(self.slot),
        }
    }

    pub(in super::super) fn key(&self) -> &K {
        // SAFETY: the slot has a key, and is held.
        unsafe { self.node().key() }
    }

    /// The body begins now.
    #[inline]
    pub(in super::super) fn begin(&mut self) {
        if self.stands_for > 0 {
            self.start = clock::now();
        }
    }

    /// What the body took, or is counted for.
    #[inline]
    pub(super) fn ticks(&self) -> u64 {
        if self.stands_for == 0 {
            return 0;
        }
        clock::now().saturating_sub(self.start).saturating_mul(self.stands_for)
    }

    /// Keeps the result, unless the key was settled meanwhile; those who wait have it in any case. Unless what it was `computed` from
    /// has changed: then it is for nobody but the caller.
    #[inline]
    pub(in super::super) fn land(
        mut self,
        value: S,
        weight: u64,
        computed: Option<Computed>,
        are_same: impl Fn(&K, &K) -> bool,
    ) {
        let ticks = self.ticks();
        // SAFETY: this computes it, and does so once.
        unsafe { self.node().write_value(value) };
        // Where comparing keys panics, it is to be dropped.
        self.has_value = true;
        if let Some(computed) = computed {
            self.derive(computed);
        }
        self.settle(Settlement::Land(self.slot), (ticks, weight), Landing::Kept, are_same);
    }

    /// Ends with a result that is not kept: what was there is not what the function returns now.
    pub(in super::super) fn forget(mut self, are_same: impl Fn(&K, &K) -> bool) {
        let ticks = self.ticks();
        self.settle(Settlement::Forget(self.slot), (ticks, 0), Landing::Nothing, are_same);
    }

    pub(super) fn settle(
        &mut self,
        settlement: Settlement,
        (ticks, weight): (u64, u64),
        landing: Landing<R>,
        are_same: impl Fn(&K, &K) -> bool,
    ) {
        let load = Some((ticks, settlement.has_value()));
        let own = self.key();
        let settled = self.store.settle(self.hash, settlement, load, weight, &|key| are_same(key, own));
        self.is_over = true;
        // Before anything of what gave way is dropped, which may take long.
        if let Some(flight) = settled.flight {
            flight.land(if settled.is_outdated { Landing::Nothing } else { landing });
        }
        if !self.is_shared {
            self.store.changed(self.hash);
        }
        drop(settled.gones);
    }

    /// Ends with a result that is for those who wait, and is not kept.
    pub(in super::super) fn share(mut self, value: S) {
        let ticks = self.ticks();
        // SAFETY: this computes it, and does so once.
        unsafe { self.node().write_value(value) };
        self.is_over = true;
        self.store.end(self.hash, self.slot, true, ticks, &Landing::Kept);
    }

    /// Ends without a result for the entry.
    pub(in super::super) fn give_up(mut self, landing: &Landing<R>) {
        self.is_over = true;
        self.store.end(self.hash, self.slot, false, self.ticks(), landing);
    }
}

impl<K, S, R> Drop for Lead<K, S, R> {
    fn drop(&mut self) {
        if !self.is_over {
            self.store.end(self.hash, self.slot, self.has_value, self.ticks(), &Landing::Nothing);
        }
        if let Some(old) = self.old.take() {
            // Where it was not replaced, somebody else may try.
            let locked = self.store.shard(self.hash).lock();
            locked.writer.node(old.slots()[0]).unset(REFRESHED);
            drop(locked);
        }
    }
}
