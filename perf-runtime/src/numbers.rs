//! Numbers for things as they come, by which what is known of them stands in a list.
//!
//! One table for all such lists: its machine code is in every user's build once, and not for each type that a table may hold.

use core::ptr;
use std::collections::HashMap;

/// What a number is for: one or two addresses or numbers.
pub(crate) type Key = (usize, usize);

/// From keys to numbers: 0 for the first, 1 for the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers(HashMap<Key, usize, foldhash::fast::FixedState>);

impl Numbers {
    /// The number of `key`, which is the next one if it is new.
    #[inline(never)]
    pub(crate) fn of(&mut self, key: Key) -> usize {
        let next = self.0.len();
        *self.0.entry(key).or_insert(next)
    }

    /// Makes room for so many keys more.
    pub(crate) fn reserve(&mut self, keys: usize) {
        self.0.reserve(keys);
    }

    /// The number of `key`, if it has one.
    #[inline(never)]
    pub(crate) fn get(&self, key: Key) -> Option<usize> {
        self.0.get(&key).copied()
    }
}

/// The key of something that stays where it is.
pub(crate) fn address<T>(of: &'static T) -> usize {
    ptr::from_ref(of).addr()
}
