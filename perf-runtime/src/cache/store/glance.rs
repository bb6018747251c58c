//! Hits that are nothing but hits, which is nearly all of them.
//!
//! A glance takes one way and gives up wherever something else would have to be done: then nothing was counted and nothing is held, and a
//! [look](super::look) does it. So it calls nothing, unless comparing and cloning do, and has no need of the stack.

use super::super::handle::Seen;
use super::super::node::{KEPT, Node, times};
use super::super::table::First;
use super::{Store, tag};
use crate::clock;
use crate::sync::Ordering;

impl<K, S, R> Store<K, S, R> {
    /// Counts a miss that a glance saw to be one.
    #[inline]
    pub(in super::super) fn count_nothing(&self, hash: u64) {
        if let Some(record) = self.readers.at_hand() {
            self.missed(record, hash);
        }
    }

    /// Whether a hit is nothing but a hit: nobody is told of it, and the clock that it asks is at hand.
    #[inline]
    pub(in super::super) fn may_glance(&self) -> bool {
        self.on_hit.load(Ordering::Relaxed) == 0
    }

    /// What `take` makes of the result of the key for which `is` holds; counted where it is a hit. It [may](Self::may_glance), and no body
    /// runs on this thread.
    #[inline]
    pub(in super::super) fn glance<T>(
        &self,
        hash: u64,
        is: impl FnOnce(&K) -> bool,
        take: impl FnOnce(&S) -> T,
    ) -> Result<T, Seen> {
        let Some(record) = self.readers.at_hand() else { return Err(Seen::Unclear) };
        let Some(reading) = record.read(self.readers.is_fenced()) else { return Err(Seen::Unclear) };
        // A table that is replaced is freed when nobody reads it any more.
        let address = match self.shard(hash).table().first::<Node<K, S>>(tag(hash)) {
            First::Node(address) if !address.is_null() => address,
            First::Nothing => return Err(Seen::Nothing),
            First::Node(_) | First::Further => return Err(Seen::Unclear),
        };
        // SAFETY: nodes live as long as the shard.
        let node = unsafe { &*address };
        // Its tag may be another one, and then its key is.
        if !node.is(KEPT) {
            return Err(Seen::Unclear);
        }
        if self.is_timed {
            // SAFETY: entries end, so it has times.
            let times = unsafe { times(address) };
            if times.is_over(clock::counter()) {
                return Err(Seen::Unclear);
            }
        }
        reading.only(address);
        // SAFETY: it was an entry after this thread had begun to read.
        if !is(unsafe { node.key() }) || record.is_hit_timed() {
            return Err(Seen::Unclear);
        }
        node.touch();
        // SAFETY: as of the key.
        let taken = take(unsafe { node.value() });
        record.count_hit();
        Ok(taken)
    }
}
