//! From a hash to the nodes that may have its key: a hash table that is read without a lock.
//!
//! A *group* is one cache line: seven addresses of nodes, and a word with a byte for each, its *mark*, and one that counts the nodes
//! that found no room here and went on to the next group (N. Bronson, X. Shi, "Open-sourcing F14 for faster, more memory-efficient hash tables", 2019).
//! So a search compares seven marks at once, looks at no other node than the right one, nearly always, and ends at the first group that
//! sent nothing on; taking a node out moves nothing and leaves nothing behind. The upper bits of the *tag*, which is half of a hash, say where a
//! search begins, its lowest bits are the mark. The table is named by one word, its address and the logarithm of its size, so that a hit reads the
//! word, a line of the table and a node.
//!
//! It is changed under the shard's lock while others read it. A reader may then miss what is being added; it looks again
//! under the lock before it believes that. It never sees what was not there.

use core::alloc::Layout;
use std::alloc::{alloc_zeroed, dealloc, handle_alloc_error};

use crate::sync::{AtomicPtr, AtomicU64, Ordering};

/// Nodes in a group.
const ROOM: usize = 7;

/// See the module.
#[repr(C, align(64))]
struct Group {
    /// A mark for each node, from the lowest byte on, 0 where there is none; in the highest byte the number of nodes that went on.
    marks: AtomicU64,
    nodes: [AtomicPtr<()>; ROOM],
}

/// Where the number of those that went on is.
const OVERFLOW: u32 = 56;
/// So many that they are not counted any more.
const MOST_OVERFLOW: u64 = 255;

/// One in every byte.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bit of every mark.
const MARKS: u64 = 0x0080_8080_8080_8080;

/// The mark of a tag; never 0.
#[inline]
fn mark(tag: u32) -> u64 {
    u64::from(tag & 0xFF).max(1)
}

/// The highest bit of each mark that is this one; rarely also of one above it that is not.
#[inline]
fn matches(marks: u64, mark: u64) -> u64 {
    let differences = marks ^ (mark * ONES);
    differences.wrapping_sub(ONES) & !differences & MARKS
}

impl Group {
    /// Adds a node at the place of a bit of these marks.
    #[inline]
    fn put<T>(&self, marks: u64, bit: u32, tag: u32, node: *const T) {
        self.nodes[bit as usize / 8].store(node.cast_mut().cast(), Ordering::Release);
        self.marks.store(marks | mark(tag) << (bit & !7), Ordering::Release);
    }

    /// Removes a node, if it is in here; whether it was.
    #[inline]
    fn remove<T>(&self, tag: u32, node: *const T) -> bool {
        let marks = self.marks.load(Ordering::Relaxed);
        let mut found = matches(marks, mark(tag));
        while found != 0 {
            let bit = found.trailing_zeros();
            let place = &self.nodes[bit as usize / 8];
            if core::ptr::addr_eq(place.load(Ordering::Relaxed), node) {
                self.marks.store(marks & !(0xFF << (bit & !7)), Ordering::Release);
                place.store(core::ptr::null_mut(), Ordering::Release);
                return true;
            }
            found &= found - 1;
        }
        false
    }
}

/// Where a node goes. To be filled before anything else is done to the table.
pub(in super::super) struct Vacancy<'a> {
    group: &'a Group,
    marks: u64,
    /// The highest bit of its mark.
    bit: u32,
}

impl Vacancy<'_> {
    /// Puts a node with that tag there.
    #[inline]
    pub(in super::super) fn fill<T>(self, tag: u32, node: *const T) {
        self.group.put(self.marks, self.bit, tag, node);
    }
}

/// See the module. Whoever has one may read it for as long as it is not freed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Table {
    /// Aligned to 64, with the logarithm of the number of groups in the lower bits.
    word: *mut (),
}

/// What a search for a tag meets first.
pub(in super::super) enum First<T> {
    /// It may have the tag; null if it was taken out just now.
    Node(*const T),
    /// There is no node with the tag.
    Nothing,
    /// If there is one, it is in another group.
    Further,
}

/// Lower bits of the word.
const LOGARITHM: usize = 63;

impl Table {
    /// One with room for as many nodes.
    #[inline]
    pub(in super::super) fn new(nodes: usize) -> Self {
        // At three quarters full one node in twenty is in another group than the first.
        let logarithm = (nodes * 4).div_ceil(ROOM * 3).next_power_of_two().ilog2();
        let layout = Self::layout(logarithm);
        // SAFETY: the layout has a size. Zeros are an empty group.
        let groups = unsafe { alloc_zeroed(layout) };
        if groups.is_null() {
            handle_alloc_error(layout);
        }
        Table { word: groups.cast::<()>().map_addr(|address| address | logarithm as usize) }
    }

    #[inline]
    fn layout(logarithm: u32) -> Layout {
        Layout::array::<Group>(1 << logarithm).unwrap_or_else(|_| unreachable!("there are at most 2³² nodes"))
    }

    /// # Safety
    /// Nobody reads it any more.
    #[inline]
    pub(in super::super) unsafe fn free(self) {
        // SAFETY: it was allocated with this layout.
        unsafe { dealloc(self.groups().cast_mut().cast(), Self::layout(self.logarithm())) };
    }

    #[inline]
    pub(in super::super) const fn from_word(word: *mut ()) -> Self {
        Table { word }
    }

    #[inline]
    pub(in super::super) const fn word(self) -> *mut () {
        self.word
    }

    #[inline]
    fn logarithm(self) -> u32 {
        (self.word.addr() & LOGARITHM) as u32
    }

    #[inline]
    fn groups(self) -> *const Group {
        self.word.map_addr(|address| address & !LOGARITHM).cast_const().cast()
    }

    #[inline]
    fn mask(self) -> usize {
        (1 << self.logarithm()) - 1
    }

    /// Nodes that it has room for.
    #[inline]
    pub(in super::super) fn room(self) -> usize {
        (self.mask() + 1) * ROOM / 4 * 3
    }

    /// Where a search begins.
    #[inline]
    fn home(self, tag: u32) -> usize {
        (u64::from(tag) << self.logarithm() >> 32) as usize
    }

    #[inline]
    fn group<'a>(self, at: usize) -> &'a Group {
        let group = self.groups().wrapping_add(at & self.mask());
        // SAFETY: the mask keeps it among the groups, which are there until the table is freed.
        unsafe { &*group }
    }

    #[inline]
    fn home_group<'a>(self, tag: u32) -> &'a Group {
        let group = self.groups().wrapping_add(self.home(tag));
        // SAFETY: a search begins among the groups, which are there until the table is freed.
        unsafe { &*group }
    }

    /// What a search meets first, which it nearly always ends with.
    #[inline]
    pub(in super::super) fn first<T>(self, tag: u32) -> First<T> {
        let group = self.home_group(tag);
        let marks = group.marks.load(Ordering::Acquire);
        let found = matches(marks, mark(tag));
        if found != 0 {
            let place = found.trailing_zeros() as usize / 8;
            return First::Node(group.nodes[place].load(Ordering::Acquire).cast_const().cast());
        }
        if marks >> OVERFLOW == 0 { First::Nothing } else { First::Further }
    }

    /// The nodes that may have this tag, nearest first.
    #[inline]
    pub(in super::super) fn candidates<T>(self, tag: u32) -> impl Iterator<Item = *const T> {
        let mark = mark(tag);
        let mut at = self.home(tag);
        let mut group = self.group(at);
        let mut marks = group.marks.load(Ordering::Acquire);
        let mut found = matches(marks, mark);
        // Not around for ever if all of it is full of one mark.
        let mut left = self.mask();
        core::iter::from_fn(move || {
            loop {
                if found != 0 {
                    let place = found.trailing_zeros() as usize / 8;
                    found &= found - 1;
                    let node = group.nodes[place].load(Ordering::Acquire);
                    if !node.is_null() {
                        return Some(node.cast_const().cast());
                    }
                } else if marks >> OVERFLOW == 0 || left == 0 {
                    return None;
                } else {
                    left -= 1;
                    at += 1;
                    group = self.group(at);
                    marks = group.marks.load(Ordering::Acquire);
                    found = matches(marks, mark);
                }
            }
        })
    }

    /// Adds a node. There are at most as many as there is [`room`](Self::room) for.
    #[inline]
    pub(in super::super) fn insert<T>(self, tag: u32, node: *const T) {
        let mut at = self.home(tag);
        loop {
            let group = self.group(at);
            let marks = group.marks.load(Ordering::Relaxed);
            let empty = matches(marks, 0);
            if empty != 0 {
                group.put(marks, empty.trailing_zeros(), tag, node);
                return;
            }
            if marks >> OVERFLOW < MOST_OVERFLOW {
                group.marks.store(marks + (1 << OVERFLOW), Ordering::Release);
            }
            at += 1;
        }
    }

    /// Where a node with this tag goes, if the first group alone tells that there is none yet and has room.
    #[inline]
    pub(in super::super) fn vacancy<'a>(self, tag: u32) -> Option<Vacancy<'a>> {
        let group = self.home_group(tag);
        let marks = group.marks.load(Ordering::Relaxed);
        let empty = matches(marks, 0);
        let is_clear = matches(marks, mark(tag)) == 0 && marks >> OVERFLOW == 0 && empty != 0;
        is_clear.then(|| Vacancy { group, marks, bit: empty.trailing_zeros() })
    }

    /// Removes a node, if it is in the table.
    #[inline]
    pub(in super::super) fn remove<T>(self, tag: u32, node: *const T) {
        if !self.home_group(tag).remove(tag, node) {
            self.remove_further(tag, node.cast());
        }
    }

    /// The same of one that is not in the first group.
    #[cold]
    #[inline(never)]
    fn remove_further(self, tag: u32, node: *const ()) {
        let home = self.home(tag);
        for distance in 0..=self.mask() {
            let group = self.group(home + distance);
            if group.remove(tag, node) {
                for passed in home..home + distance {
                    let group = self.group(passed);
                    let marks = group.marks.load(Ordering::Relaxed);
                    if marks >> OVERFLOW < MOST_OVERFLOW {
                        group.marks.store(marks - (1 << OVERFLOW), Ordering::Release);
                    }
                }
                return;
            }
            if group.marks.load(Ordering::Relaxed) >> OVERFLOW == 0 {
                return;
            }
        }
    }

    /// All nodes in it.
    #[inline]
    pub(in super::super) fn all<T>(self) -> impl Iterator<Item = *const T> {
        let groups = (0..=self.mask()).map(move |at| self.group(at));
        let nodes = groups.flat_map(|group| &group.nodes).map(|node| node.load(Ordering::Relaxed));
        nodes.filter(|node| !node.is_null()).map(|node| node.cast_const().cast())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn finds_what_is_in_it_and_nothing_else() {
        let table = Table::new(3_000);
        assert!(table.room() >= 3_000);
        // Clusters, also across the end, and hundreds of nodes with one tag.
        let tag = |number: usize| match number as u32 {
            number if number % 3 == 0 => u32::MAX - number % 7,
            number => number.wrapping_mul(0x9E37_79B9),
        };
        let nodes: Vec<u64> = (0..4_096).collect();
        let node = |number: usize| core::ptr::from_ref(&nodes[number]);
        let mut held = HashSet::new();
        let mut state = 12_345_u32;
        for step in 0..100_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let number = (state >> 8) as usize % 4_095;
            if held.remove(&number) {
                table.remove(tag(number), node(number));
            } else if held.len() < 3_000 {
                held.insert(number);
                table.insert(tag(number), node(number));
            }
            if step % 997 == 0 {
                for number in 0..4_096 {
                    let found = table.candidates(tag(number)).any(|other| other == node(number));
                    assert_eq!(found, held.contains(&number), "{number} after {step} steps");
                }
            }
        }
        table.remove(tag(4_095), node(4_095));
        assert_eq!(table.all::<u64>().count(), held.len());
        // SAFETY: nobody else knows it.
        unsafe { table.free() };
    }

    #[test]
    fn an_emptied_table_sends_nothing_on() {
        let table = Table::new(60);
        let nodes: Vec<u64> = (0..60).collect();
        for node in &nodes {
            table.insert(7, core::ptr::from_ref(node));
        }
        assert_eq!(table.candidates::<u64>(7).count(), 60);
        for node in &nodes {
            table.remove(7, core::ptr::from_ref(node));
        }
        for at in 0..=table.mask() {
            assert_eq!(table.group(at).marks.load(Ordering::Relaxed), 0, "group {at}");
        }
        // SAFETY: nobody else knows it.
        unsafe { table.free() };
    }
}
