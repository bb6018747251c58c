//! The options of `#[cached]`, one by one.

#![allow(
    clippy::boxed_local,
    clippy::many_single_char_names,
    clippy::multiple_bound_locations,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    clippy::unused_self,
    reason = "the shapes are the point"
)]

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use perfkit::cached;

/// Runs of a body.
struct Runs(AtomicU32);

impl Runs {
    const fn new() -> Self {
        Runs(AtomicU32::new(0))
    }

    fn count(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn get(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

#[test]
fn a_cache_without_a_bound_keeps_all() {
    #[cached(max_size = None)]
    fn double(n: u32) -> u64 {
        u64::from(n) * 2
    }

    for n in 0..20_000 {
        assert_eq!(double(n), u64::from(n) * 2);
    }
    for n in 0..20_000 {
        assert_eq!(double(n), u64::from(n) * 2);
    }
    let stats = double::stats();
    assert_eq!((stats.hits, stats.misses, stats.evicted, stats.len), (20_000, 20_000, 0, 20_000));
}

/// Says how large it is; a hundred times what it takes.
#[derive(Clone)]
struct Page(Vec<u8>);

static WEIGHED: AtomicUsize = AtomicUsize::new(0);

impl Page {
    fn bytes(&self) -> usize {
        WEIGHED.fetch_add(1, Ordering::SeqCst);
        self.0.len() * 100
    }
}

#[test]
fn results_are_weighed_by_a_function_of_the_users() {
    #[cached(max_memory = "1MiB", weigh = Page::bytes)]
    fn page(n: usize) -> Option<Page> {
        Some(Page(vec![0; n]))
    }

    #[cached(max_memory = 65_536, weigh = |text: &String| text.len())]
    fn text<T: std::hash::Hash + Eq + Clone + Send + Sync + 'static>(_: u8, n: T) -> String {
        drop(n);
        String::from("four")
    }

    assert_eq!(page(3).map(|page| page.0.len()), Some(3));
    assert_eq!(page(3).map(|page| page.0.len()), Some(3));
    assert_eq!((page::stats().hits, WEIGHED.load(Ordering::SeqCst)), (1, 1));
    page::prime(4);
    page::cache().insert(&5, &Some(Page(vec![1])));
    assert_eq!(WEIGHED.load(Ordering::SeqCst), 3);
    assert_eq!((text(1, 'x'), text(2, "y")), ("four".into(), "four".into()));
}

#[test]
fn any_type_can_be_weighed() {
    /// Says nothing.
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Opaque(u8);

    #[cached(max_memory = "1MB", policy = "size", key(Opaque(*b), &c[..], Some(&**d), e.len()))]
    fn all(
        a: Vec<Opaque>,
        b: &u8,
        c: Vec<String>,
        d: Box<str>,
        e: Cow<'_, str>,
    ) -> Result<Vec<Opaque>, String> {
        Ok(vec![
            Opaque(*b),
            Opaque(c.len() as u8),
            Opaque(d.len() as u8),
            Opaque(a.len() as u8 + e.len() as u8),
        ])
    }

    let call =
        || all(vec![Opaque(1)], &2, vec!["x".into()], "y".into(), Cow::Borrowed("z")).map(|list| list.len());
    assert_eq!((call(), call()), (Ok(4), Ok(4)));
    assert_eq!(all::stats().hits, 1);
}

#[test]
fn policies_by_time_and_size_are_there() {
    #[cached(policy = "ttl", ttl = 600, max_size = 2)]
    fn by_time(n: u8) -> u8 {
        n
    }

    #[cached(policy = "size", max_size = 2)]
    fn by_size(n: u8) -> String {
        "x".repeat(n.into())
    }

    for n in [1, 2, 3] {
        assert_eq!((by_time(n), by_size(n).len()), (n, n.into()));
    }
    assert_eq!((by_time::stats().evicted, by_size::stats().evicted), (1, 1));
    assert_eq!((by_time::stats().len, by_size::stats().len), (2, 2));
}

mod once {
    use super::*;

    static RUNS: Runs = Runs::new();

    #[cached(once)]
    fn config() -> String {
        format!("run {}", RUNS.count())
    }

    #[cached(once, ttl = "1h")]
    fn first(argument: &str, _also: u8) -> Result<String, String> {
        if argument.is_empty() { Err("empty".into()) } else { Ok(argument.into()) }
    }

    struct Server(u32);

    impl Server {
        #[cached(once)]
        fn start(&self) -> u32 {
            self.0
        }
    }

    #[cached(once)]
    async fn later(n: u8) -> u8 {
        n
    }

    #[test]
    fn there_is_one_result_for_all_calls() {
        assert_eq!((config(), config()), ("run 1".into(), "run 1".into()));
        assert_eq!(config::peek().as_deref(), Some("run 1"));
        assert!(config::invalidate());
        assert_eq!((config::peek(), config()), (None, "run 2".into()));
        assert_eq!(config::prime(), "run 3");
        assert_eq!((config(), config::stats().max_size), ("run 3".into(), 1));

        assert_eq!(first("", 1), Err("empty".into()));
        assert_eq!((first("a", 1), first("b", 2)), (Ok("a".into()), Ok("a".into())));
        assert_eq!(first::peek(), Some(Ok("a".into())));

        assert_eq!((Server(1).start(), Server(2).start()), (1, 1));
        assert!(Server::start_cache().invalidate(()));
        assert_eq!(Server(2).start(), 2);

        assert_eq!(smol::block_on(async { (later(1).await, later(2).await) }), (1, 1));
    }
}

mod force {
    use super::*;

    static RUNS: Runs = Runs::new();

    #[cached(skip(refresh), force_refresh = refresh)]
    fn rate(currency: &str, refresh: bool) -> String {
        format!("{currency} {}", RUNS.count())
    }

    struct Options {
        again: bool,
    }

    #[cached(key = name.len(), force_refresh = options.again || name.is_empty())]
    fn by_pattern((name, options): (String, &Options)) -> usize {
        let _ = options.again;
        name.len() + RUNS.count() as usize
    }

    #[cached(key = n, force_refresh = again)]
    fn in_a_pattern<T: Into<u32> + Copy>((n, again): (u8, bool), more: T) -> u32
    where
        T: std::fmt::Debug,
    {
        u32::from(n) + u32::from(again) * 100 + more.into()
    }

    struct Shop(AtomicU32);

    impl Shop {
        #[cached(force_refresh = self.0.load(Ordering::SeqCst) == 0)]
        fn price(&self, article: &str) -> Option<u32> {
            Some(article.len() as u32 + self.0.fetch_add(1, Ordering::SeqCst))
        }

        #[cached(companions = false, skip(again), force_refresh = again)]
        fn alone(count: u32, again: bool) -> u32 {
            count + u32::from(again)
        }
    }

    #[cached(skip(again), force_refresh = again)]
    async fn later(n: u8, again: bool) -> Result<u32, String> {
        if n == 0 { Err("zero".into()) } else { Ok(RUNS.count() + u32::from(again)) }
    }

    #[test]
    fn a_refresh_runs_the_body_and_keeps_its_result() {
        let first = rate("EUR", false);
        assert_eq!(rate("EUR", false), first);
        let second = rate("EUR", true);
        assert_ne!(second, first);
        assert_eq!(rate("EUR", false), second);
        let stats = rate::stats();
        assert_eq!((stats.hits, stats.misses, stats.loads), (2, 1, 2));

        let (keep, again) = (Options { again: false }, Options { again: true });
        let first = by_pattern(("abc".into(), &keep));
        assert_eq!(by_pattern(("xyz".into(), &keep)), first);
        assert_ne!(by_pattern(("abc".into(), &again)), first);

        assert_eq!(in_a_pattern((1, false), 5_u8), 6);
        assert_eq!(in_a_pattern((1, true), 7_u8), 108);
        assert_eq!(in_a_pattern((1, false), 9_u8), 108);

        let shop = Shop(AtomicU32::new(0));
        assert_eq!(shop.price("pen"), Some(3));
        assert_eq!((shop.price("pen"), Shop::price_cache().stats().loads), (Some(3), 1));

        assert_eq!((Shop::alone(1, false), Shop::alone(1, true), Shop::alone(1, false)), (1, 2, 2));

        smol::block_on(async {
            let first = later(1, false).await;
            assert_eq!(later(1, false).await, first);
            assert_ne!(later(1, true).await, first);
            assert_eq!(later(0, true).await, Err("zero".into()));
        });
    }
}

mod marks {
    use super::*;

    #[cached]
    fn prices(n: u32) -> u32 {
        n * 2
    }

    pub(super) mod shop {
        use perfkit::cached;

        #[cached]
        pub(super) fn articles() -> u32 {
            3
        }

        #[cached]
        pub(super) fn generic<T: std::hash::Hash + Eq + Clone + Send + Sync + 'static>(t: T) -> T {
            t
        }
    }

    #[cached(tags("user:{id}", "all {name:?}", "{{}}"), depends_on(prices, shop::articles, shop::generic))]
    fn of_all(id: u32, name: &str) -> u32 {
        prices(id) + shop::articles() + name.len() as u32 + shop::generic(0)
    }

    #[cached(tags("pair:{a}:{b}"), force_refresh = *a == 0)]
    async fn of_a_pattern((a, b): (u8, String), _: u8) -> usize {
        usize::from(a) + b.len()
    }

    struct Shop {
        id: u32,
    }

    impl Shop {
        #[cached(key(self.id), tags("shop:{article}"), depends_on(prices))]
        fn price(&self, article: String) -> usize {
            article.len() + self.id as usize
        }
    }

    #[cached(companions = false, tags("n:{n}"), depends_on(prices))]
    fn alone(n: u8) -> u8 {
        n
    }

    #[test]
    fn a_function_may_have_tags_and_depend_on_others() {
        assert_eq!((of_all(1, "ab"), of_all(1, "ab"), of_all::prime(1, "ab")), (7, 7, 7));
        assert_eq!(smol::block_on(of_a_pattern((1, "x".into()), 0)), 2);
        assert_eq!(Shop { id: 1 }.price("pen".into()), 4);
        assert_eq!(alone(1), 1);
    }
}

mod primed {
    use super::*;

    static RUNS: Runs = Runs::new();

    #[cached]
    fn one(n: u64) -> u64 {
        RUNS.count();
        n * 2
    }

    #[cached]
    fn several(name: &str, n: u8, path: Cow<'_, str>, nick: Option<&str>, tags: &[u8]) -> usize {
        name.len() + usize::from(n) + path.len() + nick.map_or(0, str::len) + tags.len()
    }

    #[cached]
    fn generic<T>(t: &T) -> Result<T, String>
    where
        T: std::hash::Hash + Eq + Clone + Send + Sync + PartialOrd + Default + 'static,
    {
        if *t > T::default() { Ok(t.clone()) } else { Err("too small".into()) }
    }

    #[cached]
    fn fails(n: u8) -> u8 {
        assert!(n != 3, "three");
        n
    }

    #[test]
    fn many_results_are_computed_at_once() {
        assert_eq!(one::prime_all(0..100), 100);
        assert_eq!((RUNS.get(), one::stats().len), (100, 100));
        assert_eq!((0..100).map(one).sum::<u64>(), 99 * 100);
        assert_eq!((RUNS.get(), one::stats().hits), (100, 100));

        let names = [String::from("a"), String::from("bc")];
        let arguments = names.map(|name| (name, 1, "path", Some("nick"), vec![1, 2]));
        assert_eq!(several::prime_all(arguments), 2);
        assert_eq!(several::peek("bc", &1, "path", Some("nick"), &[1, 2]), Some(13));

        assert_eq!(generic::prime_all([0, 1, 2]), 3);
        assert_eq!((generic::peek(&1), generic::peek(&0)), (Some(Ok(1)), None));

        let panic = std::panic::catch_unwind(|| fails::prime_all(0..10)).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"three"));
        assert_eq!(fails::stats().len, 9);
    }
}

/// What the options make of functions of all shapes; what they do when the time is up is in `cached_freshness.rs`.
mod background {
    use super::*;

    #[cached(ttl = 600, tti = "5m", stale = "30s", refresh_ahead, stale_if_error = "1h", tags("n:{n}"), force_refresh = n == 0)]
    fn shapes<T: Clone + Send + Sync + std::hash::Hash + Eq + 'static, const N: usize>(
        n: u32,
        name: &str,
        list: &[u8],
        nick: Option<&str>,
        path: Cow<'_, str>,
        (a, mut b): (u8, [u8; N]),
        t: &T,
        _: T,
    ) -> Result<usize, std::io::Error> {
        let _ = (t.clone(), a);
        b[0] += 1;
        Ok(n as usize + name.len() + list.len() + nick.map_or(0, str::len) + path.len() + b.len())
    }

    #[cached(ttl = 1, refresh_ahead, skip(unlisted))]
    async fn later(n: u32, name: &str, unlisted: Vec<f64>) -> Option<String> {
        Some(format!("{n}{name}{}", unlisted.len()))
    }

    /// # Safety
    /// None is needed.
    #[cached(tti = 1, stale = 1)]
    unsafe fn not_safe(n: &u32) -> u32 {
        *n
    }

    type Outcome = Result<u8, String>;

    #[cached(ttl = 1, stale_if_error = 3)]
    fn alias(n: u8) -> Outcome {
        n.checked_add(1).ok_or_else(|| "too large".into())
    }

    struct Value;

    impl Value {
        #[cached(ttl = 1, stale_if_error = 3)]
        fn method(&self, n: u8) -> Option<u8> {
            Some(n)
        }

        #[cached(ttl = 1, stale = 3)]
        fn associated(this: Value, n: u8) -> Option<Self> {
            Some(this).filter(|_| n > 0)
        }
    }

    impl Clone for Value {
        fn clone(&self) -> Self {
            Value
        }
    }
    impl PartialEq for Value {
        fn eq(&self, _: &Self) -> bool {
            true
        }
    }
    impl Eq for Value {}
    impl std::hash::Hash for Value {
        fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
    }

    #[test]
    fn functions_of_all_shapes() {
        for _ in 0..2 {
            let result = shapes(1, "a", &[1], Some("b"), "c".into(), (1, [2, 3]), &'x', 'y');
            assert_eq!(result.ok(), Some(7));
        }
        assert_eq!(shapes::stats().hits, 1);
        assert_eq!(smol::block_on(later(1, "a", vec![])).as_deref(), Some("1a0"));
        // SAFETY: it is safe.
        assert_eq!(unsafe { not_safe(&1) }, 1);
        assert_eq!((alias(1), alias(255)), (Ok(2), Err("too large".into())));
        assert_eq!(Value.method(1), Some(1));
        assert!(Value::associated(Value, 1).is_some());
    }
}

mod local {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use super::*;

    #[cached(local)]
    fn shared(text: Rc<str>, n: &u8) -> Rc<String> {
        Rc::new(format!("{text}{n}"))
    }

    #[test]
    fn what_stays_on_its_thread_need_not_be_sent() {
        let first = shared("a".into(), &1);
        assert!(Rc::ptr_eq(&first, &shared("a".into(), &1)));
        assert!(!Rc::ptr_eq(&first, &shared("a".into(), &2)));
        assert!(shared::peek(&"a".into(), &1).is_some());
        assert!(shared::invalidate(&"a".into(), &1));
        assert!(!shared::invalidate(&"a".into(), &1));
        assert!(shared::peek(&"a".into(), &1).is_none());
        assert_eq!((shared::prime("a".into(), &1).as_str(), shared::clear()), ("a1", 2));
        let stats = shared::stats();
        assert_eq!((stats.hits, stats.misses, stats.loads, stats.invalidated, stats.len), (1, 2, 3, 3, 0));
    }

    #[test]
    fn each_thread_has_its_own() {
        static RUNS: Runs = Runs::new();

        #[cached(local, name = "local, on threads")]
        fn count(n: u8) -> u32 {
            RUNS.count() + u32::from(n)
        }

        assert_eq!((count(0), count(0)), (1, 1));
        thread::spawn(|| {
            assert_eq!((count(0), count(0)), (2, 2));
            assert_eq!(count::stats().len, 2);
        })
        .join()
        .unwrap();
        assert_eq!(count(0), 1);
        let stats = count::stats();
        assert_eq!((stats.hits, stats.misses, stats.loads, stats.len), (3, 2, 2, 1));
        let report = perfkit::report();
        let row = report.caches.iter().find(|row| row.name == "local, on threads").unwrap();
        assert_eq!((row.hits, row.misses, row.len), (3, 2, 1));
        // Only here.
        assert_eq!(count::clear(), 1);
    }

    #[test]
    fn a_body_may_call_its_own_function() {
        #[cached(local)]
        fn fibonacci(n: u64) -> u64 {
            if n < 2 { n } else { fibonacci(n - 1) + fibonacci(n - 2) }
        }

        assert_eq!(fibonacci(90), 2_880_067_194_370_816_120);
        assert_eq!((fibonacci::stats().misses, fibonacci::stats().len), (91, 91));
        // With its own key, and so on.
        thread_local!(static DEPTH: Cell<u32> = const { Cell::new(0) });
        #[cached(local)]
        fn itself(n: u8) -> u32 {
            let depth = DEPTH.get();
            DEPTH.set(depth + 1);
            if depth < 3 { itself(n) + 1 } else { 0 }
        }
        assert_eq!(itself(1), 3);
        // Of several runs the one that began last is kept.
        assert_eq!(itself(1), 0);
    }

    #[test]
    fn the_bound_is_exact_for_lru() {
        #[cached(local, max_size = 2, policy = "lru")]
        fn lru(n: u8) -> u8 {
            n
        }

        for n in [1, 2, 1, 3] {
            assert_eq!(lru(n), n);
        }
        assert_eq!((lru::peek(&1), lru::peek(&2), lru::peek(&3)), (Some(1), None, Some(3)));
        let stats = lru::stats();
        assert_eq!((stats.evicted, stats.len, stats.max_size), (1, 2, 2));

        for policy in [
            {
                #[cached(local, max_size = 10)]
                fn f(n: u32) -> u32 {
                    n
                }
                (0..100).for_each(|n| assert_eq!((f(n), f(n)), (n, n)));
                f::stats()
            },
            {
                #[cached(local, max_size = 10, policy = "lfu")]
                fn f(n: u32) -> u32 {
                    n
                }
                (0..100).for_each(|n| assert_eq!((f(n), f(n)), (n, n)));
                f::stats()
            },
            {
                #[cached(local, max_size = 10, policy = "fifo", ttl = 60, tti = 60)]
                fn f(n: u32) -> u32 {
                    n
                }
                (0..100).for_each(|n| assert_eq!((f(n), f(n)), (n, n)));
                f::stats()
            },
            {
                #[cached(local, max_size = 10, policy = "ttl", tti = 60)]
                fn f(n: u32) -> u32 {
                    n
                }
                (0..100).for_each(|n| assert_eq!((f(n), f(n)), (n, n)));
                f::stats()
            },
        ] {
            assert_eq!((policy.hits, policy.misses, policy.evicted, policy.len), (100, 100, 90, 10));
        }
    }

    /// All have the same hash.
    #[derive(Clone, PartialEq, Eq, Debug)]
    struct Alike(u8);

    impl std::hash::Hash for Alike {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            state.write_u8(0);
        }
    }

    #[test]
    fn keys_of_one_hash_are_told_apart() {
        #[cached(local, max_size = 4, policy = "fifo", ttl = 60)]
        fn alike(key: Alike) -> u8 {
            key.0
        }

        for n in [1, 2, 3, 4, 1, 2, 3, 4] {
            assert_eq!(alike(Alike(n)), n);
        }
        assert!(alike::invalidate(&Alike(3)) && !alike::invalidate(&Alike(3)));
        assert_eq!((alike(Alike(5)), alike(Alike(6)), alike(Alike(1))), (5, 6, 1));
        let kept = (1..=6).filter(|n| alike::peek(&Alike(*n)).is_some()).collect::<Vec<_>>();
        assert_eq!(kept, [1, 4, 5, 6]);
        let stats = alike::stats();
        assert_eq!((stats.hits, stats.misses, stats.len, stats.evicted, stats.invalidated), (4, 7, 4, 2, 1));
    }

    #[test]
    fn results_end() {
        #[cached(local, ttl = "60ms")]
        fn by_age(n: u8) -> u8 {
            n
        }

        #[cached(local, tti = "120ms")]
        fn by_use(n: u8) -> u8 {
            n
        }

        by_age(1);
        by_use(1);
        by_use(2);
        for _ in 0..4 {
            thread::sleep(Duration::from_millis(50));
            by_use(1);
        }
        assert_eq!((by_age::peek(&1), by_use::peek(&2)), (None, None));
        assert_eq!((by_age(1), by_age::stats().expired), (1, 1));
        let stats = by_use::stats();
        assert_eq!((stats.hits, stats.expired), (4, 1));
        thread::sleep(Duration::from_millis(130));
        assert_eq!(by_use::peek(&1), None);
    }

    #[test]
    fn a_panic_leaves_it_right() {
        #[cached(local)]
        fn fails(n: u8, fail: bool) -> Result<u8, Rc<str>> {
            assert!(!fail, "as asked");
            n.checked_sub(1).ok_or_else(|| "zero".into())
        }

        std::panic::catch_unwind(|| fails(1, true)).unwrap_err();
        assert_eq!((fails(1, false), fails(0, false)), (Ok(0), Err("zero".into())));
        assert_eq!((fails(1, false), fails(0, false)), (Ok(0), Err("zero".into())));
        let stats = fails::stats();
        assert_eq!((stats.hits, stats.loads, stats.load_errors, stats.len), (1, 4, 3, 1));
    }

    /// All that it does calls the function.
    #[derive(Debug)]
    struct Meddler(u8);

    impl Clone for Meddler {
        fn clone(&self) -> Self {
            meddle();
            Meddler(self.0)
        }
    }
    impl PartialEq for Meddler {
        fn eq(&self, other: &Self) -> bool {
            meddle();
            self.0 == other.0
        }
    }
    impl Eq for Meddler {}
    impl std::hash::Hash for Meddler {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            meddle();
            self.0.hash(state);
        }
    }
    impl Drop for Meddler {
        fn drop(&mut self) {
            meddle();
        }
    }

    #[cached(local, max_size = 3)]
    fn meddled(key: &Meddler) -> Meddler {
        Meddler(key.0 + 1)
    }

    fn meddle() {
        thread_local!(static IS_IN: Cell<bool> = const { Cell::new(false) });
        if IS_IN.replace(true) {
            return;
        }
        thread_local!(static NEXT: Cell<u8> = const { Cell::new(0) });
        NEXT.set((NEXT.get() + 1) % 7);
        let key = Meddler(NEXT.get());
        assert_eq!(meddled(&key).0, key.0 + 1);
        if NEXT.get() == 0 {
            meddled::clear();
        }
        meddled::invalidate(&Meddler(NEXT.get() / 2));
        drop(key);
        IS_IN.set(false);
    }

    #[test]
    fn no_code_of_the_users_runs_while_it_is_borrowed() {
        thread::spawn(|| {
            for n in 0..100 {
                let key = Meddler(n % 5);
                assert_eq!(meddled(&key).0, key.0 + 1);
            }
        })
        .join()
        .unwrap();
        assert_eq!(meddled::stats().len, 0);
    }

    #[test]
    fn a_result_that_was_invalidated_meanwhile_is_not_kept() {
        #[cached(local)]
        fn removes(n: u8, all: bool) -> u8 {
            if all {
                removes::clear()
            } else {
                u64::from(removes::invalidate(&n, &all))
            };
            n
        }

        assert_eq!((removes(1, false), removes(2, true)), (1, 2));
        assert_eq!((removes::peek(&1, &false), removes::peek(&2, &true)), (None, None));
    }

    struct Shop<T> {
        id: T,
        log: RefCell<Vec<String>>,
    }

    impl<T: Clone + Eq + std::hash::Hash + 'static> Shop<T> {
        #[cached(local, key(&self.id), skip(_more), force_refresh = article.is_empty())]
        fn price(&self, article: &str, _more: &mut Vec<u8>) -> usize {
            self.log.borrow_mut().push(article.into());
            article.len()
        }
    }

    #[cached(local, cache_err)]
    fn generic<T: Clone + Eq + std::hash::Hash + 'static, const N: usize>(t: [T; N]) -> Result<usize, T> {
        t.first().cloned().map_or(Ok(N), Err)
    }

    #[cached(local, companions = false)]
    fn alone<'a>(text: &'a str, more: Option<&'a str>) -> Option<Rc<str>> {
        more.map(|more| format!("{text}{more}").into())
    }

    #[cached(local, cache_none, once)]
    fn nothing() -> Option<Rc<u8>> {
        None
    }

    #[test]
    fn functions_of_all_shapes() {
        let shop = Shop { id: Rc::new(1), log: RefCell::default() };
        let other = Shop { id: String::from("x"), log: RefCell::default() };
        for _ in 0..2 {
            assert_eq!((shop.price("pen", &mut vec![]), other.price("ink", &mut vec![])), (3, 3));
            assert_eq!(shop.price("", &mut vec![]), 0);
            assert_eq!(generic([Rc::new(1)]), Err(Rc::new(1)));
            assert_eq!(generic::<u8, 0>([]), Ok(0));
            assert_eq!((alone("a", Some("b")).as_deref(), alone("a", None)), (Some("ab"), None));
            assert_eq!(nothing(), None);
        }
        assert_eq!(*shop.log.borrow(), ["pen", "", ""]);
        assert_eq!(Shop::<Rc<i32>>::price_cache().stats().hits, 1);
        assert_eq!((generic::stats().hits, nothing::stats().hits), (2, 1));
    }
}
