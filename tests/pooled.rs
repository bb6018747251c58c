//! `#[pooled]` does what its page says: objects come back, clean and valid, or are made; nothing that panics costs more than
//! one of them; the counters add up.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;

use perfkit::{PoolStats, Pooled, pooled};

#[track_caller]
fn assert_adds_up(stats: &PoolStats) {
    assert_eq!(stats.borrowed, stats.returned + stats.discarded + stats.taken + stats.in_use, "{stats:?}");
    assert!(stats.idle <= stats.max_size, "{stats:?}");
}

/// Runs `f`, which is to panic, and gives its message.
fn panic_of(f: impl FnOnce()) -> String {
    let payload = panic::catch_unwind(AssertUnwindSafe(f)).expect_err("it was to panic");
    payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap()
}

#[test]
fn a_buffer_comes_back_empty_and_with_its_memory() {
    #[pooled(max_size = 1000, reset = Vec::clear)]
    fn buffer() -> Vec<u8> {
        Vec::with_capacity(65536)
    }

    let mut first = buffer();
    first.extend_from_slice(b"something");
    let (address, capacity) = (first.as_ptr(), first.capacity());
    drop(first);
    let second = buffer();
    assert!(second.is_empty());
    assert_eq!((second.as_ptr(), second.capacity()), (address, capacity));

    let stats = buffer::stats();
    assert_eq!((stats.borrowed, stats.created, stats.reused, stats.in_use), (2, 1, 1, 1));
    assert_eq!((stats.max_size, stats.hit_ratio(), stats.utilisation()), (1000, Some(0.5), Some(1.0)));
}

#[test]
fn without_reset_an_object_comes_back_as_it_was_left() {
    #[pooled]
    fn notes() -> Vec<&'static str> {
        Vec::new()
    }

    assert_eq!((notes::stats().hit_ratio(), notes::stats().utilisation()), (None, None));
    notes().push("remember");
    assert_eq!(*notes(), ["remember"]);
    assert_eq!(notes::stats().max_size, 1000);
}

#[test]
fn what_fails_validate_is_dropped_before_it_is_reset() {
    static RESETS: AtomicU64 = AtomicU64::new(0);

    #[pooled(validate = |text| text.len() < 10, reset = |text| {
        RESETS.fetch_add(1, SeqCst);
        text.clear();
    })]
    fn text() -> String {
        String::new()
    }

    text().push_str("short");
    assert!(text().is_empty());
    text().push_str("far too long to be kept");
    assert_eq!(RESETS.load(SeqCst), 2);
    let stats = text::stats();
    assert_eq!((stats.created, stats.returned, stats.discarded, stats.idle), (1, 2, 1, 0));
    drop(text());
    assert_eq!(text::stats().created, 2);
}

#[test]
fn prefill_makes_objects_on_the_first_borrowing() {
    static MADE: AtomicU64 = AtomicU64::new(0);

    #[pooled(prefill = 3)]
    fn connection() -> u64 {
        MADE.fetch_add(1, SeqCst)
    }

    assert_eq!((MADE.load(SeqCst), connection::stats().idle), (0, 0));
    let first = connection();
    assert_eq!((MADE.load(SeqCst), connection::stats().idle), (3, 2));
    drop((connection(), connection(), first));
    let stats = connection::stats();
    assert_eq!((stats.created, stats.reused, stats.hit_ratio()), (3, 3, Some(1.0)));
}

#[test]
fn take_keeps_the_object() {
    #[pooled]
    fn line() -> String {
        String::from("new")
    }

    let mut mine = line();
    mine.push_str(", mine");
    let mine: String = Pooled::take(mine);
    assert_eq!(mine, "new, mine");
    let stats = line::stats();
    assert_eq!((stats.taken, stats.returned, stats.idle, stats.in_use), (1, 0, 0, 0));
    assert_eq!(*line(), "new");
}

#[test]
fn no_more_than_max_size_are_kept_and_shrink_drops_those() {
    static ALIVE: AtomicU64 = AtomicU64::new(0);
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            ALIVE.fetch_sub(1, SeqCst);
        }
    }

    #[pooled(max_size = 3)]
    fn counted() -> Counted {
        ALIVE.fetch_add(1, SeqCst);
        Counted
    }

    let out: Vec<_> = (0..5).map(|_| counted()).collect();
    assert_eq!((ALIVE.load(SeqCst), counted::stats().peak_in_use), (5, 5));
    drop(out);
    assert_eq!((ALIVE.load(SeqCst), counted::stats().idle, counted::stats().discarded), (3, 3, 2));
    assert_eq!(counted::shrink(), 3);
    assert_eq!((ALIVE.load(SeqCst), counted::stats().idle), (0, 0));
    assert_eq!(counted::shrink(), 0);
}

#[test]
fn a_struct_has_a_pool_of_its_defaults() {
    #[pooled(max_size = 2, reset = Parser::rewind)]
    #[derive(Debug, Default, PartialEq)]
    struct Parser {
        tokens: Vec<u32>,
        depth: usize,
    }
    impl Parser {
        fn rewind(&mut self) {
            self.tokens.clear();
            self.depth = 0;
        }
    }

    let mut parser = Parser::pooled();
    parser.tokens.push(7);
    parser.depth = 3;
    let memory = parser.tokens.as_ptr();
    drop(parser);
    let parser = Parser::pooled();
    assert_eq!(*parser, Parser::default());
    assert_eq!(parser.tokens.as_ptr(), memory);
    drop(parser);
    assert_eq!((Parser::pool().stats().borrowed, Parser::pool().shrink()), (2, 1));
}

#[test]
fn a_panicking_factory_panics_in_its_caller_and_is_not_counted() {
    static DOWN: AtomicBool = AtomicBool::new(true);

    #[pooled]
    fn connection() -> u32 {
        assert!(!DOWN.load(SeqCst), "the server is down");
        7
    }

    assert_eq!(panic_of(|| drop(connection())), "the server is down");
    assert_eq!(connection::stats().borrowed, 0);
    assert_eq!((connection::stats().created, connection::stats().in_use), (0, 0));
    DOWN.store(false, SeqCst);
    assert_eq!(*connection(), 7);
}

#[test]
fn a_panic_in_reset_or_validate_costs_that_object_only() {
    #[pooled(reset = |number| assert_ne!(*number, 13, "cannot reset 13"))]
    fn reset() -> u32 {
        0
    }
    #[pooled(validate = |number| 100 / (13 - *number) > 0)]
    fn validated() -> i32 {
        0
    }

    *reset() = 13;
    *validated() = 13;
    assert_eq!((*reset(), *validated()), (0, 0));
    for stats in [reset::stats(), validated::stats()] {
        assert_eq!((stats.created, stats.discarded, stats.idle), (2, 1, 1));
        assert_adds_up(&stats);
    }
}

#[test]
fn an_object_in_the_hands_of_a_panic_is_not_used_again() {
    #[pooled]
    fn ledger() -> Vec<i64> {
        Vec::new()
    }

    let message = panic_of(|| {
        let mut ledger = ledger();
        ledger.push(100);
        panic!("before the other half was booked");
    });
    assert_eq!(message, "before the other half was booked");
    assert_eq!((ledger::stats().discarded, ledger::stats().idle), (1, 0));
    assert!(ledger().is_empty());
}

#[test]
fn many_threads_share_a_pool_and_the_counters_add_up() {
    const THREADS: u64 = 8;
    const ROUNDS: u64 = 2000;

    #[pooled(max_size = 4, reset = Vec::clear)]
    fn buffer() -> Vec<u64> {
        Vec::new()
    }

    thread::scope(|scope| {
        for worker in 0..THREADS {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let mut mine = buffer();
                    assert!(mine.is_empty());
                    mine.extend([worker, round]);
                    let another = (round % 2 == 0).then(buffer);
                    assert_eq!(*mine, [worker, round]);
                    if round % 100 == 0 {
                        assert_eq!(Pooled::take(mine), [worker, round]);
                    }
                    drop(another);
                }
            });
        }
    });

    let stats = buffer::stats();
    assert_adds_up(&stats);
    assert_eq!((stats.borrowed, stats.in_use), (THREADS * ROUNDS * 3 / 2, 0));
    assert_eq!(stats.taken, THREADS * ROUNDS / 100);
    assert_eq!(stats.borrowed, stats.created + stats.reused);
    assert_eq!(stats.created, stats.idle + stats.discarded + stats.taken);
    assert!(stats.peak_in_use <= 2 * THREADS);
}

#[test]
fn an_object_may_be_returned_by_another_thread_than_its_borrower() {
    #[pooled]
    fn message() -> String {
        String::new()
    }

    let message = message();
    thread::spawn(move || drop(message)).join().unwrap();
    assert_eq!(borrowed_here(message::pool()), 1);
}

/// Borrows once more and gives the number of objects ever made.
fn borrowed_here(pool: &'static perfkit::Pool<String>) -> u64 {
    drop(pool.borrow());
    pool.stats().created
}

#[test]
fn every_pool_is_listed_used_or_not() {
    #[pooled(name = "the odd ones", max_size = 5)]
    #[allow(dead_code, reason = "the point")]
    fn never_called() -> String {
        String::new()
    }
    #[pooled]
    #[derive(Default)]
    struct Listed(#[allow(dead_code, reason = "only its pool matters")] u8);

    let rows = perf_runtime::pool::rows();
    let odd = rows.iter().find(|row| row.name == "the odd ones").unwrap();
    assert_eq!((odd.borrowed, odd.created, odd.max_size, odd.hit_ratio()), (0, 0, 5, None));
    assert!(odd.location.file.ends_with("pooled.rs") && odd.location.line > 1 && odd.location.column == 8);

    drop((Listed::pooled(), Listed::pooled()));
    let rows = perf_runtime::pool::rows();
    let listed = rows.iter().find(|row| row.name.ends_with("::Listed")).unwrap();
    assert!(listed.name.starts_with("pooled::"), "{}", listed.name);
    assert_eq!((listed.borrowed, listed.created, listed.peak_in_use, listed.idle), (2, 2, 2, 2));
    // Made, never run.
    assert_eq!(never_called::stats(), {
        let mut stats = PoolStats::default();
        stats.max_size = 5;
        stats
    });
}

#[test]
fn a_loan_can_be_used_like_its_object() {
    #[pooled]
    fn text() -> String {
        String::from("text")
    }

    let mut loan = text();
    loan.make_ascii_uppercase();
    assert_eq!((format!("{loan}"), format!("{loan:?}")), ("TEXT".to_owned(), "\"TEXT\"".to_owned()));
    let string: &String = loan.as_ref();
    assert_eq!(string, "TEXT");
    let string: &mut String = loan.as_mut();
    string.clear();
    assert!(loan.is_empty());
    assert_eq!(Pooled::pool(&loan).stats(), text::stats());
}
