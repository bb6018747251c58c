//! Hits that are nothing but hits, which is nearly all of them.
//!
//! A glance takes one way and gives up wherever something else would have to be done: then nothing was counted and nothing is held, and a
//! [look](super::look) does it. So it calls nothing, unless comparing and cloning do, and has no need of the stack. Where somebody is told of hits the
//! same way is taken apart from the caller, with a call at its end.

use super::super::handle::Seen;
use super::super::shard::node::{KEPT, Node, times};
use super::super::shard::table::First;
use super::{Store, tag};
use crate::clock;
use crate::sync::Ordering;

/// A glance at a cache that tells nobody of hits.
pub(in super::super) const UNTOLD: bool = false;
/// A glance that tells of a hit whoever asked for it.
pub(in super::super) const TOLD: bool = true;

impl<K, S, R> Store<K, S, R> {
    /// Counts a miss that a glance saw to be one.
    #[inline]
    pub(in super::super) fn count_nothing(&self, hash: u64) {
        if let Some(record) = self.readers.mine() {
            self.missed(record, hash);
        }
    }

    /// Whether a hit is more than a hit: somebody is told of it, or the clock that it asks is not at hand.
    #[inline]
    pub(in super::super) fn tells_of_hits(&self) -> bool {
        self.on_hit.load(Ordering::Relaxed) != 0
    }

    /// What `take` makes of the result of the key for which `is` holds; counted where it is a hit. `MODE`
    /// says whether somebody [may be told](Self::tells_of_hits). No body runs on this thread.
    #[inline]
    pub(in super::super) fn glance<T, const MODE: bool>(
        &self,
        hash: u64,
        is: impl FnOnce(&K) -> bool,
        take: impl FnOnce(&S) -> T,
    ) -> Result<T, Seen> {
        let record = if MODE == TOLD { self.readers.mine() } else { self.readers.at_hand() };
        let Some(record) = record else { return Err(Seen::Unclear(hash)) };
        let Some(reading) = record.read(self.readers.is_fenced()) else { return Err(Seen::Unclear(hash)) };
        // A table that is replaced is freed when nobody reads it any more.
        let address = match self.shard(hash).table().first::<Node<K, S>>(tag(hash)) {
            First::Node(address) if !address.is_null() => address,
            First::Nothing => return Err(Seen::Nothing(hash)),
            First::Node(_) | First::Further => return Err(Seen::Unclear(hash)),
        };
        // SAFETY: nodes live as long as the shard.
        let node = unsafe { &*address };
        // Its tag may be another one, and then its key is.
        if !node.is(KEPT) {
            return Err(Seen::Unclear(hash));
        }
        let mut now = 0;
        if self.is_timed {
            now = if MODE == TOLD { clock::now() } else { clock::counter() };
            // SAFETY: where entries end, they have times.
            if unsafe { times(address) }.is_over(now) {
                return Err(Seen::Unclear(hash));
            }
        }
        reading.only(address);
        // SAFETY: it was an entry after this thread had begun to read.
        if !is(unsafe { node.key() }) || record.is_hit_timed() {
            return Err(Seen::Unclear(hash));
        }
        node.touch();
        if MODE == TOLD && self.tells_of_hits() {
            // SAFETY: entries end where it matters, so it has times.
            self.tell_of_hit(hash, node, now, || unsafe { times(address) });
        }
        // SAFETY: as of the key.
        let taken = take(unsafe { node.value() });
        record.count_hit();
        Ok(taken)
    }
}
