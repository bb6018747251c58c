//! One thread's entries: found by their hash, in slots that the policy knows them by.
//!
//! Nothing in here runs the user's code: keys are compared, and what is taken out is dropped, by the [store](super::store) with no table borrowed.

use core::cell::Cell;
use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;
use std::rc::Rc;

use super::super::policy::{Details, Entries, Order};
use super::super::store::Limits;

/// A key and its result.
pub(super) struct Entry<K, S> {
    pub(super) key: K,
    pub(super) value: S,
}

/// See the module.
pub(super) struct Table<K, S> {
    /// The first slot of each hash.
    pub(super) first: HashMap<u64, u32, BuildHasherDefault<AsItIs>>,
    pub(super) slots: Slots<K, S>,
    pub(super) free: Vec<u32>,
    pub(super) order: Order,
    pub(super) len: usize,
    /// Where the last search for what is over ended.
    pub(super) hand: usize,
    /// The runs of bodies, the innermost last.
    pub(super) runs: Vec<Run>,
    pub(super) next_run: u64,
}

pub(super) struct Slots<K, S>(pub(super) Vec<Slot<K, S>>);

pub(super) struct Slot<K, S> {
    pub(super) entry: Option<Rc<Entry<K, S>>>,
    pub(super) hash: u64,
    /// The next slot of the same hash.
    pub(super) next: Option<u32>,
    pub(super) uses: Cell<u8>,
    /// In ticks: when it ends at last, and when it ends if nobody asks for it.
    pub(super) expires: u64,
    pub(super) idle: u64,
}

impl<K, S> Slot<K, S> {
    pub(super) const fn is_over(&self, now: u64) -> bool {
        self.expires <= now || self.idle <= now
    }
}

/// A body that runs.
pub(super) struct Run {
    pub(super) number: u64,
    pub(super) hash: u64,
    /// Its result is not to be kept: the key was invalidated, or is kept as of a later run.
    pub(super) is_void: bool,
}

/// The hash is one already.
#[derive(Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("it is a number")
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl<K, S> Entries for Slots<K, S> {
    fn uses(&self, slot: u32) -> u8 {
        self.0[slot as usize].uses.get()
    }

    fn set_uses(&self, slot: u32, uses: u8) {
        self.0[slot as usize].uses.set(uses);
    }

    fn hash(&self, slot: u32) -> u32 {
        (self.0[slot as usize].hash >> 32) as u32
    }
}

/// Entries with their slots.
pub(super) type Candidates<K, S> = Vec<(u32, Rc<Entry<K, S>>)>;

impl<K, S> Table<K, S> {
    pub(super) fn new(limits: &Limits) -> Self {
        Table {
            first: HashMap::default(),
            slots: Slots(Vec::new()),
            free: Vec::new(),
            order: Order::new(limits.policy),
            len: 0,
            hand: 0,
            runs: Vec::new(),
            next_run: 0,
        }
    }

    pub(super) fn slot(&self, slot: u32) -> &Slot<K, S> {
        &self.slots.0[slot as usize]
    }

    /// The slots of a hash.
    pub(super) fn chain(&self, hash: u64) -> impl Iterator<Item = u32> + '_ {
        core::iter::successors(self.first.get(&hash).copied(), |slot| self.slot(*slot).next)
    }

    /// The entries of a hash, with their slots.
    pub(super) fn candidates(&self, hash: u64) -> Candidates<K, S> {
        self.chain(hash).filter_map(|slot| Some((slot, Rc::clone(self.slot(slot).entry.as_ref()?)))).collect()
    }

    /// Whether the slot still has the entry.
    pub(super) fn has(&self, slot: u32, entry: &Rc<Entry<K, S>>) -> bool {
        self.slots
            .0
            .get(slot as usize)
            .and_then(|slot| slot.entry.as_ref())
            .is_some_and(|other| Rc::ptr_eq(other, entry))
    }

    /// Empties a slot that the policy knows, or no longer knows.
    pub(super) fn take(&mut self, slot: u32, is_in_order: bool) -> Option<Rc<Entry<K, S>>> {
        let (hash, next) = (self.slot(slot).hash, self.slot(slot).next);
        let before = self.chain(hash).find(|other| self.slot(*other).next == Some(slot));
        match (before, next) {
            (Some(before), _) => self.slots.0[before as usize].next = next,
            (None, Some(next)) => {
                self.first.insert(hash, next);
            }
            (None, None) => {
                self.first.remove(&hash);
            }
        }
        if is_in_order {
            self.order.remove(slot);
        }
        self.free.push(slot);
        self.len -= 1;
        self.slots.0[slot as usize].entry.take()
    }

    pub(super) fn insert(&mut self, hash: u64, entry: Rc<Entry<K, S>>, (expires, idle): (u64, u64)) {
        let next = self.first.get(&hash).copied();
        let filled = Slot { entry: Some(entry), hash, next, uses: Cell::new(0), expires, idle };
        let slot = if let Some(slot) = self.free.pop() {
            self.slots.0[slot as usize] = filled;
            slot
        } else {
            self.slots.0.push(filled);
            (self.slots.0.len() - 1) as u32
        };
        self.first.insert(hash, slot);
        let uses =
            self.order.insert(slot, (hash >> 32) as u32, &Details { expires: expires.min(idle), weight: 0 });
        self.slots.set_uses(slot, uses);
        self.len += 1;
    }

    /// Ends a run; whether its result is to be kept.
    pub(super) fn end(&mut self, number: u64) -> bool {
        let place = self.runs.iter().rposition(|run| run.number == number);
        place.is_some_and(|place| !self.runs.remove(place).is_void)
    }

    /// What runs for the key and began before is not kept.
    pub(super) fn void(&mut self, hash: u64, before: u64) {
        for run in self.runs.iter_mut().filter(|run| run.hash == hash && run.number < before) {
            run.is_void = true;
        }
    }
}
