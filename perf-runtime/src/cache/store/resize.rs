//! How many entries a cache keeps, changed while it is used.
//!
//! A larger limit is all that growing takes. A smaller one lets entries give way at once, some from each shard in turn, so that no shard is
//! emptied for the others; what gave way is dropped with no lock held. The places that entries were in stay for those to come.

use super::super::shard::Cause;
use super::{Limits, Store};
use crate::sync::Ordering;

/// Entries that give way in one shard before it is the next one's turn.
const BATCH: usize = 64;

impl<K, S, R> Store<K, S, R> {
    /// Entries at most.
    pub(in super::super) fn max_size(&self) -> usize {
        self.max_size.load(Ordering::Relaxed)
    }

    /// Keeps as many entries at most from now on: one at least.
    pub(in super::super) fn resize(&self, max_size: usize) {
        if self.limits.keeps_nothing() {
            return;
        }
        // Where all entries are of one weight, their number is what bounds their memory.
        let most = self.limits.max_memory.checked_div(self.flat).unwrap_or(u64::MAX);
        let most = usize::try_from(most).unwrap_or(usize::MAX).clamp(1, Limits::LARGEST);
        self.max_size.store(max_size.clamp(1, most), Ordering::SeqCst);
        while self.shrink() {}
    }

    /// Lets some entries of each shard give way, as long as there are too many; whether there may be more to do.
    fn shrink(&self) -> bool {
        let mut is_shrunk = false;
        for shard in &self.shards {
            let over = self.len.load(Ordering::SeqCst).saturating_sub(self.max_size());
            if over == 0 {
                return false;
            }
            let mut locked = shard.lock();
            let before = locked.writer.bytes;
            let evicted = (0..over.min(BATCH)).take_while(|_| locked.writer.evict(Cause::Evicted)).count();
            self.left(evicted, before - locked.writer.bytes);
            is_shrunk |= evicted > 0;
            drop(self.unlock(locked, true));
        }
        is_shrunk
    }
}
