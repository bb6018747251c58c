//! Results past their time, results that take memory, and what depends on what: `stale`, `stale_if_error`, `refresh_ahead`, `tti`,
//! `max_memory`, `tags` and `depends_on`.

#![allow(clippy::needless_pass_by_value, clippy::unused_async, reason = "the shapes are the point")]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use perfkit::cached;

/// Waits until it holds, for at most two seconds.
fn soon(mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn what_is_asked_for_stays() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(tti = "200ms")]
    fn run(_n: u8) -> u32 {
        RUNS.fetch_add(1, Ordering::SeqCst)
    }

    assert_eq!((run(1), run(2)), (0, 1));
    for _ in 0..6 {
        thread::sleep(Duration::from_millis(50));
        assert_eq!(run(1), 0);
    }
    assert_eq!((run(2), run(1)), (2, 0));
    thread::sleep(Duration::from_millis(250));
    assert_eq!(run(1), 3);
}

#[test]
fn a_stale_result_is_handed_out_while_another_is_computed() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(ttl = "100ms", stale = "10s")]
    fn run(name: &str, list: &[u8], nick: Option<&str>, n: Vec<u8>) -> String {
        let run = RUNS.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(30));
        format!("{name} {} {nick:?} {} {run}", list.len(), n.len())
    }

    let call = || run("a", &[1], Some("b"), vec![1, 2]);
    assert_eq!(call(), "a 1 Some(\"b\") 2 0");
    thread::sleep(Duration::from_millis(120));
    let start = Instant::now();
    assert_eq!(call(), "a 1 Some(\"b\") 2 0");
    assert!(start.elapsed() < Duration::from_millis(25), "{:?}", start.elapsed());
    assert!(soon(|| call() == "a 1 Some(\"b\") 2 1"));
    // One of all that asked.
    assert!(RUNS.load(Ordering::SeqCst) <= 3);
}

#[test]
fn a_stale_result_of_a_future_is_computed_without_one_who_waits() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(ttl = "50ms", stale = "10s")]
    async fn run(_name: &str) -> u32 {
        RUNS.fetch_add(1, Ordering::SeqCst)
    }

    assert_eq!(smol::block_on(run("a")), 0);
    thread::sleep(Duration::from_millis(70));
    assert_eq!(smol::block_on(run("a")), 0);
    assert!(soon(|| smol::block_on(run("a")) > 0));
}

#[test]
fn a_result_is_computed_ahead_of_its_end() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(ttl = "300ms", refresh_ahead)]
    fn run(_n: u8) -> u32 {
        let run = RUNS.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(50));
        run
    }

    run(1);
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1_500) {
        let call = Instant::now();
        run(1);
        // Nobody waits for the body.
        assert!(call.elapsed() < Duration::from_millis(40), "{:?}", call.elapsed());
        thread::sleep(Duration::from_millis(1));
    }
    assert!(RUNS.load(Ordering::SeqCst) >= 4);
    assert_eq!(run::stats().misses, 1);
}

#[test]
fn the_last_good_result_takes_the_place_of_an_error() {
    static FAILS: AtomicBool = AtomicBool::new(false);

    #[cached(ttl = "50ms", stale_if_error = "300ms")]
    fn run(n: u8) -> Result<u8, String> {
        if FAILS.load(Ordering::SeqCst) { Err("down".into()) } else { Ok(n) }
    }

    #[cached(ttl = "50ms", stale_if_error = "300ms")]
    async fn later(n: u8) -> Option<u8> {
        (!FAILS.load(Ordering::SeqCst)).then_some(n)
    }

    let both = || (run(1), smol::block_on(later(1)));
    assert_eq!(both(), (Ok(1), Some(1)));
    FAILS.store(true, Ordering::SeqCst);
    assert_eq!(run(2), Err("down".into()));
    thread::sleep(Duration::from_millis(70));
    assert_eq!(both(), (Ok(1), Some(1)));
    assert_eq!(both(), (Ok(1), Some(1)));
    thread::sleep(Duration::from_millis(350));
    assert_eq!(both(), (Err("down".into()), None));
}

#[test]
fn a_cache_takes_no_more_memory_than_it_may() {
    #[cached(max_memory = "1MiB")]
    fn by_content(n: u32) -> Vec<u8> {
        vec![0; 100_000 + n as usize]
    }

    /// Its own size does not tell.
    #[derive(Clone)]
    struct Remote;

    impl perfkit::Weigh for Remote {
        fn heap(&self) -> usize {
            100_000
        }
    }

    #[cached(max_memory = "1MiB")]
    fn by_trait(n: String) -> Option<Remote> {
        (!n.is_empty()).then_some(Remote)
    }

    #[cached(max_memory = 1_000, weigh = |_: &u32| 100)]
    fn by_function(n: u32) -> u32 {
        n
    }

    for n in 0..100 {
        assert_eq!((by_content(n).len(), by_function(n)), (100_000 + n as usize, n));
        assert!(by_trait(n.to_string()).is_some());
    }
    let (content, function) = (by_content::stats().len, by_function::stats().len);
    assert!((5..=10).contains(&content), "{content}");
    assert!((5..=10).contains(&function), "{function}");
    let by_trait = by_trait::stats().len;
    assert!((5..=10).contains(&by_trait), "{by_trait}");
}

#[test]
fn what_takes_the_most_memory_gives_way() {
    #[cached(policy = "size", max_size = 3)]
    fn text(n: usize) -> String {
        "x".repeat(n)
    }

    for n in [10, 1_000, 20, 30] {
        text(n);
    }
    assert_eq!(text::peek(&1_000), None);
    assert!(text::peek(&10).is_some());
}

#[test]
fn what_was_computed_from_it_goes_with_a_function() {
    static RATE: AtomicU32 = AtomicU32::new(1);

    #[cached]
    fn rate() -> u32 {
        RATE.load(Ordering::SeqCst)
    }

    /// The runtime cannot see what it reads.
    #[cached(depends_on(rate))]
    fn price(n: u32) -> u32 {
        thread::spawn(move || n * rate()).join().unwrap()
    }

    assert_eq!((price(3), price::prime(4)), (3, 4));
    RATE.store(2, Ordering::SeqCst);
    assert_eq!(price(3), 3);
    assert!(rate::invalidate());
    assert_eq!((price(3), price(4)), (6, 8));
}
