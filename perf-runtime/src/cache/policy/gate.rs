//! How easily a newcomer gets into the main queue, and how long it may wait for that: learned from who comes back.
//!
//! Three kinds of entries leave: those of the main queue that gave way, newcomers that were asked for but refused, and newcomers that nobody asked
//! for. If those refused come back more often than those that gave way for others, too few are let in, as after a change of what is
//! popular; if less often or as often, the main queue is better than what is outside, as with steady popularity and with loops. In the same way
//! newcomers that nobody asked for and that come back more often than the main queue's did not wait for long enough.
//!
//! The idea of learning from two kinds of ghosts is that of ARC (N. Megiddo, D. Modha, FAST 2003). Here not the returns are compared but
//! the odds of returning, among ghosts of the same age, so that it matters neither how many of a kind there are nor how long ago they left.

use core::cmp::Ordering;

use super::ghosts::Ghost;

/// How well the main queue is defended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ease {
    /// Entries of the main queue that a newcomer is compared with.
    pub(super) looks: u32,
    /// What an entry's uses count for at most.
    pub(super) most_uses: u8,
    /// In sixty-fourths: how often an entry that held its place has one use fewer from then on.
    wear: u8,
    /// Uses that a newcomer gives for a place in the main queue.
    pub(super) entry: u8,
}

/// From the best defended to the least.
const EASES: [Ease; 6] = [
    Ease { looks: 3, most_uses: 7, wear: 1, entry: 0 },
    Ease { looks: 3, most_uses: 7, wear: 6, entry: 1 },
    Ease { looks: 3, most_uses: 7, wear: 26, entry: 1 },
    Ease { looks: 4, most_uses: 7, wear: 64, entry: 1 },
    Ease { looks: 8, most_uses: 3, wear: 64, entry: 1 },
    Ease { looks: 12, most_uses: 1, wear: 64, entry: 1 },
];
/// Where it begins, and where it goes as long as too little is known.
const UNKNOWN: usize = 2;

/// The small queue is one fiftieth of the cache, doubled up to so many times.
const MOST_DOUBLINGS: u32 = 4;

/// What left is looked at again after a quarter as many departures as there are entries; each time what was seen before counts for four fifths.
const LOOK_AGAIN: usize = 4;
const KEEP: f32 = 0.8;
/// Departures between two looks, at least.
const FEWEST: usize = 32;

/// Odds of those refused to those of the main queue above which more are let in, and below which fewer are.
const OPEN: f32 = 1.3;
const CLOSE: f32 = 0.85;
/// Odds of those that nobody asked for to those of the main queue above which the small queue grows. Otherwise it shrinks.
const LENGTHEN: f32 = 4.0;

/// Of one kind of ghosts.
#[derive(Clone, Copy, Debug, Default)]
struct Fates {
    returned: f32,
    forgotten: f32,
}

impl Fates {
    #[inline]
    fn count(self) -> f32 {
        self.returned + self.forgotten
    }

    /// The odds of returning, as a multiple of the other kind's. One of each is added, lest few are taken for a rule.
    #[inline]
    fn odds_to(self, other: Fates) -> f32 {
        (self.returned + 1.0) * (other.forgotten + 1.0) / ((self.forgotten + 1.0) * (other.returned + 1.0))
    }
}

#[derive(Debug)]
pub(super) struct Gate {
    level: usize,
    doublings: u32,
    /// In sixty-fourths.
    worn: u8,
    departures: usize,
    of_main: Fates,
    refused: Fates,
    unused: Fates,
}

impl Default for Gate {
    #[inline]
    fn default() -> Self {
        Gate {
            level: UNKNOWN,
            doublings: 0,
            worn: 0,
            departures: 0,
            of_main: Fates::default(),
            refused: Fates::default(),
            unused: Fates::default(),
        }
    }
}

impl Gate {
    #[inline]
    pub(super) fn ease(&self) -> Ease {
        EASES[self.level]
    }

    /// The length of the small queue of a cache with so many entries.
    #[inline]
    pub(super) fn small(&self, entries: usize) -> usize {
        (entries << self.doublings).div_ceil(50)
    }

    /// Whether the next entry that held its place loses a use.
    #[inline]
    pub(super) fn wears(&mut self) -> bool {
        self.worn += self.ease().wear;
        let wears = self.worn >= 64;
        if wears {
            self.worn -= 64;
        }
        wears
    }

    /// A recent ghost came back.
    #[inline]
    pub(super) fn returned(&mut self, ghost: Ghost) {
        self.fates(ghost).returned += 1.0;
    }

    /// A ghost is no longer recent.
    #[inline]
    pub(super) fn forgotten(&mut self, ghost: Ghost) {
        self.fates(ghost).forgotten += 1.0;
    }

    #[inline]
    fn fates(&mut self, ghost: Ghost) -> &mut Fates {
        match ghost {
            Ghost { from_main: true, .. } => &mut self.of_main,
            Ghost { uses: 0, .. } => &mut self.unused,
            Ghost { .. } => &mut self.refused,
        }
    }

    /// One of so many entries left.
    #[inline]
    pub(super) fn left(&mut self, entries: usize) {
        self.departures += 1;
        let interval = (entries / LOOK_AGAIN).max(FEWEST);
        if self.departures >= interval {
            self.departures = 0;
            self.learn(interval as f32 / 10.0);
        }
    }

    #[cold]
    fn learn(&mut self, enough: f32) {
        let knows_main = self.of_main.count() >= enough;
        let odds = self.refused.odds_to(self.of_main);
        let wanted = match (knows_main, self.refused.count() >= enough) {
            (true, true) if odds > OPEN => EASES.len() - 1,
            (true, true) if odds < CLOSE => 0,
            (true, true) => self.level,
            // Everybody gets in, and what gave way for them is missed: a loop that chases its own keys out.
            (true, false) if self.of_main.returned > self.of_main.forgotten => 0,
            _ => UNKNOWN,
        };
        self.level = match wanted.cmp(&self.level) {
            Ordering::Less => self.level - 1,
            Ordering::Equal => self.level,
            Ordering::Greater => self.level + 1,
        };
        if knows_main && self.unused.count() >= enough && self.unused.odds_to(self.of_main) > LENGTHEN {
            self.doublings = (self.doublings + 1).min(MOST_DOUBLINGS);
        } else {
            self.doublings = self.doublings.saturating_sub(1);
        }
        for fates in [&mut self.of_main, &mut self.refused, &mut self.unused] {
            fates.returned *= KEEP;
            fates.forgotten *= KEEP;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_MAIN: Ghost = Ghost { uses: 2, from_main: true };
    const REFUSED: Ghost = Ghost { uses: 2, from_main: false };
    const UNUSED: Ghost = Ghost { uses: 0, from_main: false };

    /// A gate that sees, 20 times over, of each hundred of a kind so many come back.
    fn after(kinds: &[(Ghost, usize)]) -> Gate {
        let mut gate = Gate::default();
        for _ in 0..20 {
            for (ghost, returned) in kinds {
                (0..*returned).for_each(|_| gate.returned(*ghost));
                (*returned..100).for_each(|_| gate.forgotten(*ghost));
            }
            (0..250).for_each(|_| gate.left(1_000));
        }
        gate
    }

    #[test]
    fn opens_to_those_that_come_back_more_often_and_closes_to_the_others() {
        assert_eq!(after(&[(REFUSED, 40), (OF_MAIN, 20)]).level, EASES.len() - 1);
        assert_eq!(after(&[(REFUSED, 20), (OF_MAIN, 40)]).level, 0);
        assert_eq!(after(&[(REFUSED, 20), (OF_MAIN, 20)]).level, UNKNOWN);
        // However rarely or often both do.
        assert_eq!(after(&[(REFUSED, 98), (OF_MAIN, 92)]).level, EASES.len() - 1);
    }

    #[test]
    fn goes_back_to_the_middle_where_nothing_is_known() {
        let mut gate = after(&[(REFUSED, 40), (OF_MAIN, 20)]);
        (0..100 * 250).for_each(|_| gate.left(1_000));
        assert_eq!(gate.level, UNKNOWN);
        assert_eq!(after(&[(REFUSED, 40)]).level, UNKNOWN);
        assert_eq!(after(&[(OF_MAIN, 40)]).level, UNKNOWN);
        // Unless what gives way is missed.
        assert_eq!(after(&[(OF_MAIN, 60)]).level, 0);
    }

    #[test]
    fn the_small_queue_grows_when_those_nobody_asked_for_come_back_and_shrinks_again() {
        let mut gate = after(&[(UNUSED, 60), (OF_MAIN, 20)]);
        assert_eq!((gate.small(1_000), gate.small(1)), (320, 1));
        (0..100 * 250).for_each(|_| gate.left(1_000));
        assert_eq!(gate.small(1_000), 20);
        assert_eq!(after(&[(UNUSED, 30), (OF_MAIN, 20)]).small(1_000), 20);
    }

    #[test]
    fn an_entry_wears_as_often_as_its_level_says() {
        let mut gate = Gate::default();
        assert_eq!((0..640).filter(|_| gate.wears()).count(), 260);
    }
}
