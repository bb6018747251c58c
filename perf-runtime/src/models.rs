//! Small models of what runs concurrently, under the model checker's schedules: `scripts/models.sh`.
//!
//! Each runs real code of this crate with two or three threads; a deadlock, a lost wake-up or a broken promise ends the run with the schedule that led to it.

use std::sync::Arc;

use shuttle::thread;

/// Tries a model under schedules of two kinds, as many of each as `PERFKIT_SCHEDULES` says: at random, and with few switches at random
/// places, which finds what only a long run of one thread shows (S. Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of
/// Finding Bugs", ASPLOS 2010).
pub(crate) fn check(model: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("PERFKIT_SCHEDULES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let model = Arc::new(move || {
        // While there is one thread: the clock is set up behind a lock that the model checker does not know.
        let _ = crate::clock::now();
        model();
    });
    let again = Arc::clone(&model);
    shuttle::check_random(move || model(), schedules);
    shuttle::check_pct(move || again(), schedules, 3);
}

mod cache {
    use core::hash::{Hash, Hasher};

    use shuttle::sync::atomic::{AtomicU32, Ordering};

    use super::{Arc, check, thread};
    use crate::cache::argument::{Argument, Fit as _};
    use crate::cache::{Binding, CacheHandle, CacheSite, Found, KeepAny, Policy, look_up};
    use crate::site::Site;

    static SITE: Site = Site::new(|| "model", "", 0, 0, 0);

    /// A site of its own for each schedule.
    fn site() -> &'static CacheSite {
        Box::leak(Box::new(CacheSite::new(&SITE).max_size(2).policy(Policy::Lru)))
    }

    /// From ten on all have one hash.
    #[derive(Clone, PartialEq, Eq)]
    struct Key(u32);

    impl Hash for Key {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.min(10).hash(state);
        }
    }

    /// What generated code does.
    fn call(site: &'static CacheSite, key: u32, body: impl FnOnce() -> u32) -> u32 {
        let key = Key(key);
        match look_up(site.instance(()), &key, |key| (Argument(key).__perfkit_part(), ()), KeepAny) {
            Found::Hit(result) => result,
            Found::Miss(miss) => miss.run(body),
        }
    }

    fn handle<'a>(site: &'static CacheSite) -> CacheHandle<&'a Key, u32, impl Binding<&'a Key, u32> + Copy> {
        CacheHandle::new(site.instance(()), |key: &'a Key| (Argument(key).__perfkit_part(), ()), KeepAny)
    }

    fn prime(site: &'static CacheSite, key: u32, body: impl FnOnce() -> u32) -> u32 {
        handle(site).primer(&Key(key)).prime(body)
    }

    #[test]
    fn one_key_is_computed_once() {
        check(|| {
            let (site, runs) = (site(), Arc::new(AtomicU32::new(0)));
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let runs = Arc::clone(&runs);
                    thread::spawn(move || {
                        call(site, 1, || {
                            thread::yield_now();
                            runs.fetch_add(1, Ordering::SeqCst) + 10
                        })
                    })
                })
                .collect();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), 10);
            }
            assert_eq!(runs.load(Ordering::SeqCst), 1);
            let stats = site.stats();
            assert_eq!((stats.hits + stats.misses, stats.misses), (3, stats.loads + stats.waits));
        });
    }

    #[test]
    fn a_leader_that_gives_up_hands_over() {
        check(|| {
            let (site, runs) = (site(), Arc::new(AtomicU32::new(0)));
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let runs = Arc::clone(&runs);
                    thread::spawn(move || {
                        // Without the hook: the first body always panics.
                        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                            call(site, 1, || {
                                if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                                    std::panic::resume_unwind(Box::new("on purpose"));
                                }
                                7
                            })
                        }))
                    })
                })
                .collect();
            let ends: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            assert_eq!(ends.iter().filter(|end| end.is_err()).count(), 1);
            assert!(ends.iter().flatten().all(|result| *result == 7));
            assert_eq!(runs.load(Ordering::SeqCst), 2);
        });
    }

    #[test]
    fn a_ring_does_not_hang() {
        check(|| {
            let (site, inside) = (site(), Arc::new([AtomicU32::new(0), AtomicU32::new(0)]));
            fn link(site: &'static CacheSite, inside: &Arc<[AtomicU32; 2]>, key: u32) -> u32 {
                call(site, key, || {
                    // The second time around a ring it asks for nothing.
                    if inside[key as usize].fetch_add(1, Ordering::SeqCst) == 0 {
                        link(site, inside, 1 - key) + 1
                    } else {
                        0
                    }
                })
            }
            let threads: Vec<_> = (0..2)
                .map(|key| {
                    let inside = Arc::clone(&inside);
                    thread::spawn(move || link(site, &inside, key))
                })
                .collect();
            for thread in threads {
                assert!(thread.join().unwrap() <= 2);
            }
        });
    }

    #[test]
    fn what_is_invalidated_meanwhile_is_not_kept() {
        check(|| {
            let (site, value) = (site(), Arc::new(AtomicU32::new(1)));
            let reader = {
                let value = Arc::clone(&value);
                thread::spawn(move || call(site, 1, || value.load(Ordering::SeqCst)))
            };
            value.store(2, Ordering::SeqCst);
            site.clear();
            // Whatever was read before, nobody who asks from now on is told the old value.
            assert_eq!(call(site, 1, || value.load(Ordering::SeqCst)), 2);
            assert!(reader.join().unwrap() <= 2);
            assert_eq!(call(site, 1, || 3), 2);
        });
    }

    /// Two runs that keep whatever was there, and a change of what they read between their beginnings.
    #[test]
    fn what_began_last_is_kept() {
        check(|| {
            let (site, value) = (site(), Arc::new(AtomicU32::new(1)));
            let older = {
                let value = Arc::clone(&value);
                thread::spawn(move || prime(site, 1, || value.load(Ordering::SeqCst)))
            };
            let reader = {
                let value = Arc::clone(&value);
                thread::spawn(move || call(site, 1, || value.load(Ordering::SeqCst)))
            };
            value.store(2, Ordering::SeqCst);
            // Began after the change, and so do all that come after it.
            assert_eq!(prime(site, 1, || value.load(Ordering::SeqCst)), 2);
            assert_eq!(call(site, 1, || 3), 2);
            assert!(older.join().unwrap() <= 2 && reader.join().unwrap() <= 2);
            assert_eq!((call(site, 1, || 3), site.stats().len), (2, 1));
        });
    }

    /// Two keys of one hash, and one that is removed over and over.
    #[test]
    fn keys_of_one_hash_do_not_disturb_each_other() {
        check(|| {
            let site = site();
            let threads: Vec<_> = [10, 11]
                .map(|key| {
                    thread::spawn(move || {
                        assert_eq!(call(site, key, || key), key);
                        if key == 10 {
                            handle(site).invalidate(&Key(10));
                        }
                        assert_eq!(call(site, key, || key), key);
                    })
                })
                .into();
            for thread in threads {
                thread.join().unwrap();
            }
            let stats = site.stats();
            assert_eq!((stats.len, stats.evicted), (2, 0));
            assert!(stats.loads == 2 + stats.invalidated, "{stats:?}");
        });
    }

    #[test]
    fn a_full_cache_stays_within_its_size() {
        check(|| {
            let site = site();
            let threads: Vec<_> = (0..3)
                .map(|start| {
                    thread::spawn(move || {
                        for key in start..start + 2 {
                            assert_eq!(call(site, key, || key * 10), key * 10);
                            assert!(site.stats().len <= 2);
                        }
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }

    /// Whoever takes a place under the old limit may do so after the cache was made smaller.
    #[test]
    fn a_cache_that_was_made_smaller_becomes_so() {
        check(|| {
            let site = site();
            let threads: Vec<_> = (0..2).map(|key| thread::spawn(move || call(site, key, || key))).collect();
            site.resize(1);
            for thread in threads {
                thread.join().unwrap();
            }
            call(site, 2, || 2);
            assert_eq!(site.stats().len, 1);
        });
    }

    /// A result that knows whether it was dropped, and takes its time to be cloned.
    #[derive(Debug)]
    struct Fragile(Arc<AtomicU32>);

    impl Fragile {
        fn new() -> Self {
            Fragile(Arc::new(AtomicU32::new(1)))
        }

        fn check(&self) {
            assert_eq!(self.0.load(Ordering::SeqCst), 1, "it is used after it was dropped");
        }
    }

    impl Clone for Fragile {
        fn clone(&self) -> Self {
            self.check();
            thread::yield_now();
            self.check();
            Fragile::new()
        }
    }

    impl Drop for Fragile {
        fn drop(&mut self) {
            self.0.store(0, Ordering::SeqCst);
        }
    }

    fn fragile(site: &'static CacheSite, key: u32) {
        let key = Key(key);
        let found = look_up(site.instance(()), &key, |key| (Argument(key).__perfkit_part(), ()), KeepAny);
        match found {
            Found::Hit(result) => result,
            Found::Miss(miss) => miss.run(Fragile::new),
        }
        .check();
    }

    /// Hits take no lock: what gives way under them, or is invalidated, is there until they are done.
    #[test]
    fn what_is_read_is_not_dropped() {
        check(|| {
            let site = site();
            let reader = thread::spawn(move || (0..4).for_each(|_| fragile(site, 1)));
            let writer = thread::spawn(move || (1..5).for_each(|key| fragile(site, key)));
            fragile(site, 1);
            let handle: CacheHandle<&Key, Fragile, _> = CacheHandle::new(
                site.instance(()),
                |key: &Key| (Argument(key).__perfkit_part(), ()),
                KeepAny,
            );
            handle.invalidate(&Key(1));
            handle.clear();
            reader.join().unwrap();
            writer.join().unwrap();
            assert!(site.stats().len <= 2);
        });
    }

    /// Two shards, which rely on each other's looks at who reads: what is used when one of them looks, or comes to be used after that, outlives
    /// what it says.
    #[test]
    fn what_is_read_is_not_dropped_on_the_word_of_another_shard() {
        check(|| {
            let site: &'static CacheSite =
                Box::leak(Box::new(CacheSite::new(&SITE).max_size(4).policy(Policy::Lru)));
            let threads = [[1, 2, 1, 2, 1], [1, 3, 4, 5, 6], [2, 7, 8, 9, 1]]
                .map(|keys| thread::spawn(move || keys.into_iter().for_each(|key| fragile(site, key))));
            for thread in threads {
                thread.join().unwrap();
            }
            assert!(site.stats().len <= 4);
        });
    }
}

mod pool {
    use super::{check, thread};
    use crate::pool::Pool;

    #[test]
    fn every_object_is_somewhere() {
        check(|| {
            let pool: &'static Pool<Vec<u8>> =
                Box::leak(Box::new(Pool::new(Vec::new).max_size(2).prefill(1)));
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    thread::spawn(move || {
                        let first = pool.borrow();
                        let second = pool.borrow();
                        drop(first);
                        thread::yield_now();
                        drop(second);
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
            let stats = pool.stats();
            assert_eq!((stats.borrowed, stats.in_use), (6, 0));
            assert_eq!(stats.borrowed, stats.returned + stats.discarded);
            assert!(stats.idle <= 2 && stats.peak_in_use <= 6, "{stats:?}");
        });
    }
}

mod profile {
    use super::{check, thread};
    use crate::profile::{Frame, rows};
    use crate::site::{Sampling, Site};

    static OUTER: Site = Site::new(|| "outer", "", 1, 1, 1);
    static INNER: Site = Site::new(|| "inner", "", 2, 1, 1);
    static SAMPLED: Site = Site::new(|| "sampled", "", 3, 1, 1).sampled(Sampling::OneIn(2));

    fn calls(name: &str) -> u64 {
        rows().functions.iter().filter(|row| row.name == name).map(|row| row.calls).sum()
    }

    /// Threads publish nodes and hand on their trees while another one reads. The trees live on from one schedule to the next.
    #[test]
    fn a_reader_sees_whole_nodes_and_loses_no_call() {
        check(|| {
            let before = calls("inner");
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    thread::spawn(|| {
                        let _outer = Frame::enter(&OUTER);
                        drop(Frame::enter(&INNER));
                    })
                })
                .collect();
            let seen = calls("inner");
            assert!((before..=before + 2).contains(&seen), "{seen} after {before}");
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(calls("inner"), before + 2);
        });
    }

    /// The sums of a sampled node are many, and are read one after the other while they are written.
    #[test]
    fn a_reader_of_a_sampled_node_sees_every_call_once() {
        check(|| {
            let before = calls("sampled");
            let thread = thread::spawn(|| (0..4).for_each(|_| drop(Frame::enter(&SAMPLED))));
            let mut last = before;
            for _ in 0..3 {
                let rows = rows();
                let Some(row) = rows.functions.iter().find(|row| row.name == "sampled") else { continue };
                assert!((last..=before + 4).contains(&row.calls), "{} after {last}", row.calls);
                assert!(row.self_time <= row.total_time, "{row:?}");
                let timed = row.estimate.map_or(row.calls, |estimate| estimate.timed_calls);
                assert!(timed <= row.calls, "{row:?}");
                last = row.calls;
            }
            thread.join().unwrap();
            assert_eq!(calls("sampled"), before + 4);
        });
    }
}
