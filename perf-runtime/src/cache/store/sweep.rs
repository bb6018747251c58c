//! Entries that end, looked after by the sweeper.

use core::time::Duration;

use super::super::sweeper::{self, Sweep};
use super::Store;
use crate::sync::Ordering;

impl<K: Send + Sync, S: Send + Sync, R: Send + Sync> Sweep for Store<K, S, R> {
    fn sweep(&self) -> bool {
        /// Entries that are looked at with the lock held.
        const AT_ONCE: usize = 256;
        for shard in &self.shards {
            let mut left = shard.lock().writer.len;
            while left > 0 {
                let mut locked = shard.lock();
                let swept = self.sweep_shard(&mut locked.writer, self.now(), AT_ONCE.min(left));
                drop(self.unlock(locked, true));
                // What was touched goes to the end of the queue, so all of them are to be looked at; otherwise the first that is not over ends it.
                left = if swept > 0 || self.idle < u64::MAX { left.saturating_sub(AT_ONCE) } else { 0 };
            }
        }
        // Before the last look: what comes after it asks for another watch.
        self.is_watched.store(false, Ordering::SeqCst);
        self.len.load(Ordering::SeqCst) > 0 && !self.is_watched.swap(true, Ordering::SeqCst)
    }

    fn life(&self) -> Duration {
        let life = self.limits.ttl.unwrap_or(Duration::MAX).min(self.limits.tti.unwrap_or(Duration::MAX));
        life.saturating_add(self.limits.stale.max(self.limits.stale_if_error))
    }
}

impl<K: Send + Sync + 'static, S: Send + Sync + 'static, R: Send + Sync + 'static> Store<K, S, R> {
    /// Has entries that are over removed, as there is one that ends.
    #[inline]
    pub(in super::super) fn watch(&'static self) {
        if self.is_timed
            && !self.is_watched.load(Ordering::Relaxed)
            && !self.is_watched.swap(true, Ordering::SeqCst)
        {
            sweeper::watch(self);
        }
    }
}
