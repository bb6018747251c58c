//! The computation of a key by whoever leads it, from its beginning to whatever end.

use std::sync::Arc;

use super::super::dependency::Computed;
use super::super::flight::waits::FlightId;
use super::super::flight::{Flight, Landing};
use super::super::shard::held::Held;
use super::super::shard::node::{ALOFT, Node, REFRESHED, SHARED};
use super::Store;
use super::settle::{Kept, Settlement};
use crate::clock;

/// A computation, which ends once: with one of the ways to do so, or else when this is dropped, also by a panic or because its future is dropped.
pub(in super::super) struct Lead<K: 'static, S: 'static, R: 'static> {
    pub(super) store: &'static Store<K, S, R>,
    pub(super) hash: u64,
    pub(super) node: *const Node<K, S>,
    /// Whether others may wait for it.
    pub(in super::super) is_shared: bool,
    /// How many runs of the body this one is timed for.
    pub(super) stands_for: u64,
    /// When the body began, in ticks; 0 before.
    pub(super) start: u64,
    /// Whether the result is in its place.
    pub(super) is_written: bool,
    /// The entry that is computed anew.
    pub(super) old: Option<Box<Held<'static, K, S, R>>>,
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

    #[inline]
    pub(super) fn node(&self) -> &'static Node<K, S> {
        // SAFETY: nodes live as long as the store.
        unsafe { &*self.node }
    }

    pub(super) fn slot(&self) -> u32 {
        self.node().slot()
    }

    /// What it is called among all that are under way.
    pub(in super::super) fn id(&self) -> FlightId {
        self.node.addr()
    }

    /// Those who wait for it.
    pub(in super::super) fn flight(&self) -> Arc<Flight<R>> {
        self.store.shard(self.hash).lock().writer.flight(self.slot())
    }

    pub(in super::super) fn key(&self) -> &K {
        // SAFETY: the slot has a key, and is held.
        unsafe { self.node().key() }
    }

    /// The body begins now.
    #[inline]
    pub(in super::super) fn begin(&mut self) {
        if self.old.is_some() {
            self.begin_shared();
        }
        // Not 0 where nobody wants to know.
        self.start = if self.stands_for > 0 { clock::now().max(1) } else { 1 };
    }

    /// What is computed anew may be waited for from now on. Not before: who runs it may have to wait for one who would wait for this.
    #[cold]
    fn begin_shared(&self) {
        let locked = self.store.shard(self.hash).lock();
        if self.node().is(ALOFT) {
            self.node().set(SHARED);
        }
        drop(locked);
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
        &mut self,
        value: S,
        weight: u64,
        computed: Option<Computed>,
        are_same: impl Fn(&K, &K) -> bool,
    ) {
        let ticks = self.ticks();
        // SAFETY: this computes it, and does so once.
        unsafe { self.node().write_value(value) };
        self.is_written = true;
        if let Some(computed) = computed {
            self.derive(computed);
        }
        match self.store.keep_alone(self.hash, self.node(), ticks, weight) {
            Some(Kept { flight, gones }) => {
                self.is_over = true;
                if let Some(flight) = flight {
                    tell(&flight, Landing::Kept);
                }
                if !self.is_shared {
                    self.store.changed(self.hash);
                }
                drop(gones);
            }
            None => self.settle(Settlement::Land(self.slot()), (ticks, weight), Landing::Kept, are_same),
        }
    }

    /// Ends with a result that is not kept: what was there is not what the function returns now.
    pub(in super::super) fn forget(&mut self, are_same: impl Fn(&K, &K) -> bool) {
        let ticks = self.ticks();
        self.settle(Settlement::Forget(self.slot()), (ticks, 0), Landing::Nothing, are_same);
    }

    #[cold]
    fn settle(
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
            tell(&flight, if settled.is_outdated { Landing::Nothing } else { landing });
        }
        if !self.is_shared {
            self.store.changed(self.hash);
        }
        drop(settled.gones);
    }

    /// Ends with a result that is for those who wait, and is not kept.
    pub(in super::super) fn share(&mut self, value: S) {
        let ticks = self.ticks();
        // SAFETY: this computes it, and does so once.
        unsafe { self.node().write_value(value) };
        self.is_over = true;
        self.store.end(self.hash, self.slot(), true, Some(ticks), &Landing::Kept);
    }

    /// Ends without a result for the entry.
    pub(in super::super) fn give_up(&mut self, landing: &Landing<R>) {
        self.is_over = true;
        self.store.end(self.hash, self.slot(), false, Some(self.ticks()), landing);
    }
}

impl<K, S, R> Lead<K, S, R> {
    /// What is done when it is dropped, if anything is.
    #[cold]
    #[inline(never)]
    fn let_go(&self) {
        // First, as what follows drops somebody's results, which may panic.
        if let Some(old) = &self.old {
            // Where it was not replaced, somebody else may try.
            let locked = self.store.shard(self.hash).lock();
            locked.writer.node(old.slots()[0]).unset(REFRESHED);
            drop(locked);
        }
        if !self.is_over {
            // What was never begun is no run of the body.
            let ticks = (self.start > 0).then(|| self.ticks());
            self.store.end(self.hash, self.slot(), self.is_written, ticks, &Landing::Nothing);
        }
    }
}

impl<K, S, R> Drop for Lead<K, S, R> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_over || self.old.is_some() {
            self.let_go();
        }
    }
}

/// Those who wait for a flight are told.
#[cold]
#[inline(never)]
fn tell<R>(flight: &Flight<R>, landing: Landing<R>) {
    flight.land(landing);
}
