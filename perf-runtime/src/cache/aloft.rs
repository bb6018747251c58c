//! The computations under way in one shard, under its lock: told apart by hash and by address, as no code of the user's runs in here.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::sync::Arc;

use super::flight::Flight;

/// Flights with one hash at one moment; nearly always one at most.
pub(super) type Flights<K, S, R> = Vec<Arc<Flight<K, S, R>>>;

/// See the module.
pub(super) struct Aloft<K, S, R>(HashMap<u64, Flights<K, S, R>, foldhash::fast::FixedState>);

impl<K, S, R> Default for Aloft<K, S, R> {
    fn default() -> Self {
        Aloft(HashMap::default())
    }
}

impl<K, S, R> Aloft<K, S, R> {
    pub(super) fn add(&mut self, hash: u64, flight: &Arc<Flight<K, S, R>>) {
        self.0.entry(hash).or_default().push(Arc::clone(flight));
    }

    /// Those with this hash.
    pub(super) fn of(&self, hash: u64) -> Flights<K, S, R> {
        self.0.get(&hash).cloned().unwrap_or_default()
    }

    /// Whether those with this hash are still the ones given.
    pub(super) fn are(&self, hash: u64, flights: &[Arc<Flight<K, S, R>>]) -> bool {
        let now = self.0.get(&hash).map_or(&[][..], Vec::as_slice);
        now.len() == flights.len() && now.iter().zip(flights).all(|(one, other)| Arc::ptr_eq(one, other))
    }

    pub(super) fn contains(&self, hash: u64, flight: &Arc<Flight<K, S, R>>) -> bool {
        self.0.get(&hash).is_some_and(|now| now.iter().any(|other| Arc::ptr_eq(other, flight)))
    }

    /// Takes a flight out if it is there. It is not dropped: the caller has it, too.
    pub(super) fn remove(&mut self, hash: u64, flight: &Arc<Flight<K, S, R>>) {
        if let Place::Occupied(mut place) = self.0.entry(hash) {
            place.get_mut().retain(|other| !Arc::ptr_eq(other, flight));
            if place.get().is_empty() {
                place.remove();
            }
        }
    }
}
