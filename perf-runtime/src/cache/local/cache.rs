//! What all threads know of a cache that each of them has for itself, and where each finds its store.

use core::any::Any;
use core::cell::RefCell;
use core::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use super::super::dependency;
use super::super::registry::{AnyCache, Wanted};
use super::super::stats::CacheStats;
use super::super::store::Limits;
use super::counts::{Counts, Threads};
use super::store::Store;
use super::table::Table;
use crate::clock;
use crate::sync::{AtomicUsize, Mutex, Ordering, thread_local};

/// What all threads know of a cache that each of them has for itself.
pub(in super::super) struct Local<K, S> {
    /// What the index of dependencies knows it by.
    number: u32,
    pub(super) seed: foldhash::fast::RandomState,
    limits: Limits,
    /// Where a thread's list has the store.
    place: usize,
    threads: Mutex<Threads>,
    types: PhantomData<fn(K) -> S>,
}

thread_local! {
    /// This thread's stores, each where its cache says.
    static STORES: RefCell<Vec<Option<Rc<dyn Any>>>> = const { RefCell::new(Vec::new()) };
}

impl<K: 'static, S: 'static> AnyCache for Local<K, S> {
    fn new(wanted: &Wanted) -> Self {
        static PLACES: AtomicUsize = AtomicUsize::new(0);
        Local {
            seed: foldhash::fast::RandomState::default(),
            limits: wanted.limits,
            number: wanted.number,
            place: PLACES.fetch_add(1, Ordering::Relaxed),
            threads: Mutex::new(Threads::default()),
            types: PhantomData,
        }
    }

    fn stats(&self) -> CacheStats {
        let threads = self.threads.lock();
        let (mut sum, mut ticks) = (threads.ended, threads.ended_ticks);
        for counts in &threads.running {
            sum.add(&counts.stats());
            ticks += counts.load_ticks.get();
        }
        drop(threads);
        sum.max_size = self.limits.max_size as u64;
        if ticks > 0 {
            sum.load_time = clock::rate().duration(ticks);
        }
        sum
    }

    fn clear(&self) -> u64 {
        self.store().map_or(0, |store| store.clear())
    }

    fn number(&self) -> u32 {
        self.number
    }

    /// Each thread's store keeps its size.
    fn resize(&self, _: usize) {}

    /// What is in a thread's own store depends on nothing.
    fn remove(&self, _: &dependency::Gone) -> bool {
        false
    }
}

impl<K: 'static, S: 'static> Local<K, S> {
    /// This thread's store, if it has one; none at its very end.
    #[inline]
    pub(super) fn store(&self) -> Option<Rc<Store<K, S>>> {
        let store = STORES.try_with(|stores| stores.borrow().get(self.place)?.clone()).ok()??;
        store.downcast().ok()
    }

    /// The same, made if need be.
    #[inline]
    pub(super) fn store_or_new(&'static self) -> Option<Rc<Store<K, S>>> {
        self.store().or_else(|| self.new_store())
    }

    /// What `take` makes of the result of the key for which `is` holds. Counts a hit, if it is a use and there is one.
    #[inline]
    pub(super) fn find<T>(
        &self,
        hash: u64,
        is: impl Fn(&K) -> bool,
        take: impl Fn(&S) -> T,
        is_use: bool,
    ) -> Option<T> {
        let found = STORES.try_with(|stores| {
            let stores = stores.borrow();
            let store = stores.get(self.place)?.as_ref()?.downcast_ref::<Store<K, S>>()?;
            Some(store.first(hash, is_use))
        });
        // What is over is dropped here, where nothing is borrowed.
        let entry = found.ok()??.ok()?;
        if is(&entry.key) {
            return Some(take(&entry.value));
        }
        self.find_among(hash, &is, &take, is_use)
    }

    /// The same where several keys have one hash.
    #[cold]
    #[inline(never)]
    pub(super) fn find_among<T>(
        &self,
        hash: u64,
        is: &impl Fn(&K) -> bool,
        take: &impl Fn(&S) -> T,
        is_use: bool,
    ) -> Option<T> {
        let store = self.store()?;
        let others = store.others(hash);
        let found = others.iter().find(|(_, entry)| is(&entry.key)).map(|(_, entry)| take(&entry.value));
        if is_use && found.is_none() {
            // It was counted as one.
            store.counts.hits.add(u64::MAX);
        }
        found
    }

    #[cold]
    #[inline(never)]
    pub(super) fn new_store(&'static self) -> Option<Rc<Store<K, S>>> {
        let counts = Arc::new(Counts::default());
        let store = Rc::new(Store {
            limits: self.limits,
            is_timed: self.limits.ttl.is_some() || self.limits.tti.is_some(),
            wants_uses: self.limits.policy.wants_uses(),
            threads: &self.threads,
            counts: Arc::clone(&counts),
            entries: RefCell::new(Table::new(&self.limits)),
        });
        let put = STORES.try_with(|stores| {
            let mut stores = stores.borrow_mut();
            if stores.len() <= self.place {
                stores.resize(self.place + 1, None);
            }
            stores[self.place] = Some(Rc::<Store<K, S>>::clone(&store));
        });
        put.ok()?;
        self.threads.lock().running.push(counts);
        Some(store)
    }
}
