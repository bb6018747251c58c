//! What Python's `functools.lru_cache` gives, `#[cached]` gives, too: the examples of its documentation, in Rust.

#![allow(clippy::needless_pass_by_value, reason = "arguments by value are the point")]

use std::collections::HashMap;

use perfkit::cached;

/// The pages of a library, as far as it has them.
fn library() -> HashMap<u32, &'static str> {
    HashMap::from([
        (8, "style"),
        (290, "resolution"),
        (308, "ternary"),
        (320, "release"),
        (279, "docs"),
        (9991, ""),
    ])
}

/// `@lru_cache(maxsize=32)`, and a page that is not there is not kept as such: an `Err` is none.
#[cached(max_size = 32, policy = "lru")]
fn get_pep(number: u32) -> Result<String, String> {
    library()
        .get(&number)
        .map(|text| format!("PEP {number}: {text}"))
        .ok_or_else(|| String::from("Not Found"))
}

#[test]
fn pages_of_a_library() {
    for number in [8, 290, 308, 320, 8, 218, 320, 279, 289, 320, 9991] {
        let page = get_pep(number);
        assert_eq!(page.is_ok(), library().contains_key(&number));
    }
    // CacheInfo(hits=3, misses=8, maxsize=32, currsize=8), of which two are not kept here.
    let stats = get_pep::stats();
    assert_eq!((stats.hits, stats.misses, stats.max_size, stats.len), (3, 8, 32, 6));
    // cache_clear
    assert_eq!(get_pep::clear(), 6);
    assert_eq!(get_pep::stats().len, 0);
    // __wrapped__
    assert_eq!(get_pep::uncached(8), Ok(String::from("PEP 8: style")));
    let stats = get_pep::stats();
    assert_eq!((stats.hits, stats.misses, stats.len), (3, 8, 0));
}

/// `@lru_cache(maxsize=None)`, which is `@cache`.
#[cached(max_size = None)]
fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

#[test]
fn fibonacci_numbers() {
    let numbers: Vec<u64> = (0..16).map(fib).collect();
    assert_eq!(numbers, [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610]);
    // CacheInfo(hits=28, misses=16, maxsize=None, currsize=16)
    let stats = fib::stats();
    assert_eq!((stats.hits, stats.misses, stats.len), (28, 16, 16));
}

/// `@cache def factorial(n)`
#[cached(max_size = None)]
fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n * factorial(n - 1) }
}

#[test]
fn factorials() {
    assert_eq!(factorial(10), 3_628_800);
    assert_eq!(factorial::stats().misses, 11);
    assert_eq!(factorial(5), 120);
    assert_eq!(factorial::stats().misses, 11);
    assert_eq!(factorial(12), 479_001_600);
    assert_eq!(factorial::stats().misses, 13);
}

/// `typed=True`: what is equal and of another type is another call. In Rust it always is.
#[cached]
fn text<T: ToString + Clone + Eq + std::hash::Hash + Send + Sync + 'static>(value: T) -> String {
    value.to_string()
}

#[test]
fn types_are_told_apart() {
    assert_eq!((text(3_u8), text(3_i64), text(3_u8)), ("3".into(), "3".into(), "3".into()));
    let stats = text::stats();
    assert_eq!((stats.hits, stats.misses, stats.len), (1, 2, 2));
    assert_eq!((text::cache::<u8>().stats().hits, text::cache::<i64>().stats().hits), (1, 0));
}

/// `cached_property`, `lru_cache` of a method: by what the object says, and not by where it is.
struct DataSet {
    name: &'static str,
    numbers: Vec<u32>,
}

impl DataSet {
    #[cached(key = self.name)]
    fn sum(&self) -> u32 {
        self.numbers.iter().sum()
    }
}

#[test]
fn methods() {
    let one = DataSet { name: "one", numbers: vec![1, 2, 3] };
    let other = DataSet { name: "other", numbers: vec![4] };
    assert_eq!((one.sum(), one.sum(), other.sum(), one.sum_uncached()), (6, 6, 4, 6));
    let stats = DataSet::sum_cache().stats();
    assert_eq!((stats.hits, stats.misses), (1, 2));
}
