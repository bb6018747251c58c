//! What left a cache not long ago: for each of the last departures, one and a half times as many as there are entries, two bytes.
//!
//! Ghosts lie in buckets of eight, a part for recent ones and one for the others, the newest of each first and with no gaps; one more pushes the oldest of
//! a full part out, into the other part and out of the bucket. Of a hash a bucket is chosen and twelve bits are kept, so
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

#[derive(Debug, Default)]
pub(super) struct Ghosts {
    buckets: Vec<Bucket>,
    /// Entries that there may be before it becomes larger.
    enough_for: usize,
}

impl Ghosts {
    /// The ghost of a hash, which is then no ghost any more, and whether it was a recent one.
    #[inline]
    pub(super) fn take(&mut self, hash: u32) -> Option<(Ghost, bool)> {
        let at = self.place(hash);
        let bucket = self.buckets.get_mut(at)?;
        let place = find(*bucket, tag(hash))?;
        let packed = (*bucket >> (place * PLACE)) as Packed;
        let is_recent = place < RECENT;
        // The older ones of the same part move up.
        let part = Bucket::MAX << (place * PLACE) & if is_recent { RECENTS } else { !RECENTS };
        *bucket = *bucket & !part | (*bucket & part & part << PLACE) >> PLACE;
        Some((unpack(packed), is_recent))
    }

    /// Adds a ghost of one of `entries` entries; gives the one that is no longer recent.
    #[inline]
    pub(super) fn add(&mut self, hash: u32, ghost: Ghost, entries: usize) -> Option<Ghost> {
        if entries > self.enough_for {
            self.grow(entries);
        }
        let at = self.place(hash);
        let bucket = &mut self.buckets[at];
        let packed = Bucket::from(tag(hash) | Packed::from(ghost.from_main) << 3 | Packed::from(ghost.uses));
        let no_longer_recent = (*bucket >> ((RECENT - 1) * PLACE)) as Packed;
        if no_longer_recent == 0 {
            // One of the recent ones came back.
            *bucket = *bucket & !RECENTS | (*bucket << PLACE & RECENTS) | packed;
            return None;
        }
        *bucket = *bucket << PLACE | packed;
        Some(unpack(no_longer_recent))
    }

    /// A larger table begins empty: what is kept of the hashes does not tell the new buckets.
    #[cold]
    fn grow(&mut self, entries: usize) {
        let buckets = (entries * 3 / 2).div_ceil(BUCKET);
        self.buckets = vec![0; buckets];
        // A little more is within what shards of one cache differ by.
        self.enough_for = (buckets + buckets / 4) * BUCKET * 2 / 3;
    }

    #[inline]
    fn place(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.buckets.len() as u64) >> 32) as usize
    }
}

/// Bits of a place in a bucket.
const PLACE: usize = 16;

/// The places of the recent ones.
const RECENTS: Bucket = (1 << (RECENT * PLACE)) - 1;

/// One in each place of half a bucket.
const ONES: u64 = 0x0001_0001_0001_0001;

/// The first place of a bucket in which there is a ghost with this tag. As a rule there is none.
#[inline]
fn find(bucket: Bucket, tag: Packed) -> Option<usize> {
    let (tags, mask) = (u64::from(tag) * ONES, u64::from(TAG) * ONES);
    // The highest bit of each place that has it, of the lowest ones exactly.
    let zeros = |half: u64| {
        let differences = (half ^ tags) & mask;
        differences.wrapping_sub(ONES) & !differences & (ONES << (PLACE - 1))
    };
    let (newer, older) = (zeros(bucket as u64), zeros((bucket >> 64) as u64));
    if newer | older == 0 {
        return None;
    }
    let bit = if newer != 0 { newer.trailing_zeros() } else { 64 + older.trailing_zeros() };
    Some(bit as usize / PLACE)
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
