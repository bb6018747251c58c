//! What `#[cached]` promises: which calls are the same, and what is kept.

#![allow(clippy::needless_pass_by_value, reason = "arguments by value are the point")]

use std::borrow::Cow;
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
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
fn equal_arguments_are_one_call() {
    static RUNS: Runs = Runs::new();

    #[cached]
    fn describe(number: u32, name: &str, tags: &[String], nick: Option<&str>, path: Cow<'_, str>) -> String {
        RUNS.count();
        format!("{number} {name} {tags:?} {nick:?} {path}")
    }

    let tags = [String::from("a"), String::from("b")];
    let first = describe(1, "x", &tags, Some("y"), Cow::Borrowed("p"));
    // The same from other places.
    let (name, owned) = (String::from("x"), tags.to_vec());
    let second = describe(1, &name, &owned, Some(&String::from("y")), Cow::Owned(String::from("p")));
    assert_eq!((first, RUNS.get()), (second, 1));
    for different in [
        describe(2, "x", &tags, Some("y"), "p".into()),
        describe(1, "xx", &tags, Some("y"), "p".into()),
        describe(1, "x", &tags[..1], Some("y"), "p".into()),
        describe(1, "x", &tags, None, "p".into()),
        describe(1, "x", &tags, Some("y"), "q".into()),
    ] {
        assert!(!different.is_empty());
    }
    assert_eq!(RUNS.get(), 6);
    let stats = describe::stats();
    assert_eq!((stats.hits, stats.misses, stats.loads, stats.len), (1, 6, 6, 6));
}

/// Also where a hit is looked at again to time it, and where it is told to the policy.
#[test]
fn a_key_is_made_and_hashed_once_in_a_call() {
    thread_local! {
        static HASHED: Cell<u32> = const { Cell::new(0) };
    }

    #[derive(Clone, PartialEq, Eq)]
    struct Counted(u32);

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            HASHED.set(HASHED.get() + 1);
            self.0.hash(state);
        }
    }

    #[cached]
    fn plain(x: Counted) -> u32 {
        x.0
    }

    #[cached(ttl = 600)]
    fn timed(x: Counted) -> u32 {
        x.0
    }

    #[cached(policy = "lru")]
    fn told(x: Counted) -> u32 {
        x.0
    }

    #[cached(key = { HASHED.set(HASHED.get() + 1); x })]
    fn expression(x: u32) -> u32 {
        x
    }

    let check = |name: &str, call: fn(u32) -> u32| {
        for x in 0..5_000 {
            HASHED.set(0);
            assert_eq!((call(x % 40), HASHED.get()), (x % 40, 1), "call {x} of {name}");
        }
    };
    check("plain", |x| plain(Counted(x)));
    check("timed", |x| timed(Counted(x)));
    check("told", |x| told(Counted(x)));
    check("expression", expression);
}

#[test]
fn a_result_is_forgotten_when_its_time_is_up() {
    static RUNS: Runs = Runs::new();

    #[cached(ttl = "50ms")]
    fn now(_unused: u8) -> u32 {
        RUNS.count()
    }

    assert_eq!(now(1), 1);
    let start = std::time::Instant::now();
    let again = now(1);
    if start.elapsed() < Duration::from_millis(40) {
        assert_eq!(again, 1);
    }
    thread::sleep(Duration::from_millis(60));
    assert!(now::peek(&1).is_none());
    assert!(now(1) > again);
    let stats = now::stats();
    assert!(stats.expired >= 1, "{stats:?}");
    assert_eq!(stats.len, 1);
}

#[test]
fn results_whose_time_is_up_make_room_as_others_come() {
    #[cached(ttl = "50ms", max_size = 10_000)]
    fn square(n: u32) -> u32 {
        n * n
    }

    (0..1_000).for_each(|n| _ = square(n));
    assert_eq!(square::stats().loads, 1_000);
    thread::sleep(Duration::from_millis(60));
    // Nobody asks for one of the thousand again. Two may leave for each that comes.
    (1_000..1_800).for_each(|n| _ = square(n));
    let stats = square::stats();
    assert!(stats.expired >= 1_000 && stats.len <= 800, "{stats:?}");
    assert_eq!(stats.evicted, 0);
}

#[test]
fn a_full_cache_gives_up_what_was_asked_least_often_or_is_the_oldest() {
    #[cached(max_size = 3, policy = "lfu")]
    fn often(n: u32) -> u32 {
        n
    }
    #[cached(max_size = 3, policy = "fifo")]
    fn old(n: u32) -> u32 {
        n
    }

    for n in [1, 2, 3, 1, 1, 2, 3, 3, 4, 5] {
        often(n);
        old(n);
    }
    // Asked for again: 1 twice, 3 twice, 2 once, and each newcomer never.
    assert_eq!([1, 2, 3, 4, 5].map(|n| often::peek(&n).is_some()), [true, false, true, false, true]);
    assert_eq!([1, 2, 3, 4, 5].map(|n| old::peek(&n).is_some()), [false, false, true, true, true]);
}

#[test]
fn a_full_cache_gives_up_what_was_asked_for_the_longest_ago() {
    #[cached(max_size = 3, policy = "lru")]
    fn square(n: u32) -> u32 {
        n * n
    }

    for n in [1, 2, 3, 1, 4, 5] {
        square(n);
    }
    let kept: Vec<u32> = (1..=5).filter(|n| square::peek(n).is_some()).collect();
    assert_eq!(kept, [1, 4, 5]);
    let stats = square::stats();
    assert_eq!((stats.evicted, stats.len, stats.max_size), (2, 3, 3));
}

#[test]
fn one_time_keys_do_not_drive_out_what_is_asked_for_again() {
    #[cached(max_size = 100)]
    fn square(n: u32) -> u64 {
        u64::from(n) * u64::from(n)
    }

    // Fifty keys that are used, between ten thousand that are not.
    for round in 0..200 {
        for n in 0..50 {
            square(n);
        }
        for n in 0..50 {
            square(1_000 + round * 50 + n);
        }
    }
    let kept = (0..50).filter(|n| square::peek(n).is_some()).count();
    assert_eq!(kept, 50);
    assert_eq!(square::stats().len, 100);
    assert!(square::stats().hit_ratio().unwrap() > 0.49, "{:?}", square::stats());
}

#[test]
fn a_large_cache_never_holds_more_than_its_size() {
    #[cached(max_size = 1_000)]
    fn number(n: u32) -> u32 {
        n
    }

    thread::scope(|scope| {
        for start in 0..4 {
            scope.spawn(move || {
                for n in 0..20_000 {
                    assert_eq!(number(n * 4 + start), n * 4 + start);
                    if n % 1_000 == 0 {
                        let len = number::stats().len;
                        assert!(len <= 1_000, "{len}");
                    }
                }
            });
        }
    });
    assert_eq!(number::stats().len, 1_000);
    assert_eq!(number::clear(), 1_000);
    assert_eq!(number::stats().len, 0);
    assert_eq!(number(7), 7);
}

#[test]
fn the_key_is_what_the_options_say() {
    static RUNS: Runs = Runs::new();

    #[cached(key = (a.min(b), a.max(b)))]
    fn symmetric(a: u32, b: u32) -> u32 {
        RUNS.count();
        a + b
    }

    struct User {
        id: u64,
        name: String,
    }

    #[cached(key = user.name.as_str())]
    fn greeting(user: &User) -> String {
        RUNS.count();
        format!("hello {} ({})", user.name, user.id)
    }

    #[cached(key = text.to_lowercase())]
    fn fold(text: String) -> usize {
        RUNS.count();
        text.len()
    }

    #[cached(skip(log, limit))]
    fn length(log: &mut Vec<String>, text: &str, limit: usize) -> usize {
        log.push(text.into());
        text.len().min(limit)
    }

    #[cached(key(pair.1 % 10))]
    fn nested((a, _): (u32, &'static str), pair: (u8, u32)) -> u32 {
        RUNS.count();
        a + pair.1
    }

    assert_eq!((symmetric(1, 2), symmetric(2, 1), RUNS.get()), (3, 3, 1));
    assert!(symmetric::invalidate(&2, &1));

    let user = |id, name: &str| User { id, name: name.into() };
    assert_eq!(greeting(&user(1, "ann")), "hello ann (1)");
    assert_eq!(greeting(&user(2, "ann")), "hello ann (1)");
    assert_eq!(RUNS.get(), 2);
    assert_eq!(greeting::peek(&user(3, "ann")).as_deref(), Some("hello ann (1)"));

    assert_eq!((fold(String::from("ABC")), fold(String::from("abc")), RUNS.get()), (3, 3, 3));

    let mut log = Vec::new();
    assert_eq!((length(&mut log, "four", 10), length(&mut log, "four", 2)), (4, 4));
    assert_eq!(log.len(), 1);
    assert!(length::invalidate("four"));

    assert_eq!(nested((1, "x"), (0, 13)), 14);
    assert_eq!(nested((1, "x"), (0, 13)), 14);
    assert_eq!((nested((1, "x"), (0, 23)), RUNS.get()), (24, 5));
}

type Alias<T> = Result<T, Box<dyn std::error::Error>>;

#[test]
fn failures_are_not_kept_unless_asked_for() {
    static RUNS: Runs = Runs::new();

    #[cached]
    fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
        RUNS.count();
        text.parse()
    }

    #[cached]
    fn through_an_alias(text: &str) -> Alias<u32> {
        RUNS.count();
        Ok(text.parse::<u32>()?)
    }

    #[cached]
    fn first(text: &str) -> Option<char> {
        RUNS.count();
        text.chars().next()
    }

    #[cached(cache_err)]
    fn strict(text: &str) -> Result<u32, String> {
        RUNS.count();
        text.parse().map_err(|_| String::from("no number"))
    }

    #[cached(cache_none)]
    fn last(text: &str) -> Option<char> {
        RUNS.count();
        text.chars().last()
    }

    for _ in 0..3 {
        assert!(parse("x").is_err() && through_an_alias("x").is_err() && first("").is_none());
    }
    assert_eq!(RUNS.get(), 9);
    for _ in 0..3 {
        assert_eq!(parse("1"), Ok(1));
        assert_eq!(through_an_alias("2").unwrap(), 2);
        assert_eq!(first("a"), Some('a'));
        assert_eq!(strict("x").unwrap_err(), "no number");
        assert_eq!(last(""), None);
    }
    assert_eq!(RUNS.get(), 14);
    let stats = parse::stats();
    assert_eq!((stats.loads, stats.load_errors, stats.hits, stats.len), (4, 3, 2, 1));
    assert_eq!(parse::peek("1"), Some(Ok(1)));
    assert_eq!(last::peek(""), Some(None));
}

#[test]
fn companions() {
    static RUNS: Runs = Runs::new();

    #[cached]
    fn add(a: u32, b: u32) -> u32 {
        RUNS.count() * 100 + a + b
    }

    assert_eq!(add::peek(&1, &2), None);
    assert_eq!(add(1, 2), 103);
    assert_eq!(add::peek(&1, &2), Some(103));
    assert_eq!(add::uncached(1, 2), 203);
    assert_eq!(add(1, 2), 103);
    assert_eq!(add::prime(1, 2), 303);
    assert_eq!(add(1, 2), 303);
    assert!(add::invalidate(&1, &2));
    assert!(!add::invalidate(&1, &2));
    assert_eq!(add(1, 2), 403);
    add::cache().insert((&1, &2), &7);
    assert_eq!((add(1, 2), add::cache().peek((&1, &2))), (7, Some(7)));
    assert_eq!(add::clear(), 1);
    assert_eq!(add(1, 2), 503);
    let stats = add::stats();
    assert_eq!((stats.hits, stats.misses, stats.loads), (3, 3, 4));
    assert_eq!(stats.invalidated, 4, "two replaced, one invalidated, one cleared");
}

struct Shop {
    id: u32,
}

static PRICES: Runs = Runs::new();

impl Shop {
    #[cached(key(self.id))]
    fn price(&self, article: &str) -> u32 {
        PRICES.count() * 1_000 + self.id * 100 + article.len() as u32
    }

    /// Of all shops together.
    #[cached(max_size = 5)]
    fn kinds(&self) -> u32 {
        self.id
    }

    #[cached(key(self.id))]
    fn close(self, reason: String) -> String {
        format!("{} closed: {reason}", self.id)
    }

    #[cached]
    fn open(id: u32) -> Arc<Self> {
        Arc::new(Shop { id })
    }

    #[cached(key = self.id)]
    fn shared(self: Arc<Self>) -> u32 {
        self.id
    }

    #[cached(companions = false)]
    fn default_id() -> u32 {
        3
    }
}

trait Stock {
    fn stock(&self, article: &str) -> usize;
}

impl Stock for Shop {
    #[cached(companions = false, key(self.id))]
    fn stock(&self, article: &str) -> usize {
        PRICES.count();
        article.len()
    }
}

#[test]
fn methods() {
    let (one, two) = (Shop { id: 1 }, Shop { id: 2 });
    let price = one.price("pen");
    assert_eq!(one.price("pen"), price);
    assert_ne!(two.price("pen"), price);
    assert_eq!(Shop { id: 1 }.price("pen"), price);
    assert_ne!(one.price_uncached("pen"), price);
    let cache = Shop::price_cache();
    assert_eq!(cache.stats().hits, 2);
    assert_eq!(cache.peek((&one, "pen")), Some(price));
    assert!(cache.invalidate((&two, "pen")));
    assert_eq!(cache.clear(), 1);

    assert_eq!((one.kinds(), two.kinds()), (1, 1));
    assert_eq!(Shop { id: 4 }.close("x".into()), "4 closed: x");
    assert!(Arc::ptr_eq(&Shop::open(5), &Shop::open(5)));
    assert_eq!((Shop::open(5).shared(), Shop::open(5).shared()), (5, 5));
    assert_eq!(Shop::shared_cache().stats().hits, 1);
    assert_eq!((Shop::default_id(), Shop::default_id()), (3, 3));
    let runs = PRICES.get();
    assert_eq!((one.stock("pen"), one.stock("pen"), two.stock("pen")), (3, 3, 3));
    assert_eq!(PRICES.get(), runs + 2);

    let report = perfkit::report();
    let names: Vec<&str> = report.caches.iter().map(|row| row.name.as_str()).collect();
    for name in ["cached::Shop::price", "cached::Shop::default_id", "<cached::Shop as cached::Stock>::stock"]
    {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
}

#[test]
fn each_instance_of_the_generics_has_its_own_cache() {
    #[cached]
    fn name<T: 'static>() -> &'static str {
        std::any::type_name::<T>()
    }

    #[cached(max_size = 10)]
    fn show<T: std::fmt::Debug + Clone + Eq + Hash + Send + Sync + 'static, const N: usize>(
        value: T,
    ) -> String {
        format!("{value:?}{N}")
    }

    struct Wrapper<T>(PhantomData<T>);
    impl<T> Wrapper<T> {
        #[cached]
        #[allow(clippy::unused_self, reason = "a method without a use for its value")]
        fn size(&self) -> usize {
            size_of::<T>()
        }

        #[cached(companions = false)]
        fn alignment() -> usize {
            align_of::<T>()
        }
    }

    assert_eq!((name::<u8>(), name::<u16>(), name::<u8>()), ("u8", "u16", "u8"));
    assert_eq!(name::stats().hits, 1);
    assert_eq!(
        (show::<_, 1>(1), show::<_, 2>(1), show::<_, 1>("a")),
        ("11".into(), "12".into(), "\"a\"1".into())
    );
    assert_eq!(show::peek::<u8, 1>(&1), None);
    assert_eq!(show::<u8, 1>(1), "11");
    assert_eq!(show::peek::<u8, 1>(&1).as_deref(), Some("11"));
    assert!(show::invalidate::<u8, 1>(&1));
    let wrapped = |_: u8| (Wrapper::<u8>(PhantomData).size(), Wrapper::<&u32>(PhantomData).size());
    assert_eq!((wrapped(0), wrapped(1)), ((1, 8), (1, 8)));
    assert_eq!((Wrapper::<u8>::alignment(), Wrapper::<u64>::alignment()), (1, 8));
}

struct Parser<'a>(&'a str);

impl Parser<'_> {
    #[cached(key = self.0)]
    fn words(&self) -> usize {
        self.0.split(' ').count()
    }
}

#[test]
fn a_type_with_a_lifetime_has_one_cache() {
    let text = String::from("a b c");
    assert_eq!(Parser(&text).words(), 3);
    {
        let other = String::from("a b c");
        assert_eq!(Parser(&other).words(), 3);
    }
    assert_eq!(Parser::words_cache().stats().hits, 1);
}

#[test]
fn a_report_has_a_row_for_each_cache() {
    #[cached(name = "doubled numbers", max_size = 77)]
    fn double(n: u32) -> u32 {
        thread::sleep(Duration::from_millis(2));
        n * 2
    }

    #[cached]
    #[allow(dead_code, reason = "the point")]
    fn never_called(n: u32) -> u32 {
        n
    }

    for _ in 0..10 {
        double(4);
    }
    let row = |report: &perfkit::Report, name: &str| {
        report.caches.iter().find(|row| row.name.ends_with(name)).cloned().unwrap()
    };
    let report = perfkit::report();
    let doubled = row(&report, "doubled numbers");
    assert_eq!(
        (doubled.hits, doubled.misses, doubled.loads, doubled.len, doubled.max_size),
        (9, 1, 1, 1, 77)
    );
    assert!(doubled.time_saved > Duration::from_millis(17), "{doubled:?}");
    assert!(doubled.location.file.ends_with("cached.rs"));
    assert_eq!(row(&report, "never_called").hits, 0);
    assert!(
        report.to_table().contains("doubled numbers") && report.to_json().contains("\"doubled numbers\"")
    );
}
