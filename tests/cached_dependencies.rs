//! What was computed from a result goes with it: bodies of cached functions that call cached functions.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use perfkit::cache::{depends_on_tag, invalidate_tag};
use perfkit::cached;

/// A source of numbers that changes, and counts how often it is asked.
struct Source {
    value: AtomicU32,
    asked: AtomicU32,
}

impl Source {
    const fn new() -> Self {
        Source { value: AtomicU32::new(1), asked: AtomicU32::new(0) }
    }

    fn get(&self) -> u32 {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.value.load(Ordering::SeqCst)
    }

    fn set(&self, value: u32) {
        self.value.store(value, Ordering::SeqCst);
    }

    fn asked(&self) -> u32 {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

#[test]
fn an_invalidation_goes_through_three_levels() {
    static SOURCE: Source = Source::new();

    #[cached]
    fn row(id: u32) -> u32 {
        SOURCE.get() * 100 + id
    }
    #[cached]
    fn user(id: u32) -> String {
        format!("user {}", row(id))
    }
    #[cached]
    fn page(id: u32) -> String {
        format!("<{}>", user(id))
    }

    assert_eq!((page(1), page(2)), ("<user 101>".into(), "<user 102>".into()));
    SOURCE.set(2);
    assert_eq!(page(1), "<user 101>", "nobody said that it has changed");
    assert!(row::invalidate(&1));
    assert_eq!((row::peek(&1), user::peek(&1), page::peek(&1)), (None, None, None));
    assert_eq!((user::stats().invalidated, page::stats().invalidated), (1, 1));
    assert_eq!(page(1), "<user 201>");
    assert_eq!(page(2), "<user 102>", "it was computed from another row");
    // From the middle; what it was computed from stays.
    assert!(user::invalidate(&2));
    assert_eq!((row::peek(&2), page::peek(&2)), (Some(102), None));
    assert_eq!(page(2), "<user 102>");
    // The dependency is there again.
    SOURCE.set(3);
    assert!(row::invalidate(&2));
    assert_eq!(page(2), "<user 302>");
    // Invalidating what is not there takes along what was computed from it all the same, see below.
    assert!(!row::invalidate(&77));
}

#[test]
fn both_sides_of_a_diamond_go() {
    static SOURCE: Source = Source::new();

    #[cached]
    fn base(n: u32) -> u32 {
        SOURCE.get() + n
    }
    #[cached]
    fn left(n: u32) -> u32 {
        base(n) * 10
    }
    #[cached]
    fn right(n: u32) -> u32 {
        base(n) * 100
    }
    #[cached]
    fn top(n: u32) -> u32 {
        left(n) + right(n) + base(n)
    }

    assert_eq!(top(0), 111);
    assert_eq!(SOURCE.asked(), 1);
    SOURCE.set(2);
    base::invalidate(&0);
    assert_eq!((left::peek(&0), right::peek(&0), top::peek(&0)), (None, None, None));
    assert_eq!(top::stats().invalidated, 1, "once, though there are three ways");
    assert_eq!(top(0), 222);
    left::invalidate(&0);
    assert_eq!((base::peek(&0), right::peek(&0), top::peek(&0)), (Some(2), Some(200), None));
}

#[test]
fn a_recursion_depends_on_what_it_went_through() {
    #[cached]
    fn fib(n: u64) -> u64 {
        if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
    }

    assert_eq!(fib(60), 1_548_008_755_920);
    assert_eq!(fib::stats().loads, 61);
    fib::invalidate(&30);
    assert!((0..30).all(|n| fib::peek(&n).is_some()));
    assert!((30..=60).all(|n| fib::peek(&n).is_none()));
    assert_eq!(fib(60), 1_548_008_755_920);
    assert_eq!(fib::stats().loads, 61 + 31);
}

/// A key that needs itself runs its body again, inside of itself.
#[test]
fn a_ring_of_keys_is_no_trouble() {
    thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
    }

    #[cached]
    fn ring(n: u32) -> u32 {
        DEPTH.set(DEPTH.get() + 1);
        if DEPTH.get() > 7 { 1 } else { ring((n + 1) % 3) + 1 }
    }

    assert_eq!(ring(0), 8);
    assert!(ring::stats().len >= 1);
    ring::invalidate(&1);
    assert_eq!((ring::peek(&0), ring::peek(&1)), (None, None));
    DEPTH.set(0);
    assert_eq!(ring(0), 8);
}

#[test]
fn what_was_evicted_is_still_on_the_way() {
    static SOURCE: Source = Source::new();

    #[cached]
    fn far(id: u32) -> u32 {
        SOURCE.get() + id
    }
    #[cached(max_size = 2, policy = "fifo")]
    fn near(id: u32) -> u32 {
        far(id) * 10
    }
    #[cached]
    fn outer(id: u32) -> u32 {
        near(id) + 1
    }

    assert_eq!(outer(0), 11);
    assert_eq!((1..20).map(outer).sum::<u32>(), (1..20).map(|n| (n + 1) * 10 + 1).sum::<u32>());
    assert_eq!((near::peek(&0), outer::peek(&0)), (None, Some(11)), "an eviction takes nothing along");
    SOURCE.set(5);
    // By its own key, and by what it was computed from.
    assert!(!near::invalidate(&0), "it is not there any more");
    assert_eq!(outer::peek(&0), None);
    assert!(far::invalidate(&1));
    assert_eq!(outer::peek(&1), None);
    assert_eq!((outer(1), outer(2)), (61, 31));
}

#[test]
fn what_changes_while_it_is_computed_from_is_not_kept() {
    static SOURCE: Source = Source::new();
    static MEANWHILE: Mutex<Option<fn()>> = Mutex::new(None);

    #[cached]
    fn inner(id: u32) -> u32 {
        SOURCE.get() + id
    }
    #[cached]
    fn middle(id: u32) -> u32 {
        inner(id)
    }
    #[cached]
    fn outer(id: u32) -> u32 {
        let value = middle(id);
        let meanwhile = MEANWHILE.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        value
    }

    let changes: [fn(); 3] = [
        || _ = inner::invalidate(&0),
        || _ = inner::clear(),
        || {
            std::thread::spawn(|| middle::invalidate(&0)).join().unwrap();
        },
    ];
    for change in changes {
        outer::clear();
        *MEANWHILE.lock().unwrap() = Some(change);
        assert_eq!(outer(0), 1, "it is returned");
        assert_eq!(outer::peek(&0), None, "but not kept");
        assert_eq!(outer(0), 1);
        assert_eq!(outer::peek(&0), Some(1));
    }
    // Another key of the same function is nobody's business.
    outer::clear();
    *MEANWHILE.lock().unwrap() = Some(|| _ = inner::invalidate(&9));
    assert_eq!((outer(0), outer::peek(&0)), (1, Some(1)));
    // What was invalidated before it is read again.
    #[cached]
    fn renewing(id: u32) -> u32 {
        inner::invalidate(&id);
        inner(id)
    }
    assert_eq!((renewing(0), renewing::peek(&0)), (1, Some(1)));
}

/// Who waits for a computation that turns out to be outdated may have called after the change.
#[test]
fn those_who_wait_do_not_get_what_is_outdated() {
    static SOURCE: Source = Source::new();
    static READ: Barrier = Barrier::new(2);
    static CHANGED: Barrier = Barrier::new(2);
    static IS_FIRST: AtomicBool = AtomicBool::new(true);

    #[cached]
    fn inner() -> u32 {
        SOURCE.get()
    }
    #[cached]
    fn outer() -> u32 {
        let value = inner();
        if IS_FIRST.swap(false, Ordering::SeqCst) {
            READ.wait();
            CHANGED.wait();
        }
        value
    }

    std::thread::scope(|scope| {
        let first = scope.spawn(outer);
        READ.wait();
        SOURCE.set(2);
        inner::invalidate();
        let second = scope.spawn(outer);
        std::thread::sleep(Duration::from_millis(50));
        CHANGED.wait();
        assert_eq!(first.join().unwrap(), 1);
        assert_eq!(second.join().unwrap(), 2, "it called after the change");
    });
    assert_eq!(outer::peek(), Some(2));
}

#[test]
fn tags_are_noted_by_hand() {
    static SOURCE: Source = Source::new();

    #[cached]
    fn user(id: u32) -> u32 {
        depends_on_tag(&format!("hand:user:{id}"));
        depends_on_tag("hand:users");
        SOURCE.get() + id
    }
    #[cached]
    fn page(id: u32) -> u32 {
        user(id) * 10
    }
    #[cached]
    fn both(one: u32, other: u32) -> u32 {
        page(one) + page(other)
    }

    assert!(!depends_on_tag("hand:nobody"));
    assert_eq!((page(1), page(2), both(1, 2), both(2, 2)), (20, 30, 50, 60));
    assert_eq!(invalidate_tag("hand:user:7"), 0);
    assert_eq!(invalidate_tag("hand:user:1"), 3, "user(1), page(1), both(1, 2)");
    assert_eq!(
        (page::peek(&1), page::peek(&2), both::peek(&1, &2), both::peek(&2, &2)),
        (None, Some(30), None, Some(60))
    );
    assert_eq!(both(1, 2), 50);
    assert_eq!(invalidate_tag("hand:users"), 6);
    assert_eq!((user::stats().len, page::stats().len, both::stats().len), (0, 0, 0));
    assert_eq!(invalidate_tag("hand:users"), 0);
}

#[test]
fn an_err_is_not_kept_but_depended_on() {
    static SOURCE: Source = Source::new();
    static LOADS: AtomicU32 = AtomicU32::new(0);

    #[cached]
    fn parse(id: u32) -> Result<u32, String> {
        LOADS.fetch_add(1, Ordering::SeqCst);
        depends_on_tag("err:source");
        match SOURCE.get() {
            0 => Err(format!("no {id}")),
            value => Ok(value + id),
        }
    }
    #[cached]
    fn or_default(id: u32) -> u32 {
        parse(id).unwrap_or(0)
    }
    #[cached]
    fn asking(id: u32) -> Result<u32, String> {
        Ok(parse(id)? * 10)
    }

    SOURCE.set(0);
    assert_eq!((or_default(1), or_default(2), asking(1)), (0, 0, Err("no 1".into())));
    assert_eq!((parse::stats().len, or_default::stats().len, asking::stats().len), (0, 2, 0));
    SOURCE.set(5);
    // By its key, although there is no entry, and by its tag.
    assert!(!parse::invalidate(&1));
    assert_eq!((or_default::peek(&1), or_default::peek(&2)), (None, Some(0)));
    assert_eq!(invalidate_tag("err:source"), 1);
    assert_eq!((or_default(1), or_default(2), asking(1)), (6, 7, Ok(60)));
}

/// The `Err` of another thread's run is depended on as one's own.
#[test]
fn an_err_that_was_waited_for_is_depended_on() {
    static BOTH: Barrier = Barrier::new(2);
    static IS_BAD: AtomicBool = AtomicBool::new(true);

    #[cached]
    fn inner() -> Result<u32, String> {
        depends_on_tag("err:waited");
        if IS_BAD.load(Ordering::SeqCst) {
            BOTH.wait();
            std::thread::sleep(Duration::from_millis(100));
            return Err("bad".into());
        }
        Ok(7)
    }
    #[cached]
    fn outer(n: u32) -> u32 {
        inner().unwrap_or(n)
    }

    std::thread::scope(|scope| {
        let first = scope.spawn(|| outer(1));
        BOTH.wait();
        let second = scope.spawn(|| outer(2));
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (1, 2));
    });
    assert_eq!((inner::stats().loads, inner::stats().waits), (1, 1), "{:?}", inner::stats());
    IS_BAD.store(false, Ordering::SeqCst);
    assert_eq!(invalidate_tag("err:waited"), 2);
    assert_eq!((outer(1), outer(2)), (7, 7));
}

#[test]
fn clearing_the_inner_function_clears_what_came_of_it() {
    static SOURCE: Source = Source::new();

    #[cached]
    fn inner(id: u32) -> u32 {
        SOURCE.get() + id
    }
    #[cached]
    fn other(id: u32) -> u32 {
        id
    }
    #[cached]
    fn outer(id: u32) -> u32 {
        if id < 10 { inner(id) } else { other(id) }
    }

    (0..20).for_each(|id| _ = outer(id));
    assert_eq!(inner::clear(), 10);
    assert_eq!((outer::stats().len, other::stats().len, outer::stats().invalidated), (10, 10, 10));
    assert!((0..10).all(|id| outer::peek(&id).is_none()) && (10..20).all(|id| outer::peek(&id).is_some()));
    // Also where it has none left.
    (0..10).for_each(|id| _ = outer(id));
    (0..10).for_each(|id| _ = inner::invalidate(&id));
    assert_eq!((inner::clear(), outer::stats().len), (0, 10));
}

trait Named: 'static {
    const NAME: &'static str;
}
struct Red;
struct Blue;
impl Named for Red {
    const NAME: &'static str = "red";
}
impl Named for Blue {
    const NAME: &'static str = "blue";
}

#[test]
fn instances_of_generics_are_told_apart() {
    #[cached]
    fn inner<T: Named>(id: u32) -> String {
        format!("{} {id}", T::NAME)
    }
    #[cached]
    fn outer<T: Named>(id: u32) -> String {
        format!("<{}>", inner::<T>(id))
    }

    let fill = || (outer::<Red>(1), outer::<Blue>(1), outer::<Blue>(2));
    fill();
    inner::invalidate::<Red>(&1);
    assert_eq!((outer::peek::<Red>(&1), outer::peek::<Blue>(&1)), (None, Some("<blue 1>".into())));
    fill();
    assert_eq!(inner::cache::<Blue>().clear(), 2);
    assert_eq!((outer::peek::<Red>(&1), outer::peek::<Blue>(&1)), (Some("<red 1>".into()), None));
    fill();
    assert_eq!((inner::clear(), outer::stats().len), (3, 0));
}

#[test]
#[allow(clippy::needless_pass_by_value, reason = "a key that is owned")]
fn methods_depend_on_each_other() {
    #[derive(Clone)]
    struct Shop {
        name: String,
    }
    impl Shop {
        #[cached(key(self.name.as_str()))]
        fn price(&self, item: &str) -> usize {
            self.name.len() * item.len()
        }

        #[cached(key(self.name.as_str()))]
        fn total(&self, items: Vec<String>) -> usize {
            items.iter().map(|item| self.price(item)).sum()
        }
    }

    let shop = Shop { name: "corner".into() };
    let items = vec![String::from("bread"), String::from("milk")];
    assert_eq!(shop.total(items.clone()), 54);
    assert!(Shop::price_cache().invalidate((&shop, "milk")));
    assert_eq!(Shop::total_cache().peek((&shop, &items)), None);
    assert_eq!((shop.total(items), Shop::price_cache().stats().loads), (54, 3));
}

#[test]
#[allow(clippy::unnecessary_wraps, reason = "only `Some` is kept")]
fn a_look_or_a_new_result_counts_as_well() {
    #[cached]
    fn inner(id: u32) -> u32 {
        id
    }
    #[cached]
    fn peeking(id: u32) -> Option<u32> {
        Some(inner::peek(&id).unwrap_or(1_000))
    }
    #[cached]
    fn outer(id: u32) -> u32 {
        inner(id) * 2
    }

    inner(1);
    assert_eq!((peeking(1), peeking(2)), (Some(1), Some(1_000)));
    inner::invalidate(&1);
    assert_eq!(peeking::peek(&1), None);
    inner::invalidate(&2);
    assert_eq!(peeking::peek(&2), None, "that there was none is known, too");
    // A result that somebody gives, or that is computed anew.
    assert_eq!(outer(3), 6);
    inner::cache().insert(&3, &50);
    assert_eq!((outer::peek(&3), outer(3)), (None, 100));
    inner::prime(3);
    assert_eq!((outer::peek(&3), outer(3)), (None, 6));
    // A primed result depends on what its body reads, too.
    outer::prime(4);
    assert_eq!(outer::peek(&4), Some(8));
    inner::invalidate(&4);
    assert_eq!(outer::peek(&4), None);
}

#[test]
fn a_body_that_panics_leaves_nothing_behind() {
    static IS_BAD: AtomicBool = AtomicBool::new(true);

    #[cached]
    fn inner(id: u32) -> u32 {
        id
    }
    #[cached]
    fn outer(id: u32) -> u32 {
        let value = inner(id);
        assert!(!IS_BAD.load(Ordering::SeqCst), "as it is to");
        value
    }

    assert!(std::panic::catch_unwind(|| outer(1)).is_err());
    assert!(!depends_on_tag("no body runs any more"));
    IS_BAD.store(false, Ordering::SeqCst);
    assert_eq!(outer(1), 1);
    inner::invalidate(&1);
    assert_eq!(outer::peek(&1), None);
}

/// A result whose drop panics keeps no other one from being removed.
#[test]
fn a_drop_that_panics_keeps_nothing_there() {
    #[derive(Clone)]
    struct Bomb(Arc<AtomicBool>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if Arc::strong_count(&self.0) == 1 && self.0.swap(false, Ordering::SeqCst) {
                std::panic::resume_unwind(Box::new("as it is to"));
            }
        }
    }

    #[cached]
    fn inner(id: u32) -> u32 {
        id
    }
    #[cached]
    fn outer(id: u32) -> Arc<Bomb> {
        Arc::new(Bomb(Arc::new(AtomicBool::new(inner(id / 10) == 0 && id == 5))))
    }

    (0..10).for_each(|id| drop(outer(id)));
    assert!(std::panic::catch_unwind(|| inner::invalidate(&0)).is_err());
    assert_eq!((outer::stats().len, outer::stats().invalidated), (0, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[allow(clippy::large_futures, reason = "nobody moves it")]
async fn futures_take_what_they_read_from_thread_to_thread() {
    static VERSION: AtomicU32 = AtomicU32::new(0);

    #[cached]
    async fn inner(id: u32) -> u32 {
        tokio::task::yield_now().await;
        VERSION.load(Ordering::SeqCst) * 1_000 + id
    }
    #[cached]
    async fn outer(id: u32) -> u32 {
        let mut sum = 0;
        for n in 0..8 {
            sum += inner(id * 8 + n).await;
            // Somebody else's turn, and then perhaps another thread's.
            tokio::time::sleep(Duration::from_micros(50)).await;
        }
        sum
    }
    #[cached]
    async fn together(id: u32) -> u32 {
        let (one, other) = futures::join!(outer(id), inner(id + 10_000));
        one + other
    }

    let expected = |id: u32, version: u32| {
        (0..8).map(|n| version * 1_000 + id * 8 + n).sum::<u32>() + version * 1_000 + id + 10_000
    };
    for version in 1..=3 {
        VERSION.store(version, Ordering::SeqCst);
        inner::clear();
        assert_eq!((outer::stats().len, together::stats().len), (0, 0));
        let tasks: Vec<_> = (0..200).map(|task| tokio::spawn(together(task % 50))).collect();
        for (task, end) in tasks.into_iter().enumerate() {
            assert_eq!(end.await.unwrap(), expected(task as u32 % 50, version));
        }
        assert_eq!((outer::stats().len, together::stats().len), (50, 50));
    }
    // Each of its reads was noted, on whatever thread, and nobody else's.
    for n in [0, 3, 7] {
        inner::cache().invalidate(&(5 * 8 + n));
        assert_eq!((outer::peek(&5), together::peek(&5)), (None, None));
        assert!(outer::peek(&4).is_some() && together::peek(&6).is_some());
        together(5).await;
    }
    inner::cache().invalidate(&10_005);
    assert!(outer::peek(&5).is_some() && together::peek(&5).is_none());
}

/// Two futures that one task polls in turn do not get in each other's way; one that is dropped leaves nothing.
#[tokio::test]
#[allow(clippy::unused_async, reason = "it is cached as a future")]
async fn futures_in_one_task_are_told_apart() {
    #[cached]
    async fn inner(id: u32) -> u32 {
        id
    }
    #[cached]
    async fn outer(id: u32) -> u32 {
        let one = inner(id).await;
        tokio::task::yield_now().await;
        one + inner(id + 100).await
    }

    assert_eq!(futures::join!(outer(1), outer(2), outer(3)), (102, 104, 106));
    inner::invalidate(&102);
    assert_eq!((outer::peek(&1), outer::peek(&2), outer::peek(&3)), (Some(102), None, Some(106)));
    {
        let mut future = Box::pin(outer(7));
        assert!(futures::poll!(&mut future).is_pending());
    }
    assert!(!depends_on_tag("no body runs any more"));
    inner::invalidate(&7);
    assert_eq!(outer(7).await, 114);
}

/// Threads read, threads change: what is there when all is quiet is what it should be, and no reader ever sees an older one after a change
/// that was over before it called.
#[test]
fn threads_see_nothing_outdated() {
    const KEYS: u32 = 16;
    static VERSIONS: [AtomicU64; KEYS as usize] = [const { AtomicU64::new(0) }; KEYS as usize];
    static IS_OVER: AtomicBool = AtomicBool::new(false);

    #[cached(max_size = 12)]
    fn base(key: u32) -> u64 {
        VERSIONS[key as usize].load(Ordering::SeqCst)
    }
    #[cached(max_size = 12)]
    fn pair(key: u32) -> (u64, u64) {
        (base(key), base((key + 1) % KEYS))
    }
    #[cached]
    fn quad(key: u32) -> [u64; 4] {
        let ((a, b), (c, d)) = (pair(key), pair((key + 2) % KEYS));
        [a, b, c, d]
    }

    std::thread::scope(|scope| {
        for seed in 1..=3_u32 {
            scope.spawn(move || {
                let mut state = seed;
                while !IS_OVER.load(Ordering::Relaxed) {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let key = (state >> 16) % KEYS;
                    let before: [u64; 4] =
                        core::array::from_fn(|n| DONE[(key as usize + n) % 16].load(Ordering::SeqCst));
                    let seen = quad(key);
                    for n in 0..4 {
                        assert!(seen[n] >= before[n], "{key}: {seen:?} after {before:?}");
                    }
                }
            });
        }
        scope.spawn(|| {
            for step in 0..3_000_u32 {
                let key = step * 7 % KEYS;
                let version = VERSIONS[key as usize].fetch_add(1, Ordering::SeqCst) + 1;
                if step % 100 == 0 {
                    base::clear();
                } else {
                    base::invalidate(&key);
                }
                DONE[key as usize].store(version, Ordering::SeqCst);
                if step % 16 == 0 {
                    std::thread::yield_now();
                }
            }
            IS_OVER.store(true, Ordering::Relaxed);
        });
    });
    for key in 0..KEYS {
        let expected: [u64; 4] =
            core::array::from_fn(|n| VERSIONS[(key as usize + n) % KEYS as usize].load(Ordering::SeqCst));
        assert_eq!(quad(key), expected, "{key}");
    }

    /// Versions whose invalidation has returned.
    static DONE: [AtomicU64; 16] = [const { AtomicU64::new(0) }; 16];
}
