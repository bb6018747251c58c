//! The index under the model checker's schedules: `scripts/models.sh`.

use std::sync::Arc;

use shuttle::thread;

use super::tests::Store;
use crate::models::check;

/// Runs all of these at once, and then looks whether anything outdated is left.
fn at_once(sources: usize, width: u64, threads: &'static [fn(&Store)]) {
    check(move || {
        let store = Arc::new(Store::new(sources, width));
        let run = |work: &fn(&Store)| {
            let (store, work) = (Arc::clone(&store), *work);
            thread::spawn(move || work(&store))
        };
        let threads: Vec<_> = threads.iter().map(run).collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let Ok(store) = Arc::try_unwrap(store) else { panic!("all threads have ended") };
        store.check();
    });
}

#[test]
fn what_changes_while_it_is_computed_from_is_not_kept() {
    at_once(1, 1, &[|store| _ = store.get((1, 0)), |store| store.change(0)]);
}

#[test]
fn what_changes_while_it_is_evicted_and_read_is_not_kept() {
    at_once(
        1,
        1,
        &[
            |store| _ = store.get((2, 0)),
            |store| {
                store.get((1, 0));
                store.evict((1, 0));
            },
            |store| store.change(0),
        ],
    );
}

#[test]
fn two_sources_change_at_once() {
    at_once(
        2,
        2,
        &[
            |store| _ = (store.get((1, 0)), store.get((1, 1))),
            |store| store.change(0),
            |store| store.change(1),
        ],
    );
}
