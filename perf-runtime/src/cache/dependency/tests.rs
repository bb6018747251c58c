//! The index beside a plain model of it, for a long time, and from several threads.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::collection::vec;
use proptest::prelude::*;

use super::computation::Computation;
use super::index::Dependencies;
use super::*;
use crate::sync::{AtomicU64, Mutex, Ordering};

fn index(most_edges: usize) -> &'static Dependencies {
    Box::leak(Box::new(Dependencies::with_limits(most_edges, 1_000)))
}

type Key = (u32, u64);

/// Runs a body that reads, and finishes.
fn compute(index: &'static Dependencies, key: Key, body: impl FnOnce()) -> Finished {
    let mut computation = Computation::of(index);
    let entered = computation.enter();
    body();
    drop(entered);
    computation.finish(key.0, key.1)
}

fn read(key: Key, computed: Option<&Computed>) {
    reading().of(key.0, key.1, computed);
}

/// The record of an entry that was computed from these keys, which have none.
fn from(index: &'static Dependencies, key: Key, keys: &[Key]) -> Computed {
    compute(index, key, || keys.iter().for_each(|key| read(*key, None))).computed.unwrap()
}

fn keys(gone: Vec<Gone>) -> Vec<Key> {
    let mut keys: Vec<Key> = gone.into_iter().map(|gone| (gone.cache, gone.hash)).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn what_reads_nothing_costs_nothing() {
    let index = index(100);
    let finished = compute(index, (1, 1), || {});
    assert!(finished.computed.is_none() && finished.crowded_out.is_empty());
    assert!(!reading().is_noted());
    assert!(!depend_on(Source::Tag("nobody runs")));
    assert_eq!((index.invalidate(Source::Key(1, 1)), index.bytes()), (Vec::new(), 0));
}

#[test]
fn an_invalidation_goes_all_the_way() {
    let index = index(100);
    let inner = from(index, (1, 1), &[(0, 0)]);
    let outer = compute(index, (2, 2), || read((1, 1), Some(&inner))).computed.unwrap();
    let other = from(index, (3, 3), &[(0, 9)]);
    assert_eq!(keys(index.invalidate(Source::Key(0, 0))), [(1, 1), (2, 2)]);
    assert!(!inner.is_current() && !outer.is_current() && other.is_current());
    // As long as they are there: who asked first may not have come to remove them yet.
    assert_eq!(keys(index.invalidate(Source::Key(0, 0))), [(1, 1), (2, 2)]);
    drop(inner);
    assert_eq!(keys(index.invalidate(Source::Key(0, 0))), [(1, 1), (2, 2)], "the outer one holds it");
    drop(outer);
    assert_eq!(index.invalidate(Source::Key(0, 0)), []);
    drop(other);
    assert_eq!(index.sizes(), [0; 4]);
}

#[test]
fn an_evicted_entry_is_still_on_the_way() {
    let index = index(100);
    let inner = from(index, (1, 1), &[(0, 0)]);
    let outer = compute(index, (2, 2), || read((1, 1), Some(&inner))).computed.unwrap();
    drop(inner);
    // Computed again, from something else; what was computed from this one stays.
    let inner = from(index, (1, 1), &[(0, 5)]);
    let newer = compute(index, (3, 3), || read((1, 1), Some(&inner))).computed.unwrap();
    assert_eq!(keys(index.invalidate(Source::Key(0, 0))), [(1, 1), (2, 2)]);
    assert!(newer.is_current() && inner.is_current());
    // By its key all go that read it, whichever it was.
    assert_eq!(keys(index.invalidate(Source::Key(1, 1))), [(2, 2), (3, 3)]);
    drop((inner, outer, newer));
    assert_eq!(index.sizes(), [0; 4]);
}

#[test]
fn tags_and_functions_are_depended_on_by_hand() {
    let index = index(100);
    let mut computation = Computation::of(index);
    computation.depend_on(Source::Tag("user:7"));
    let entered = computation.enter();
    assert!(depend_on(Source::Function(5)));
    drop(entered);
    let one = computation.finish(1, 1).computed.unwrap();
    assert_eq!(index.invalidate(Source::Tag("user:8")), []);
    assert_eq!(keys(index.invalidate(Source::Tag("user:7"))), [(1, 1)]);
    // A key of the function, removed by hand or because of something else.
    for source in [Source::Key(5, 3), Source::Key(9, 9), Source::Function(5)] {
        let five = from(index, (5, 7), &[(9, 9)]);
        let one = compute(index, (1, 1), || _ = depend_on(Source::Function(5))).computed.unwrap();
        let gone = keys(index.invalidate(source));
        assert!(gone.contains(&(1, 1)), "{source:?}: {gone:?}");
        drop((five, one));
    }
    drop(one);
    // A function is all of its keys.
    let two = from(index, (2, 2), &[(5, 1), (5, 2), (4, 1)]);
    assert_eq!(keys(index.invalidate(Source::Function(5))), [(2, 2)]);
    drop(two);
    assert_eq!(index.sizes(), [0; 4]);
}

#[test]
fn what_is_invalidated_meanwhile_is_not_kept() {
    let index = index(100);
    let meanwhile = |source: Source<'_>, body: &dyn Fn()| {
        let finished = compute(index, (1, 1), || {
            body();
            let _ = index.invalidate(source);
        });
        finished.computed.is_some_and(|computed| computed.is_current())
    };
    let read_key = || read((0, 0), None);
    let read_function = || _ = depend_on(Source::Function(0));
    let read_tag = || _ = depend_on(Source::Tag("t"));
    assert!(meanwhile(Source::Key(0, 1), &read_key) && meanwhile(Source::Tag("u"), &read_tag));
    assert!(!meanwhile(Source::Key(0, 0), &read_key) && !meanwhile(Source::Function(0), &read_key));
    assert!(!meanwhile(Source::Key(0, 1), &read_function) && !meanwhile(Source::Function(0), &read_function));
    assert!(!meanwhile(Source::Tag("t"), &read_tag));
    // By way of another.
    let inner = from(index, (3, 3), &[(0, 0)]);
    assert!(!meanwhile(Source::Key(0, 0), &|| read((3, 3), Some(&inner))));
    // Before it was read; between the look and what was found.
    let after = compute(index, (1, 1), || {
        read((0, 1), None);
        let _ = index.invalidate(Source::Key(0, 0));
        read((0, 0), None);
    });
    assert!(after.computed.unwrap().is_current());
    let between = compute(index, (1, 1), || {
        let reading = reading();
        let _ = index.invalidate(Source::Key(0, 0));
        reading.of(0, 0, None);
    });
    assert!(!between.computed.unwrap().is_current());
    drop(inner);
    assert_eq!(index.sizes()[..3], [0; 3]);
}

#[test]
fn a_body_that_reads_for_long_is_not_kept_rather_than_remembered_for() {
    let index = index(100);
    let finished = compute(index, (1, 1), || {
        read((0, 0), None);
        for hash in 1..10_000 {
            assert_eq!(index.invalidate(Source::Key(0, hash)), []);
        }
    });
    assert!(!finished.computed.unwrap().is_current());
    assert!(index.sizes()[3] <= 1_000);
    let _ = index.invalidate(Source::Key(0, 0));
    assert_eq!((index.sizes(), from(index, (1, 1), &[(0, 0)]).is_current()), ([0; 4], true));
}

/// A future is polled here and there; in between others run.
#[test]
fn a_body_takes_its_reads_from_thread_to_thread() {
    let index = index(100);
    let (mut one, mut other) = (Computation::of(index), Computation::of(index));
    for step in 0..4 {
        std::thread::scope(|scope| {
            let (one, other) = (&mut one, &mut other);
            scope.spawn(move || {
                let entered = one.enter();
                read((0, step), None);
                {
                    let _inner = other.enter();
                    read((9, step), None);
                }
                read((1, step), None);
                drop(entered);
                assert!(!reading().is_noted());
            });
        });
    }
    let one = one.finish(2, 1).computed.unwrap();
    let other = other.finish(2, 2).computed.unwrap();
    assert_eq!(index.sizes()[..3], [12, 2, 12]);
    assert_eq!(keys(index.invalidate(Source::Key(9, 3))), [(2, 2)]);
    assert_eq!(keys(index.invalidate(Source::Key(1, 3))), [(2, 1)]);
    drop((one, other));
}

#[test]
fn a_body_that_panics_leaves_nothing() {
    let index = index(100);
    let inner = from(index, (1, 1), &[(0, 0)]);
    let end = catch_unwind(AssertUnwindSafe(|| {
        compute(index, (2, 2), || {
            read((1, 1), Some(&inner));
            panic!("as it is to");
        })
    }));
    assert!(end.is_err() && !reading().is_noted());
    assert_eq!(keys(index.invalidate(Source::Key(0, 0))), [(1, 1)]);
    drop(inner);
    assert_eq!(index.sizes(), [0; 4]);
}

#[test]
fn reading_the_same_again_takes_no_room() {
    let index = index(100);
    let computed = compute(index, (1, 1), || {
        for n in 0..100_000 {
            read((0, n % 3), None);
        }
    });
    assert_eq!(index.sizes()[..3], [3, 1, 3]);
    drop(computed);
}

/// Entries are crowded out before there are too many edges; what cannot be noted is not kept.
#[test]
fn there_is_a_bound() {
    let index = index(1_000);
    let mut cache = HashMap::new();
    for hash in 0..10_000 {
        let finished = compute(index, (1, hash), || (0..5).for_each(|n| read((0, hash * 5 + n), None)));
        cache.insert((1, hash), finished.computed.unwrap());
        for gone in finished.crowded_out {
            assert!(cache.remove(&(gone.cache, gone.hash)).is_some_and(|computed| computed.is(&gone)));
        }
        assert!(index.sizes()[2] <= 1_005);
        assert!(cache.values().all(Computed::is_current));
    }
    assert_eq!(cache.len(), 200);
    let large = compute(index, (2, 2), || (0..1_001).for_each(|n| read((0, n), None)));
    assert!(!large.computed.unwrap().is_current());
    // Two that are each computed from the last of the other, for ever: the record of each holds all before it.
    cache.clear();
    let mut last: Option<Computed> = None;
    for n in 0..10_000_u64 {
        let key = (3, n % 2);
        let finished = compute(index, key, || read((3, 1 - n % 2), last.as_ref()));
        last = finished.computed.filter(Computed::is_current);
        assert!(index.sizes()[2] <= 1_001);
    }
    drop(last);
    assert_eq!(index.sizes(), [0; 4]);
}

/// A chain as long as it can be is freed without a stack as deep.
#[test]
fn a_long_chain_is_freed() {
    let index = index(300_000);
    let mut last = from(index, (1, 0), &[(0, 0)]);
    for n in 1..200_000 {
        last = compute(index, (1, n), || read((1, n - 1), Some(&last))).computed.unwrap();
    }
    assert_eq!(index.invalidate(Source::Key(0, 0)).len(), 200_000);
    assert!(index.bytes() > 10_000_000);
    drop(last);
    assert!(index.bytes() < 1_000);
    assert_eq!(index.sizes(), [0; 4]);
}

/// Everything at once, and not everything for each.
#[test]
fn many_entries_may_depend_on_one_function() {
    let index = index(100_000);
    let inner: Vec<Computed> = (0..10_000).map(|hash| from(index, (1, hash), &[(0, 0)])).collect();
    let watch = |hash| compute(index, (2, hash), || _ = depend_on(Source::Function(1))).computed.unwrap();
    let outer: Vec<Computed> = (0..10_000).map(watch).collect();
    assert_eq!(index.invalidate(Source::Key(0, 0)).len(), 20_000);
    assert!(inner.iter().chain(&outer).all(|computed| !computed.is_current()));
}

#[test]
fn a_million_inserts_and_invalidations_take_no_more_memory_than_ten_thousand() {
    let index = index(1 << 20);
    let (mut inner, mut outer) = (HashMap::<u64, Computed>::new(), HashMap::<u64, Computed>::new());
    let (mut random, mut most_before, mut most) = (1_u64, 0, 0);
    for step in 0..1_000_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (key, what) = (random >> 33 & 255, random >> 60);
        let gone = match what {
            0..4 => {
                let source = Source::Key(0, random >> 45 & 63);
                inner.insert(key, compute(index, (1, key), || _ = depend_on(source)).computed.unwrap());
                Vec::new()
            }
            4..8 => {
                let body = || {
                    for n in 0..3 {
                        let key = (key + n * 31) & 255;
                        read((1, key), inner.get(&key));
                    }
                };
                let computed = compute(index, (2, key), body).computed.filter(Computed::is_current);
                outer.insert(key, computed.unwrap());
                Vec::new()
            }
            8..10 => {
                // Evicted.
                inner.remove(&key);
                Vec::new()
            }
            10..14 => index.invalidate(Source::Key(0, key & 63)),
            _ => {
                inner.remove(&key);
                index.invalidate(Source::Key(1, key))
            }
        };
        for gone in gone {
            let cache = if gone.cache == 1 { &mut inner } else { &mut outer };
            if cache.get(&gone.hash).is_some_and(|computed| computed.is(&gone)) {
                cache.remove(&gone.hash);
            }
        }
        if step % 1_000 == 0 {
            let most = if step <= 10_000 { &mut most_before } else { &mut most };
            *most = index.bytes().max(*most);
        }
    }
    println!("{most_before} bytes, then {most}: {:?} nodes, records, edges", index.sizes());
    assert!(most * 2 <= most_before * 3, "{most_before} bytes, then {most}");
    drop((inner, outer));
    assert_eq!(index.sizes(), [0; 4]);
}

/// What a store does with the index. A key of cache 0 is what a source is now, tagged; one of another cache is the sum of a few
/// of the cache before.
pub(super) struct Store {
    index: &'static Dependencies,
    sources: Vec<AtomicU64>,
    /// Keys that one is computed from.
    width: u64,
    entries: Mutex<HashMap<Key, Entry>>,
}

type Entry = (u64, Option<Computed>);

impl Store {
    pub(super) fn new(sources: usize, width: u64) -> Self {
        let sources = (0..sources).map(|_| AtomicU64::new(0)).collect();
        Store { index: index(1 << 16), sources, width, entries: Mutex::new(HashMap::new()) }
    }

    /// Looks, computes with no lock held, and looks at the record under the lock.
    pub(super) fn get(&self, key: Key) -> u64 {
        let reading = reading();
        let found = self.entries.lock().get(&key).cloned();
        if let Some((value, computed)) = found {
            reading.of(key.0, key.1, computed.as_ref());
            return value;
        }
        let mut computation = Computation::of(self.index);
        if key.0 == 0 {
            computation.depend_on(Source::Tag(["even", "odd"][key.1 as usize % 2]));
        }
        let entered = computation.enter();
        let value = if key.0 == 0 {
            self.sources[key.1 as usize].load(Ordering::SeqCst)
        } else {
            (key.1..key.1 + self.width).map(|n| self.get((key.0 - 1, n % self.sources.len() as u64))).sum()
        };
        drop(entered);
        let Finished { computed, crowded_out } = computation.finish(key.0, key.1);
        assert!(crowded_out.is_empty());
        reading.of(key.0, key.1, computed.as_ref());
        let mut entries = self.entries.lock();
        let is_current = computed.as_ref().is_none_or(Computed::is_current);
        let before = if is_current { entries.insert(key, (value, computed)) } else { None };
        drop(entries);
        drop(before);
        value
    }

    pub(super) fn evict(&self, key: Key) {
        let evicted = self.entries.lock().remove(&key);
        drop(evicted);
    }

    /// Changes a source, and says so.
    pub(super) fn change(&self, source: u64) {
        self.sources[source as usize].fetch_add(1, Ordering::SeqCst);
        for gone in self.index.invalidate(Source::Tag(["even", "odd"][source as usize % 2])) {
            let key = (gone.cache, gone.hash);
            let is_it = |entry: &Entry| entry.1.as_ref().is_some_and(|computed| computed.is(&gone));
            let mut entries = self.entries.lock();
            let removed = if entries.get(&key).is_some_and(is_it) { entries.remove(&key) } else { None };
            drop(entries);
            drop(removed);
        }
    }

    /// Nothing is under way any more: all is as it would be computed now, and nothing is left of what is gone.
    pub(super) fn check(self) {
        let entries = core::mem::take(&mut *self.entries.lock());
        for (key, (value, _)) in entries {
            assert_eq!(value, self.get(key), "{key:?}");
        }
        self.entries.lock().clear();
        assert_eq!(self.index.sizes(), [0; 4]);
    }
}

/// Four threads look up what is computed from what two others change. When all is done no result is older than what it was
/// computed from.
#[test]
fn nothing_outdated_stays() {
    let store = Store::new(8, 3);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..1_500 {
                    store.get((n % 4, (u64::from(n) + thread) % 8));
                    if n % 7 == 0 {
                        store.evict((n % 3, u64::from(n) % 8));
                    }
                    std::thread::yield_now();
                }
            });
        }
        for thread in 0..2 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..1_000 {
                    store.change((n * 2 + thread) % 8);
                    std::thread::yield_now();
                }
            });
        }
    });
    store.check();
}

/// What happens to a few caches.
#[derive(Clone, Debug)]
enum Operation {
    Compute { key: Key, reads: Vec<Key>, tag: Option<u8>, function: Option<u32>, meanwhile: Option<Key> },
    Evict(Key),
    Invalidate(Key),
    InvalidateTag(u8),
    Clear(u32),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let key = || (0..4_u32, 0..4_u64);
    let rarely = |one: BoxedStrategy<u32>| prop_oneof![4 => Just(None), 1 => one.prop_map(Some)];
    let computed = (
        key(),
        vec(key(), 0..4),
        rarely((0..3_u32).boxed()),
        rarely((0..4_u32).boxed()),
        prop_oneof![6 => Just(None), 1 => key().prop_map(Some)],
    )
        .prop_map(|(key, reads, tag, function, meanwhile)| Operation::Compute {
            key,
            reads,
            tag: tag.map(|tag| tag as u8),
            function,
            meanwhile,
        });
    let operation = prop_oneof![
        8 => computed,
        2 => key().prop_map(Operation::Evict),
        3 => key().prop_map(Operation::Invalidate),
        1 => (0..3_u8).prop_map(Operation::InvalidateTag),
        1 => (0..4_u32).prop_map(Operation::Clear),
    ];
    vec(operation, 0..120)
}

const TAGS: [&str; 3] = ["red", "green", "blue"];

/// Everything that was ever computed, and a search through all of it.
#[derive(Default)]
struct Model {
    versions: Vec<Version>,
    live: HashMap<Key, usize>,
}

struct Version {
    key: Key,
    from: Vec<Dependency>,
    is_outdated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Dependency {
    /// With what was there, if it was computed from something.
    Key(Key, Option<usize>),
    Function(u32),
    Tag(u8),
}

impl Model {
    /// Versions that somebody holds, by an entry or because something was computed from them.
    fn held(&self, from: &[Dependency]) -> HashSet<usize> {
        let version =
            |from: &Dependency| if let Dependency::Key(_, version) = from { *version } else { None };
        let mut reached: Vec<usize> =
            self.live.values().copied().chain(from.iter().filter_map(version)).collect();
        let mut held = HashSet::new();
        while let Some(next) = reached.pop() {
            if held.insert(next) {
                reached.extend(self.versions[next].from.iter().filter_map(version));
            }
        }
        held
    }

    /// What becomes outdated, and the caches in which something changes. A body is running that has read `reads`.
    fn invalidate(
        &mut self,
        is_source: impl Fn(&Dependency) -> bool,
        cache: Option<u32>,
        reads: &[Dependency],
    ) -> (HashSet<usize>, HashSet<u32>) {
        let (held, mut reached) = (self.held(reads), HashSet::new());
        let mut changed: HashSet<u32> = cache.into_iter().collect();
        loop {
            let is_reached = |dependency: &Dependency| {
                is_source(dependency)
                    || match dependency {
                        Dependency::Key(_, version) => {
                            version.is_some_and(|version| reached.contains(&version))
                        }
                        Dependency::Function(cache) => changed.contains(cache),
                        Dependency::Tag(_) => false,
                    }
            };
            let next = (0..self.versions.len()).find(|n| {
                let version = &self.versions[*n];
                held.contains(n) && !version.is_outdated && version.from.iter().any(is_reached)
            });
            let Some(next) = next else { return (reached, changed) };
            self.versions[next].is_outdated = true;
            changed.insert(self.versions[next].key.0);
            reached.insert(next);
        }
    }
}

proptest! {
    #[test]
    fn it_removes_what_a_search_through_everything_finds(operations in operations()) {
        let index = index(10_000);
        let mut model = Model::default();
        // What a store has: records by key, each with the version that it is.
        let mut entries: HashMap<Key, (Option<Computed>, usize)> = HashMap::new();
        for operation in operations {
            let (gone, reached) = match operation {
                Operation::Evict(key) => {
                    entries.remove(&key);
                    model.live.remove(&key);
                    continue;
                }
                Operation::Invalidate(key) => {
                    entries.remove(&key);
                    model.live.remove(&key);
                    let is_source = |from: &Dependency| matches!(from, Dependency::Key(of, _) if *of == key);
                    (index.invalidate(Source::Key(key.0, key.1)), model.invalidate(is_source, Some(key.0), &[]).0)
                }
                Operation::InvalidateTag(tag) => {
                    let is_source = |from: &Dependency| *from == Dependency::Tag(tag);
                    (index.invalidate(Source::Tag(TAGS[usize::from(tag)])), model.invalidate(is_source, None, &[]).0)
                }
                Operation::Clear(cache) => {
                    entries.retain(|key, _| key.0 != cache);
                    model.live.retain(|key, _| key.0 != cache);
                    let is_source = |from: &Dependency| matches!(from, Dependency::Key(of, _) if of.0 == cache);
                    (index.invalidate(Source::Function(cache)), model.invalidate(is_source, Some(cache), &[]).0)
                }
                Operation::Compute { key, reads, tag, function, meanwhile } => {
                    let mut computation = Computation::of(index);
                    let mut from = Vec::new();
                    if let Some(tag) = tag {
                        computation.depend_on(Source::Tag(TAGS[usize::from(tag)]));
                        from.push(Dependency::Tag(tag));
                    }
                    let entered = computation.enter();
                    for key in reads {
                        let computed = entries.get(&key).and_then(|entry| entry.0.as_ref());
                        read(key, computed);
                        from.push(Dependency::Key(key, computed.map(|_| entries[&key].1)));
                    }
                    if let Some(cache) = function {
                        depend_on(Source::Function(cache));
                        from.push(Dependency::Function(cache));
                    }
                    let (mut gone, mut reached, mut is_outdated) = (Vec::new(), HashSet::new(), false);
                    if let Some(other) = meanwhile {
                        entries.remove(&other);
                        model.live.remove(&other);
                        let is_source = |from: &Dependency| matches!(from, Dependency::Key(of, _) if *of == other);
                        gone = index.invalidate(Source::Key(other.0, other.1));
                        let changed;
                        (reached, changed) = model.invalidate(is_source, Some(other.0), &from);
                        is_outdated = from.iter().any(|from| match from {
                            Dependency::Key(key, version) => {
                                *key == other || version.is_some_and(|version| reached.contains(&version))
                            }
                            Dependency::Function(cache) => changed.contains(cache),
                            Dependency::Tag(_) => false,
                        });
                    }
                    drop(entered);
                    let finished = computation.finish(key.0, key.1);
                    prop_assert_eq!(finished.computed.is_some(), !from.is_empty());
                    let is_current = finished.computed.as_ref().is_none_or(Computed::is_current);
                    prop_assert_eq!(is_current, !is_outdated);
                    if is_current {
                        let version = model.versions.len();
                        model.versions.push(Version { key, from, is_outdated: false });
                        entries.insert(key, (finished.computed, version));
                        model.live.insert(key, version);
                    }
                    (gone, reached)
                }
            };
            prop_assert_eq!(gone.iter().collect::<HashSet<_>>().len(), gone.len(), "each once");
            for gone in gone {
                let key = (gone.cache, gone.hash);
                let is_it = entries.get(&key).and_then(|entry| entry.0.as_ref()).is_some_and(|computed| computed.is(&gone));
                if is_it {
                    entries.remove(&key);
                }
            }
            model.live.retain(|_, version| !reached.contains(version));
            let mut live: Vec<_> = entries.iter().map(|(key, entry)| (*key, entry.1)).collect();
            let mut expected: Vec<_> = model.live.iter().map(|(key, version)| (*key, *version)).collect();
            live.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(live, expected);
            prop_assert!(entries.values().all(|entry| entry.0.as_ref().is_none_or(Computed::is_current)));
        }
        entries.clear();
        prop_assert_eq!(&index.sizes()[..3], [0; 3]);
    }
}
