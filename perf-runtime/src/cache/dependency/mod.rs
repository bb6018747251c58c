//! What was computed from what, so that invalidating one thing removes all that came of it.
//!
//! While the body of a cached function runs, each result that it reads from a cache is noted, be it a hit or computed just then;
//! tags and other functions are noted by hand. When the body ends, what it read becomes its *record*. Invalidating a key, a
//! function or a tag gives the entries whose records lead back to it, over however many steps.
//!
//! | file | what |
//! |---|---|
//! | `computation` | what the bodies that run on this thread have read |
//! | `graph` | the records and what they were made from, both ways |
//! | `index` | the graph behind its lock, and what was invalidated while bodies run |
//!
//! **How long a record lives.** An entry holds its record ([`Computed`]), and so do the records of what was computed from it.
//! Where an inner entry is evicted, what was computed from it is still good and stays, and so does the inner record, until the
//! last of them is gone: the way from the inner's sources to the outer entries is not cut. Nothing needs to be said when an entry
//! goes, for whatever reason: dropping it frees its record. An entry that was computed from nothing has no record, and costs
//! nothing until something is computed from it.
//!
//! **What happens at the same time.** Before a body looks something up it takes the [moment](index::Dependencies), a number that
//! grows with each invalidation. When it ends, whatever it read must not have been invalidated since; if it was, the result is
//! [outdated](Computed::is_current) and must not be kept. Once a record is in the graph an invalidation marks it as outdated
//! before it asks a cache to remove the entry. So a cache that looks at the mark under the lock under which it puts the entry in,
//! either sees the mark or has the entry in when it is asked to remove it.
//!
//! Two invalidations at once that lead to one record both have it in their lists, as each is to be over when it returns.
//!
//! **Locks.** The index has one, taken when a body ends that read something, when such a result is dropped, and for an
//! invalidation as long as there is any record or body that reads. No code of anybody else's and no other lock is called for
//! while it is held, so it may be taken under a cache's lock, and a cache's lock is never taken under it: an invalidation gives a
//! list, which is worked off with the lock released.
//!
//! **By hand.** Who depends on a function goes with each entry of it that is invalidated, by hand, by a tag or with what it was
//! computed from, as long as it is there or something is known to be computed from it. What is read through the cache is known
//! better.
//!
//! **Bounds.** The index holds half a million edges, then entries are crowded out to make room: removing an entry is always
//! right. What a body has read while it runs is its own, and not counted.

mod computation;
mod graph;
mod index;
#[cfg(all(test, shuttle))]
mod models;
#[cfg(test)]
mod tests;

pub(super) use computation::{Computation, Finished, Reading, depend_on, is_body_running, reading};
pub(super) use graph::Gone;
pub(super) use index::{Computed, DEPENDENCIES, Source, next_cache};
