//! What a policy may ask of the entries in its slots, and tell them.

/// What a policy asks and tells of the entries, which count themselves how often they were asked for.
pub(in super::super) trait Entries {
    /// Times that the entry was asked for, up to [`MOST_USES`](super::MOST_USES), beginning with what [`Order::insert`](super::Order::insert) gave.
    fn uses(&self, slot: u32) -> u8;

    fn set_uses(&self, slot: u32, uses: u8);

    /// The hash that the slot was filled with.
    fn hash(&self, slot: u32) -> u32;
}
