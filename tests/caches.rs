//! All caches of the program: found, listed, cleared, made smaller and larger, and growing by themselves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};

use perfkit::cache::set_adaptive;
use perfkit::{CacheRef, cached, caches};

/// Clearing all caches, or letting all of them grow, is felt by every test.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> impl Drop {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

mod shop {
    pub(crate) mod users {
        #[perfkit::cached]
        pub(crate) fn lookup(id: u32) -> u32 {
            id
        }
    }

    pub(crate) mod items {
        #[perfkit::cached(max_size = 50)]
        pub(crate) fn lookup(id: u32) -> u32 {
            id
        }
    }
}

#[cached(name = "what the label says")]
fn labelled(id: u32) -> u32 {
    id
}

#[allow(dead_code, reason = "never called")]
#[cached(max_size = 5)]
fn never_called(id: u32) -> u32 {
    id
}

#[track_caller]
fn find(name: &str) -> CacheRef {
    caches().find(name).unwrap_or_else(|| panic!("no cache {name}: {:?}", caches()))
}

#[test]
fn caches_are_found_by_what_they_are_called() {
    let _alone = alone();
    assert_eq!(find("users::lookup").name(), "caches::shop::users::lookup");
    assert_eq!(find("caches::shop::items::lookup").max_size(), 50);
    assert_eq!(find("what the label says").name(), "what the label says");
    for name in ["lookup", "sers::lookup", "label says", "", "::", "no::such"] {
        assert!(caches().find(name).is_none(), "{name}");
    }
    let location = find("never_called").location();
    assert!(location.file.ends_with("caches.rs") && location.line > 30, "{location:?}");
    let never_called = find("never_called");
    assert_eq!(
        (never_called.stats().misses, never_called.max_size(), never_called.stats().max_size),
        (0, 5, 5)
    );
    assert!(format!("{never_called:?}").contains("never_called"));
}

#[test]
fn all_are_listed_in_order() {
    let _alone = alone();
    let names: Vec<String> = caches().into_iter().map(|cache| cache.name().to_string()).collect();
    assert!(names.is_sorted() && names.len() == caches().len() && !caches().is_empty(), "{names:?}");
    for name in ["caches::never_called", "caches::shop::items::lookup", "what the label says"] {
        assert!(names.iter().any(|other| other == name), "{names:?}");
    }
}

#[test]
fn one_or_all_are_cleared() {
    let _alone = alone();
    caches().clear();
    (0..10).for_each(|id| _ = shop::users::lookup(id));
    (0..7).for_each(|id| _ = shop::items::lookup(id));
    assert_eq!(find("users::lookup").stats().len, 10);
    assert_eq!(find("users::lookup").clear(), 10);
    assert_eq!((find("users::lookup").stats().len, find("items::lookup").stats().len), (0, 7));
    labelled(1);
    assert_eq!(caches().clear(), 8);
    assert!(caches().into_iter().all(|cache| cache.stats().len == 0));
}

#[test]
fn a_cache_shrinks_at_once_and_grows_when_it_is_used() {
    #[cached(max_size = 5_000)]
    fn squares(n: u64) -> Arc<u64> {
        Arc::new(n * n)
    }

    let _alone = alone();
    let kept: Vec<Arc<u64>> = (0..5_000).map(squares).collect();
    let cache = find("squares");
    assert_eq!((cache.stats().len, cache.max_size()), (5_000, 5_000));
    cache.resize(1_000);
    let stats = cache.stats();
    assert_eq!((stats.len, stats.max_size, stats.evicted), (1_000, 1_000, 4_000));
    assert_eq!(cache.max_size(), 1_000);
    // What gave way is dropped, not only out of reach.
    assert_eq!(kept.iter().filter(|value| Arc::strong_count(value) == 2).count(), 1_000);
    (0..5_000).for_each(|n| assert_eq!(*squares(n), n * n));
    assert_eq!(cache.stats().len, 1_000);
    cache.resize(20_000);
    (0..15_000).for_each(|n| assert_eq!(*squares(n), n * n));
    assert_eq!(cache.stats().len, 15_000);
    let loads = cache.stats().loads;
    (0..15_000).for_each(|n| assert_eq!(*squares(n), n * n));
    assert_eq!(cache.stats().loads, loads, "all of them are there");
    cache.resize(0);
    assert_eq!((cache.stats().len, cache.max_size()), (1, 1));
    cache.resize(usize::MAX);
    assert_eq!(cache.max_size(), 1 << 31);
}

#[test]
fn every_policy_shrinks() {
    #[cached(max_size = 1_000, policy = "lru")]
    fn lru(n: u32) -> u32 {
        n
    }
    #[cached(max_size = 1_000, policy = "lfu")]
    fn lfu(n: u32) -> u32 {
        n
    }
    #[cached(max_size = 1_000, policy = "fifo")]
    fn fifo(n: u32) -> u32 {
        n
    }
    #[cached(max_size = 1_000, ttl = 600)]
    fn timed(n: u32) -> u32 {
        n
    }

    let _alone = alone();
    for function in [lru, lfu, fifo, timed] {
        (0..1_000).for_each(|n| _ = function(n));
    }
    for name in ["lru", "lfu", "fifo", "timed"] {
        let cache = find(&format!("every_policy_shrinks::{name}"));
        cache.resize(10);
        assert_eq!((cache.stats().len, cache.stats().evicted), (10, 990), "{name}");
    }
    for function in [lru, lfu, fifo, timed] {
        (0..1_000).for_each(|n| assert_eq!(function(n), n));
    }
    assert!(caches().into_iter().all(|cache| cache.stats().len <= cache.stats().max_size));
}

#[test]
fn instances_to_come_have_the_size_too() {
    #[cached(max_size = 100)]
    fn generic<T: Default + ToString + 'static>(n: usize) -> String {
        format!("{n}{}", T::default().to_string())
    }

    let _alone = alone();
    let cache = find("instances_to_come_have_the_size_too::generic");
    (0..100).for_each(|n| _ = generic::<u8>(n));
    cache.resize(10);
    assert_eq!((cache.stats().len, cache.stats().max_size), (10, 10));
    (0..100).for_each(|n| _ = generic::<String>(n));
    assert_eq!((cache.stats().len, cache.stats().max_size), (20, 20), "10 in each of two");
    cache.resize(30);
    (0..100).for_each(|n| _ = (generic::<String>(n), generic::<u8>(n), generic::<i64>(n)));
    assert_eq!((cache.stats().len, cache.stats().max_size), (90, 90));
}

/// What gives way is somebody's code: it may use the cache.
#[test]
fn a_drop_may_call_the_function() {
    #[derive(Clone, Debug)]
    struct Calls(Arc<u32>);
    impl Drop for Calls {
        fn drop(&mut self) {
            if Arc::strong_count(&self.0) == 1 && *self.0 < 1_000 {
                let _ = calls(*self.0 + 1_000);
            }
        }
    }
    #[cached(max_size = 200)]
    fn calls(n: u32) -> Calls {
        Calls(Arc::new(n))
    }

    let _alone = alone();
    (0..200).for_each(|n| drop(calls(n)));
    let cache = find("calls");
    cache.resize(3);
    assert!(cache.stats().len <= 3, "{:?}", cache.stats());
    cache.clear();
}

#[test]
fn a_cache_is_resized_while_it_is_used() {
    #[cached(max_size = 1_000)]
    fn busy(n: u64) -> u64 {
        n + 1
    }

    let _alone = alone();
    let cache = find("busy");
    let start = Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                for n in 0..30_000 {
                    let n = (n * 7 + thread * 13) % 3_000;
                    assert_eq!(busy(n), n + 1);
                }
            });
        }
        start.wait();
        for size in (0..60).map(|n| [3, 2_000, 100, 700][n % 4]) {
            cache.resize(size);
            std::thread::yield_now();
        }
        cache.resize(50);
    });
    let stats = cache.stats();
    assert!(stats.len <= 50, "{stats:?}");
    (0..1_000).for_each(|n| _ = busy(n));
    assert_eq!(cache.stats().len, 50);
}

/// Numbers that are anything but regular.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// So many lookups of `count` keys, the n-th most popular of which comes in proportion to 1 / n^0.9.
fn zipf(count: usize, length: usize) -> impl Iterator<Item = u64> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=count)
        .map(|n| {
            sum += (n as f64).powf(-0.9);
            sum
        })
        .collect();
    let mut state = 88_172_645_463_325_252;
    (0..length).map(move |_| {
        let point = (random(&mut state) >> 11) as f64 / (1_u64 << 53) as f64 * sum;
        sums.partition_point(|sum| *sum < point) as u64
    })
}

static EVERYWHERE: AtomicU64 = AtomicU64::new(0);

/// Lets caches grow as long as it lives.
struct Adaptive;

impl Adaptive {
    fn new() -> Self {
        EVERYWHERE.fetch_add(1, Ordering::SeqCst);
        set_adaptive(true);
        Adaptive
    }
}

impl Drop for Adaptive {
    fn drop(&mut self) {
        if EVERYWHERE.fetch_sub(1, Ordering::SeqCst) == 1 {
            set_adaptive(false);
        }
    }
}

#[test]
fn one_cache_grows_by_itself_where_it_is_asked_to() {
    #[cached(max_size = 1_000, adaptive)]
    fn asked(n: u64) -> u64 {
        n
    }

    let _alone = alone();
    zipf(100_000, 400_000).for_each(|n| _ = asked(n));
    assert!(asked::stats().max_size > 1_000, "{:?}", asked::stats());
}

#[test]
fn popular_keys_let_a_cache_grow() {
    #[cached(max_size = 1_000)]
    fn popular(n: u64) -> u64 {
        n
    }

    let _alone = alone();
    zipf(100_000, 50_000).for_each(|n| _ = popular(n));
    assert_eq!(find("popular").max_size(), 1_000, "nobody asked for it");
    let _adaptive = Adaptive::new();
    zipf(100_000, 600_000).for_each(|n| _ = popular(n));
    let grown = popular::stats();
    assert!((8_000..=50_000).contains(&grown.max_size), "{grown:?}");
    let before = popular::stats();
    zipf(100_000, 200_000).for_each(|n| _ = popular(n));
    let after = popular::stats();
    let ratio = (after.hits - before.hits) as f64 / 200_000.0;
    assert!(ratio > 0.65, "{ratio}");
}

#[test]
fn a_loop_that_does_not_fit_lets_it_grow_until_it_does() {
    #[cached(max_size = 1_000, policy = "lru")]
    fn looping(n: u64) -> u64 {
        n
    }

    let _alone = alone();
    let _adaptive = Adaptive::new();
    (0..150_000).for_each(|n| _ = looping(n % 3_000));
    let before = looping::stats();
    assert_eq!(before.max_size, 4_000);
    (0..30_000).for_each(|n| _ = looping(n % 3_000));
    assert_eq!(looping::stats().hits - before.hits, 30_000);
}

#[test]
fn keys_that_come_once_let_nothing_grow() {
    #[cached(max_size = 1_000)]
    fn scanned(n: u64) -> u64 {
        n
    }
    #[cached(max_size = 1_000)]
    fn mixed(n: u64) -> u64 {
        n
    }

    let _alone = alone();
    let _adaptive = Adaptive::new();
    (0..150_000).for_each(|n| _ = scanned(n));
    // Beside some that come again, all of which fit.
    (0..150_000).for_each(|n| _ = mixed(if n % 2 == 0 { n % 400 } else { n + 1_000_000 }));
    assert_eq!((scanned::stats().max_size, mixed::stats().max_size), (1_000, 1_000));
    // Those that do come back are heard later, too: after a rest.
    zipf(100_000, 1_400_000).for_each(|n| _ = scanned(n));
    assert!(scanned::stats().max_size > 4_000, "{:?}", scanned::stats());
}

#[test]
fn a_cache_that_does_well_or_is_not_full_stays() {
    #[cached(max_size = 5_000)]
    fn well(n: u64) -> u64 {
        n
    }
    #[cached(max_size = 100_000)]
    fn roomy(n: u64) -> u64 {
        n
    }

    let _alone = alone();
    let _adaptive = Adaptive::new();
    zipf(6_000, 150_000).for_each(|n| _ = well(n));
    (0..60_000).for_each(|n| _ = roomy(n));
    assert_eq!((well::stats().max_size, roomy::stats().max_size), (5_000, 100_000));
}
