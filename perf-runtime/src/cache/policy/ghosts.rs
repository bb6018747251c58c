//! What left a cache not long ago: for each of the last departures, one and a half times as many as there are entries, two bytes.
//!
//! Ghosts lie in buckets of eight, the newest first; one more pushes the oldest out. Of a hash a bucket is chosen and twelve bits are kept, so
//! that of a thousand keys that never were here two are taken for a ghost.

/// What is remembered of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ghost {
    /// At most 7.
    pub(super) uses: u8,
    /// Whether it was in the main queue.
    pub(super) from_main: bool,
}

/// From the upper bits to the lower ones: twelve of the hash, never 0; whether it was in the main queue; three of uses. 0 for none.
type Packed = u16;

const BUCKET: usize = 8;
/// Ghosts at the front of a bucket that are recent: about three quarters as many as there are entries. What comes back is compared among
/// these, so that it is known sooner that something does not.
const RECENT: usize = 3;

/// Eight ghosts, the newest in the lowest bits.
type Bucket = u128;

/// One in each place of a bucket.
const ONES: Bucket = 0x0001_0001_0001_0001_0001_0001_0001_0001;

#[derive(Debug, Default)]
pub(super) struct Ghosts {
    buckets: Vec<Bucket>,
}

impl Ghosts {
    /// The ghost of a hash, which is then no ghost any more, and whether it was a recent one.
    #[inline]
    pub(super) fn take(&mut self, hash: u32) -> Option<(Ghost, bool)> {
        let at = self.place(hash);
        let bucket = self.buckets.get_mut(at)?;
        let differences = (*bucket ^ (Bucket::from(tag(hash)) * ONES)) & (Bucket::from(TAG) * ONES);
        let place = first_zero(differences)?;
        let packed = (*bucket >> (place * PLACE)) as Packed;
        *bucket &= !(Bucket::from(Packed::MAX) << (place * PLACE));
        Some((unpack(packed), place < RECENT))
    }

    /// Adds a ghost of one of `entries` entries; gives the one that is no longer recent.
    #[inline]
    pub(super) fn add(&mut self, hash: u32, ghost: Ghost, entries: usize) -> Option<Ghost> {
        let wanted = (entries * 3 / 2).div_ceil(BUCKET);
        // A little more is within what shards of one cache differ by. A larger table begins empty: what is kept of the hashes does not tell
        // the new buckets.
        if wanted > self.buckets.len() + self.buckets.len() / 4 {
            self.buckets = vec![0; wanted];
        }
        let at = self.place(hash);
        let bucket = &mut self.buckets[at];
        let hole = first_zero(*bucket).unwrap_or(BUCKET - 1);
        let no_longer_recent =
            (hole >= RECENT).then(|| unpack((*bucket >> ((RECENT - 1) * PLACE)) as Packed));
        // Everything up to the hole makes room for one more.
        let moved = Bucket::MAX >> ((BUCKET - 1 - hole) * PLACE);
        let packed = tag(hash) | Packed::from(ghost.from_main) << 3 | Packed::from(ghost.uses);
        *bucket = *bucket & !moved | *bucket << PLACE & moved | Bucket::from(packed);
        no_longer_recent
    }

    #[inline]
    fn place(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.buckets.len() as u64) >> 32) as usize
    }
}

/// Bits of a place in a bucket.
const PLACE: usize = 16;

/// The first place of a bucket in which there is nothing. Without branches, which nobody could foretell.
#[inline]
fn first_zero(bucket: Bucket) -> Option<usize> {
    let zeros = bucket.wrapping_sub(ONES) & !bucket & (ONES << (PLACE - 1));
    (zeros != 0).then(|| zeros.trailing_zeros() as usize / PLACE)
}

const TAG: Packed = 0xFFF0;

/// Of all bits of the hash, since some may be the same throughout a shard.
#[inline]
fn tag(hash: u32) -> Packed {
    ((hash.wrapping_mul(0x9E37_79B1) >> 16) as Packed & TAG).max(1 << 4)
}

#[inline]
fn unpack(packed: Packed) -> Ghost {
    Ghost { uses: (packed & 7) as u8, from_main: packed & 8 != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ghost_is_found_once_with_what_it_was() {
        let mut ghosts = Ghosts::default();
        assert_eq!(ghosts.take(7), None);
        let ghost = Ghost { uses: 5, from_main: true };
        assert_eq!(ghosts.add(7, ghost, 1_000), None);
        assert_eq!(ghosts.take(7), Some((ghost, true)));
        assert_eq!(ghosts.take(7), None);
    }

    #[test]
    fn the_oldest_are_forgotten_and_told_of_before() {
        let mut ghosts = Ghosts::default();
        let ghost = |uses| Ghost { uses, from_main: false };
        // One bucket.
        let told: Vec<_> = (0..8).map(|n| ghosts.add(n << 8, ghost(n as u8), 1)).collect();
        let expected: Vec<_> = (0..8).map(|n: u8| n.checked_sub(RECENT as u8).map(ghost)).collect();
        assert_eq!(told, expected);
        assert_eq!(ghosts.add(8 << 8, ghost(1), 1), Some(ghost(5)));
        assert_eq!(ghosts.take(0), None);
        assert_eq!(ghosts.take(1 << 8), Some((ghost(1), false)));
        assert_eq!(ghosts.take(8 << 8), Some((ghost(1), true)));
    }

    #[test]
    fn what_was_never_here_is_seldom_taken_for_a_ghost() {
        let mut ghosts = Ghosts::default();
        let hash = |n: u32| (u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32;
        for n in 0..20_000 {
            ghosts.add(hash(n), Ghost { uses: 0, from_main: false }, 10_000);
        }
        let mistaken = (100_000..200_000).filter(|n| ghosts.take(hash(*n)).is_some()).count();
        assert!(mistaken < 400, "{mistaken} of 100,000");
        let known = (0..20_000).filter(|n| ghosts.take(hash(*n)).is_some()).count();
        assert!((10_000..15_100).contains(&known), "{known} of 15,000");
    }
}
