//! One thread's store: what it finds, keeps and removes.
//!
//! It is never borrowed while the user's code runs (`Hash`, `Eq`, `Clone`, `Drop`, the body): an entry is handed out by reference
//! count, looked at, and looked for again where something is to be changed.

use core::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::super::policy::{Details, MOST_USES};
use super::super::store::Limits;
use super::counts::{Counts, Threads};
use super::table::{Candidates, Entry, Run, Table};
use crate::clock;
use crate::sync::Mutex;

/// One thread's entries.
pub(super) struct Store<K, S> {
    pub(super) limits: Limits,
    /// Whether entries end.
    pub(super) is_timed: bool,
    /// Whether a hit is told to the policy.
    pub(super) wants_uses: bool,
    pub(super) threads: &'static Mutex<Threads>,
    pub(super) counts: Arc<Counts>,
    pub(super) entries: RefCell<Table<K, S>>,
}

/// An entry, or what is to be dropped in its place.
pub(super) type First<K, S> = Result<Rc<Entry<K, S>>, Option<Rc<Entry<K, S>>>>;

/// What is to be dropped once nothing is borrowed.
pub(super) type Gone<K, S> = Vec<Rc<Entry<K, S>>>;

impl<K, S> Store<K, S> {
    pub(super) fn now(&self) -> u64 {
        if self.is_timed { clock::now() } else { 0 }
    }

    /// When what is kept, and asked for, now ends at last, and when it ends if nobody asks for it again.
    pub(super) fn ends(&self, now: u64) -> (u64, u64) {
        let end = |time: Option<core::time::Duration>| {
            time.map_or(u64::MAX, |time| now.saturating_add(clock::rate().ticks(time)))
        };
        (end(self.limits.ttl), end(self.limits.tti))
    }

    /// The first entry of a hash, which is that of the key as good as ever; or, where its time is up, what is to be dropped. Counts a hit, if
    /// it is a use.
    #[inline]
    pub(super) fn first(&self, hash: u64, is_use: bool) -> First<K, S> {
        let mut table = self.entries.borrow_mut();
        let table = &mut *table;
        let Some(slot) = table.first.get(&hash).copied() else { return Err(None) };
        let found = &mut table.slots.0[slot as usize];
        let Some(entry) = found.entry.clone() else { return Err(None) };
        if self.is_timed {
            let now = clock::now();
            if found.is_over(now) {
                drop(entry);
                self.counts.expired.add(1);
                let gone = table.take(slot, true);
                self.counts.len.set(table.len);
                return Err(gone);
            }
            if is_use && self.limits.tti.is_some() {
                found.idle = self.ends(now).1;
                let details = Details { expires: found.expires.min(found.idle), weight: 0 };
                table.order.update(slot, &details);
            }
        }
        if is_use {
            // Two keys have one hash so seldom that a use of the wrong one does no harm.
            found.uses.set((found.uses.get() + 1).min(MOST_USES));
            if self.wants_uses {
                table.order.touch(slot);
            }
            self.counts.hits.add(1);
        }
        Ok(entry)
    }

    /// All of a hash, where the first is that of another key.
    #[cold]
    #[inline(never)]
    pub(super) fn others(&self, hash: u64) -> Candidates<K, S> {
        let now = self.now();
        let table = self.entries.borrow();
        let mut candidates = table.candidates(hash);
        candidates.retain(|(slot, _)| !table.slot(*slot).is_over(now));
        candidates
    }

    /// A body begins; the number of the run.
    pub(super) fn begin(&self, hash: u64) -> u64 {
        let mut table = self.entries.borrow_mut();
        let number = table.next_run;
        table.next_run += 1;
        table.runs.push(Run { number, hash, is_void: false });
        number
    }

    /// Removes what is kept of a key, and keeps `entry` in its place; of a run, if it is still to be kept. Whether there was one.
    pub(super) fn settle(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        run: Option<u64>,
        entry: Option<Rc<Entry<K, S>>>,
    ) -> bool {
        let mut seen: Candidates<K, S> = Vec::new();
        let mut same: Vec<bool> = Vec::new();
        let mut gone: Gone<K, S> = Vec::new();
        let mut was_there = false;
        loop {
            let mut table = self.entries.borrow_mut();
            let is_seen = table.chain(hash).count() == seen.len()
                && table
                    .chain(hash)
                    .zip(&seen)
                    .all(|(slot, (other, entry))| slot == *other && table.has(slot, entry));
            if !is_seen {
                let candidates = table.candidates(hash);
                drop(table);
                seen = candidates;
                same = seen.iter().map(|(_, entry)| is(&entry.key)).collect();
                continue;
            }
            if run.is_some_and(|run| !table.end(run)) {
                return false;
            }
            let now = self.now();
            for ((slot, _), _) in seen.iter().zip(&same).filter(|(_, is_same)| **is_same) {
                let is_over = table.slot(*slot).is_over(now);
                was_there |= !is_over;
                if is_over { &self.counts.expired } else { &self.counts.invalidated }.add(1);
                gone.extend(table.take(*slot, true));
            }
            let number = run.unwrap_or(table.next_run);
            table.void(hash, number);
            if let Some(entry) = entry {
                self.sweep(&mut table, now, &mut gone);
                while table.len >= self.limits.max_size {
                    let Table { order, slots, .. } = &mut *table;
                    let Some(slot) = order.evict(slots) else { break };
                    gone.extend(table.take(slot, false));
                    self.counts.evicted.add(1);
                }
                let ends = self.ends(now);
                table.insert(hash, entry, ends);
            }
            self.counts.len.set(table.len);
            drop(table);
            drop(gone);
            return was_there;
        }
    }

    /// Removes some of what is over.
    pub(super) fn sweep(&self, table: &mut Table<K, S>, now: u64, gone: &mut Gone<K, S>) {
        if !self.is_timed {
            return;
        }
        for _ in 0..2 {
            table.hand = if table.hand + 1 < table.slots.0.len() { table.hand + 1 } else { 0 };
            let hand = table.hand as u32;
            if table.slots.0.get(table.hand).is_some_and(|slot| slot.entry.is_some() && slot.is_over(now)) {
                gone.extend(table.take(hand, true));
                self.counts.expired.add(1);
            }
        }
    }

    pub(super) fn clear(&self) -> u64 {
        let mut table = self.entries.borrow_mut();
        let next_run = table.next_run;
        let mut runs = core::mem::take(&mut table.runs);
        for run in &mut runs {
            run.is_void = true;
        }
        let before = core::mem::replace(&mut *table, Table { runs, next_run, ..Table::new(&self.limits) });
        self.counts.invalidated.add(before.len as u64);
        self.counts.len.set(0);
        drop(table);
        let len = before.len as u64;
        drop(before);
        len
    }
}

impl<K, S> Drop for Store<K, S> {
    fn drop(&mut self) {
        let mut threads = self.threads.lock();
        self.counts.len.set(0);
        threads.ended.add(&self.counts.stats());
        threads.ended_ticks += self.counts.load_ticks.get();
        threads.running.retain(|other| !Arc::ptr_eq(other, &self.counts));
    }
}
