//! What a shard took out of its table and readers may still use, until none can.
//!
//! A look at all readers is dear where it takes a fence of all threads, so it is for many slots at once, and for all shards of a cache: any
//! look that *began* after something was taken out tells of it. So what leaves comes into an open batch. When that is full it is closed, with a note of the
//! looks that had begun until then, and waits for a later one, which another shard takes as a rule. Only where there was none until the next batch is
//! full, too, the shard looks for itself, for both batches.

use super::super::readers::{InUse, Readers};
use super::table::Table;

#[derive(Debug, Default)]
pub(super) struct Limbo {
    open: Batch,
    closed: Batch,
    /// Looks that had begun when it was closed.
    looks: u64,
    /// So many slots fill the open batch.
    full: usize,
}

/// Taken out at about the same time.
#[derive(Debug, Default)]
struct Batch {
    slots: Vec<u32>,
    /// Tables that were replaced.
    tables: Vec<Table>,
    /// Bytes of the slots, by estimate, where entries are not all of one weight.
    bytes: u64,
}

impl Batch {
    const fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.tables.is_empty()
    }

    /// Takes everything out of another one.
    fn append(&mut self, other: &mut Batch) {
        self.slots.append(&mut other.slots);
        self.tables.append(&mut other.tables);
        self.bytes += core::mem::take(&mut other.bytes);
    }
}

impl Limbo {
    /// A slot was taken out; whether it is time to [sift](Self::sift).
    #[inline]
    pub(super) fn push(&mut self, slot: u32) -> bool {
        self.open.slots.push(slot);
        self.is_full()
    }

    /// Whether it is time to [sift](Self::sift).
    #[inline]
    pub(super) const fn is_full(&self) -> bool {
        self.open.slots.len() >= self.full
    }

    /// What was taken out, or is going to be, has so many bytes.
    pub(super) fn weigh(&mut self, bytes: u64) {
        self.open.bytes += bytes;
    }

    pub(super) fn replace(&mut self, table: Table) {
        self.open.tables.push(table);
    }

    /// Slots in it.
    pub(super) fn len(&self) -> usize {
        self.open.slots.len() + self.closed.slots.len()
    }

    /// Bytes in it.
    pub(super) fn bytes(&self) -> u64 {
        self.open.bytes + self.closed.bytes
    }

    /// Gives slots that nobody uses any more: `at_once` all of them, otherwise those for which it is worth it. From now on `batch` of them are.
    /// `address` says where the node of a slot is.
    pub(super) fn sift(
        &mut self,
        readers: &Readers,
        at_once: bool,
        batch: usize,
        address: impl Fn(u32) -> usize,
        unused: &mut Vec<u32>,
    ) {
        let of_others = if at_once || !readers.are_shared() {
            None
        } else if self.closed.is_empty() {
            Some(InUse::NONE)
        } else {
            readers.in_use_after(self.looks)
        };
        let is_own = of_others.is_none();
        if let Some(in_use) = of_others.or_else(|| readers.in_use()) {
            if is_own {
                self.closed.append(&mut self.open);
            }
            if !in_use.is_empty() {
                let open = &mut self.open.slots;
                self.closed.slots.retain(|slot| {
                    let is_used = in_use.contains(address(*slot));
                    if is_used {
                        open.push(*slot);
                    }
                    !is_used
                });
            }
            unused.append(&mut self.closed.slots);
            for table in self.closed.tables.drain(..) {
                // SAFETY: it was replaced before that look began, which waited for all who read a table.
                unsafe { table.free() };
            }
            self.closed.bytes = 0;
            if !is_own {
                core::mem::swap(&mut self.open, &mut self.closed);
                self.looks = readers.looks();
            }
        }
        self.full = self.open.slots.len() + batch;
    }
}

impl Drop for Limbo {
    fn drop(&mut self) {
        for table in self.open.tables.drain(..).chain(self.closed.tables.drain(..)) {
            // SAFETY: nobody else is here.
            unsafe { table.free() };
        }
    }
}
