//! From a hash to the slots that may hold its key: an open-addressing table of slot numbers.
//!
//! Linear probing with backward-shift deletion (D. Knuth, *The Art of Computer Programming* 3, 6.4, algorithm R), so there are no
//! tombstones and a table that lives for months stays as fast as a new one. Each place holds 32 bits of the hash beside the
//! slot's number: the upper ones of them say where its search began, and all of them spare a look at the slot itself.

/// Slots by hash. Several slots may have one hash.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// `tag << 32 | slot + 1`, or 0 where there is nothing. A power of two of them, or none.
    places: Vec<u64>,
    len: usize,
}

/// Places of the first table.
const FIRST: usize = 8;

fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn place_of(tag: u32, slot: u32) -> u64 {
    u64::from(tag) << 32 | (u64::from(slot) + 1)
}

impl Index {
    /// The slots that may have this hash, nearest first.
    #[inline]
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = u32> + '_ {
        let tag = tag(hash);
        let mut at = if self.places.is_empty() { 0 } else { self.home(tag) };
        core::iter::from_fn(move || {
            loop {
                let place = *self.places.get(at)?;
                if place == 0 {
                    return None;
                }
                at = (at + 1) & (self.places.len() - 1);
                if (place >> 32) as u32 == tag {
                    return Some(place as u32 - 1);
                }
            }
        })
    }

    /// Adds a slot.
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        // At three quarters full a search looks at 2.5 places on average.
        if (self.len + 1) * 4 > self.places.len() * 3 {
            self.grow();
        }
        self.len += 1;
        self.put(place_of(tag(hash), slot));
    }

    /// Removes a slot that is in the table.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        if self.places.is_empty() {
            return;
        }
        let mask = self.places.len() - 1;
        let wanted = place_of(tag(hash), slot);
        let mut hole = self.home(tag(hash));
        while self.places[hole] != wanted {
            if self.places[hole] == 0 {
                return;
            }
            hole = (hole + 1) & mask;
        }
        self.len -= 1;
        // Move back what a search would no longer reach across the hole.
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let place = self.places[at];
            if place == 0 {
                break;
            }
            let start = self.home((place >> 32) as u32);
            if (at.wrapping_sub(start) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.places[hole] = place;
                hole = at;
            }
        }
        self.places[hole] = 0;
    }

    /// Removes all.
    pub(super) fn clear(&mut self) {
        *self = Index::default();
    }

    /// Where a search for `tag` begins.
    #[inline]
    fn home(&self, tag: u32) -> usize {
        // The upper bits, by multiplication: `tag * places / 2^32`.
        ((u64::from(tag) * self.places.len() as u64) >> 32) as usize
    }

    fn put(&mut self, place: u64) {
        let mask = self.places.len() - 1;
        let mut at = self.home((place >> 32) as u32);
        while self.places[at] != 0 {
            at = (at + 1) & mask;
        }
        self.places[at] = place;
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![0; (self.places.len() * 2).max(FIRST)];
        let places = core::mem::replace(&mut self.places, larger);
        for place in places {
            if place != 0 {
                self.put(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cheap hash with many collisions of its upper half.
    fn hash(number: u32) -> u64 {
        u64::from(number % 37) << 60 | u64::from(number)
    }

    #[test]
    fn slots_are_found_until_they_are_removed() {
        let mut index = Index::default();
        assert_eq!(index.candidates(7).count(), 0);
        let mut held = std::collections::HashSet::new();
        let mut state = 1_u32;
        for step in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let number = state >> 20;
            if held.remove(&number) {
                index.remove(hash(number), number);
            } else {
                held.insert(number);
                index.insert(hash(number), number);
            }
            assert_eq!(index.len, held.len());
            if step % 97 == 0 {
                for number in 0..4096 {
                    let found = index.candidates(hash(number)).any(|slot| slot == number);
                    assert_eq!(found, held.contains(&number), "{number} after {step} steps");
                }
            }
        }
        index.remove(hash(5000), 5000);
        index.clear();
        assert_eq!(index.candidates(hash(1)).count(), 0);
    }
}
