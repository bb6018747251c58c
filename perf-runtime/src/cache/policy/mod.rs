//! Which entry gives way when a cache is full.
//!
//! A policy knows slots by number and is told what happens to them; it knows no keys, no values, no threads and no clock. Each shard of
//! a cache has one of its own.

mod entries;
mod fifo;
mod gate;
mod ghosts;
mod heap;
mod lfu;
mod lru;
mod order;
mod queue;
#[cfg(test)]
mod reference;
mod s3fifo;
mod size;
mod ttl;

pub(super) use entries::Entries;
pub(super) use fifo::Fifo;
pub(super) use order::{Details, Order};
pub(super) use s3fifo::MOST_USES;

/// The policies that `#[cached(policy = "…")]` names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// `"s3fifo"`: a small queue for newcomers, a main queue for what was asked for again, and a memory of what left, from which it learns
    /// how easily newcomers are to get in. It withstands scans, loops and one-time keys and follows what becomes popular, and a hit
    /// changes nothing but a counter of the entry.
    #[default]
    S3Fifo,
    /// `"lru"`: what was asked for the longest ago gives way.
    Lru,
    /// `"lfu"`: what was asked for least often gives way, of several the one that was asked for the longest ago.
    Lfu,
    /// `"fifo"`: the oldest gives way.
    Fifo,
    /// `"ttl"`: what expires soonest gives way, of several the oldest.
    Ttl,
    /// `"size"`: what takes the most memory gives way, of several the oldest.
    Size,
}
