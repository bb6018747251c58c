//! What `#[cached]` promises where several are at it: one computation per key, nothing kept that was invalidated, no lock around a user's
//! code, and nobody waits for ever.

#![allow(clippy::needless_pass_by_value, reason = "arguments by value are the point")]

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Barrier, Mutex, mpsc};
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

/// Longer than anything here takes; only what hangs gets there.
const FOR_EVER: Duration = Duration::from_secs(60);

/// Runs it on a thread of its own, so that it cannot hang the test.
#[track_caller]
fn within_reason<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || sender.send(work()));
    match receiver.recv_timeout(FOR_EVER) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match worker.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(_) => unreachable!("it sent nothing"),
        },
    }
}

#[test]
fn sixty_four_threads_that_miss_one_key_run_the_body_once() {
    static RUNS: Runs = Runs::new();

    #[cached]
    fn slow(n: u32) -> u32 {
        RUNS.count();
        thread::sleep(Duration::from_millis(30));
        n * 2
    }

    let barrier = Barrier::new(64);
    let answers: Vec<u32> = thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    slow(21)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers, [42; 64]);
    assert_eq!(RUNS.get(), 1);
    let stats = slow::stats();
    assert_eq!((stats.hits + stats.misses, stats.loads), (64, 1));
    assert_eq!(stats.waits, stats.misses - 1);
}

#[test]
fn other_keys_go_on_while_one_is_computed() {
    static GO: Mutex<Option<mpsc::Receiver<()>>> = Mutex::new(None);

    #[cached]
    fn value(n: u32) -> u32 {
        if n == 0 {
            // Taken out first: nothing is locked while it waits.
            let go = GO.lock().unwrap().take();
            go.unwrap().recv().unwrap();
        }
        n
    }

    assert_eq!(value(1), 1);
    let (sender, receiver) = mpsc::channel();
    *GO.lock().unwrap() = Some(receiver);
    let blocked = thread::spawn(|| value(0));
    while GO.lock().unwrap().is_some() {
        thread::yield_now();
    }
    // A hit, and misses of every shard.
    assert_eq!(value(1), 1);
    for n in 2..500 {
        assert_eq!(value(n), n);
    }
    assert_eq!(value::stats().loads, 499);
    sender.send(()).unwrap();
    assert_eq!(blocked.join().unwrap(), 0);
}

#[test]
fn after_a_panic_the_next_one_computes() {
    static RUNS: Runs = Runs::new();

    #[cached]
    fn fragile(n: u32) -> u32 {
        thread::sleep(Duration::from_millis(20));
        assert!(RUNS.count() > 2, "on purpose");
        n
    }

    let barrier = Barrier::new(8);
    let outcomes: Vec<Option<u32>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    catch_unwind(|| fragile(5)).ok()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_none()).count(), 2, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Some(5)).count(), 6);
    assert_eq!(RUNS.get(), 3);
    let stats = fragile::stats();
    assert_eq!((stats.loads, stats.load_errors), (3, 2));
}

#[test]
fn those_who_wait_share_a_failure() {
    static RUNS: Runs = Runs::new();

    #[cached]
    fn failing(_key: u32) -> Result<u32, String> {
        thread::sleep(Duration::from_millis(50));
        Err(format!("run {}", RUNS.count()))
    }

    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                assert!(failing(1).is_err());
            });
        }
    });
    let stats = failing::stats();
    assert!(RUNS.get() < 8, "{stats:?}");
    assert_eq!(u64::from(RUNS.get()) + stats.waits, 8);
    assert_eq!(stats.len, 0);
}

#[test]
fn recursion() {
    #[cached]
    fn fibonacci(n: u64) -> u64 {
        if n < 2 { n } else { fibonacci(n - 1) + fibonacci(n - 2) }
    }

    assert_eq!(fibonacci(90), 2_880_067_194_370_816_120);
    assert_eq!(fibonacci::stats().loads, 91);
    let barrier = Barrier::new(4);
    fibonacci::clear();
    thread::scope(|scope| {
        for n in [80, 81, 82, 83] {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                fibonacci(n)
            });
        }
    });
    assert_eq!(fibonacci(83), 99_194_853_094_755_497);
}

#[test]
fn a_key_that_needs_itself_runs_as_without_the_attribute() {
    static DEPTH: Runs = Runs::new();

    #[cached]
    fn needs_itself(n: u32) -> u32 {
        if DEPTH.count() < 4 { needs_itself(n) + 1 } else { 0 }
    }

    assert_eq!(needs_itself(9), 3);
    assert_eq!(needs_itself(9), 3);
    assert_eq!(DEPTH.get(), 4);
}

#[test]
fn a_ring_of_threads_does_not_wait_for_ever() {
    const RING: u32 = 5;
    static STARTED: Barrier = Barrier::new(RING as usize);
    static INSIDE: Mutex<Option<HashMap<u32, u32>>> = Mutex::new(None);

    /// Each asks for the next when all have begun; the second time it does not.
    #[cached]
    fn link(n: u32) -> u32 {
        let visits = {
            let mut inside = INSIDE.lock().unwrap();
            let visits = inside.get_or_insert_default().entry(n).or_default();
            *visits += 1;
            *visits
        };
        if visits == 1 {
            STARTED.wait();
            link((n + 1) % RING) + 1
        } else {
            0
        }
    }

    let (sender, receiver) = mpsc::channel();
    for n in 0..RING {
        let sender = sender.clone();
        thread::spawn(move || sender.send(link(n)));
    }
    for _ in 0..RING {
        let length = receiver.recv_timeout(Duration::from_secs(30)).expect("the ring hangs");
        assert!((1..=RING).contains(&length), "{length}");
    }
}

#[test]
fn what_is_invalidated_while_it_is_computed_is_not_kept() {
    static VALUE: AtomicU32 = AtomicU32::new(1);
    static READ: AtomicBool = AtomicBool::new(false);
    static GO: AtomicBool = AtomicBool::new(false);

    #[cached]
    fn read(_key: u8) -> u32 {
        let value = VALUE.load(Ordering::SeqCst);
        READ.store(true, Ordering::SeqCst);
        while !GO.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        value
    }

    for invalidate in [|| _ = read::invalidate(&1), || _ = read::clear(), || read::cache().insert(&1, &99)] {
        READ.store(false, Ordering::SeqCst);
        GO.store(false, Ordering::SeqCst);
        let stale = VALUE.load(Ordering::SeqCst);
        let reader = thread::spawn(|| read(1));
        while !READ.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        VALUE.store(stale + 1, Ordering::SeqCst);
        invalidate();
        GO.store(true, Ordering::SeqCst);
        assert_eq!(reader.join().unwrap(), stale);
        let kept = read(1);
        assert!(kept == stale + 1 || kept == 99, "{kept} was kept");
        read::clear();
    }
}

/// A key and a value whose every method comes back to the cache that it is in.
#[test]
fn no_lock_is_held_while_user_code_runs() {
    static BUSY: AtomicBool = AtomicBool::new(false);

    /// Comes back, but not from inside of itself.
    fn again() {
        if !BUSY.swap(true, Ordering::SeqCst) {
            let _ = lookup(Key(900));
            lookup::invalidate(&Key(900));
            let _ = lookup::peek(&Key(1));
            assert!(lookup::stats().max_size == 8);
            BUSY.store(false, Ordering::SeqCst);
        }
    }

    struct Key(u32);
    impl std::hash::Hash for Key {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            again();
            (self.0 % 2).hash(state);
        }
    }
    impl PartialEq for Key {
        fn eq(&self, other: &Key) -> bool {
            again();
            self.0 == other.0
        }
    }
    impl Eq for Key {}
    impl Clone for Key {
        fn clone(&self) -> Self {
            again();
            Key(self.0)
        }
    }
    impl Drop for Key {
        fn drop(&mut self) {
            again();
        }
    }
    struct Value(u32);
    impl Clone for Value {
        fn clone(&self) -> Self {
            again();
            Value(self.0)
        }
    }
    impl Drop for Value {
        fn drop(&mut self) {
            again();
        }
    }

    #[cached(max_size = 8, policy = "lru")]
    fn lookup(key: Key) -> Value {
        Value(key.0)
    }

    within_reason(|| {
        // Half of these keys have one hash.
        for n in (0..50).chain(0..50) {
            assert_eq!(lookup(Key(n)).0, n);
            assert_eq!(lookup(Key(n)).0, n);
        }
        lookup::clear();
    });
}

#[test]
fn a_value_that_cannot_be_cloned_harms_nobody_else() {
    struct Moody(u32);
    impl Clone for Moody {
        fn clone(&self) -> Self {
            assert!(self.0 != 13, "on purpose");
            Moody(self.0)
        }
    }

    #[cached]
    fn make(n: u32) -> Moody {
        Moody(n)
    }

    assert!(catch_unwind(AssertUnwindSafe(|| make(13))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| make(13))).is_err());
    assert_eq!((make(14).0, make(14).0), (14, 14));
}

/// A key that says what it is told to.
#[derive(Clone, Debug)]
struct Colliding(u32);

impl std::hash::Hash for Colliding {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl PartialEq for Colliding {
    fn eq(&self, other: &Colliding) -> bool {
        self.0 == other.0
    }
}

impl Eq for Colliding {}

#[test]
fn keys_of_one_hash_are_computed_side_by_side_and_once_each() {
    static BOTH: Barrier = Barrier::new(2);
    static RUNS: Runs = Runs::new();

    #[cached]
    fn meet(key: Colliding) -> u32 {
        RUNS.count();
        BOTH.wait();
        key.0
    }

    within_reason(|| {
        let threads: Vec<_> =
            (0..8).map(|n| thread::spawn(move || (n % 2, meet(Colliding(n % 2))))).collect();
        for thread in threads {
            let (key, result) = thread.join().unwrap();
            assert_eq!(key, result);
        }
    });
    assert_eq!(RUNS.get(), 2);
    assert_eq!((meet::peek(&Colliding(0)), meet::peek(&Colliding(1))), (Some(0), Some(1)));
    assert!(meet::invalidate(&Colliding(0)));
    assert_eq!((meet::peek(&Colliding(0)), meet::peek(&Colliding(1))), (None, Some(1)));
}

/// A body that waits to be told, one value after the other.
mod told {
    use super::*;

    static BEGUN: Runs = Runs::new();
    static GATES: Mutex<Vec<mpsc::Receiver<Option<u32>>>> = Mutex::new(Vec::new());

    #[cached]
    pub(super) fn value(_key: u8) -> Option<u32> {
        let gate = GATES.lock().unwrap().pop().expect("a gate for each body");
        BEGUN.count();
        gate.recv().unwrap()
    }

    /// Begins a call whose body has begun when this returns; it ends when it is told its result.
    pub(super) fn begin(call: fn(u8) -> Option<u32>) -> impl FnOnce(Option<u32>) -> Option<u32> {
        let (sender, receiver) = mpsc::channel();
        GATES.lock().unwrap().push(receiver);
        let before = BEGUN.get();
        let thread = thread::spawn(move || call(1));
        while BEGUN.get() == before {
            thread::yield_now();
        }
        move |result| {
            sender.send(result).unwrap();
            thread.join().unwrap()
        }
    }
}

#[test]
fn what_is_primed_is_kept_unless_something_newer_came() {
    use told::{begin, value};
    let kept = || value::peek(&1).flatten();

    let first = begin(value::prime);
    value::invalidate(&1);
    assert_eq!(first(Some(1)), Some(1));
    assert_eq!(kept(), None, "invalidated while it was computed");

    let first = begin(value::prime);
    value::clear();
    first(Some(1));
    assert_eq!(kept(), None, "cleared while it was computed");

    let (older, newer) = (begin(value::prime), begin(value::prime));
    newer(Some(2));
    older(Some(1));
    assert_eq!(kept(), Some(2), "the one that began later had ended");

    let (older, newer) = (begin(value::prime), begin(value::prime));
    older(Some(3));
    assert_eq!(kept(), Some(3));
    newer(Some(4));
    assert_eq!(kept(), Some(4));

    let older = begin(value::prime);
    value::cache().insert(&1, &Some(9));
    older(Some(5));
    assert_eq!(kept(), Some(9), "inserted while it was computed");

    // A failure is not kept, and neither is what it shows to be over.
    begin(value::prime)(None);
    assert_eq!(kept(), None);

    let call = begin(value);
    begin(value::prime)(Some(6));
    assert_eq!(call(Some(5)), Some(5));
    assert_eq!(kept(), Some(6), "the call began before the prime");

    value::clear();
    let prime = begin(value::prime);
    begin(value)(Some(7));
    prime(Some(6));
    assert_eq!(kept(), Some(7), "the call began after the prime");
    assert_eq!(value::stats().len, 1);
}

#[test]
fn a_prime_that_panics_leaves_everything_as_it_was() {
    static RUNS: Runs = Runs::new();

    #[cached]
    fn fragile(n: u32) -> u32 {
        assert!(RUNS.count() != 2, "on purpose");
        n
    }

    assert_eq!(fragile(1), 1);
    assert!(catch_unwind(|| fragile::prime(1)).is_err());
    assert_eq!((fragile::peek(&1), fragile::prime(1), RUNS.get()), (Some(1), 1, 3));
}

/// Those who wait have their result before anything that gave way is dropped.
#[test]
fn dropping_what_gives_way_holds_up_nobody() {
    static GO: AtomicBool = AtomicBool::new(false);

    #[derive(Clone)]
    struct Slow(u32);
    impl Drop for Slow {
        fn drop(&mut self) {
            if self.0 == 1 {
                while !GO.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
            }
        }
    }

    #[cached(max_size = 1)]
    fn make(n: u32) -> Slow {
        if n == 2 {
            while make::stats().misses < 3 {
                thread::yield_now();
            }
        }
        Slow(n)
    }

    within_reason(|| {
        // Kept; this clone of it is not dropped before its time.
        let first = make(1);
        let leader = thread::spawn(|| make(2).0);
        while make::stats().misses < 2 {
            thread::yield_now();
        }
        let follower = thread::spawn(|| make(2).0);
        assert_eq!(follower.join().unwrap(), 2);
        GO.store(true, Ordering::SeqCst);
        assert_eq!(leader.join().unwrap(), 2);
        drop(first);
    });
}

/// Where comparing keys panics while a result is put in, neither key nor result stays behind.
#[test]
fn what_panics_while_it_is_compared_leaves_nothing_behind() {
    static ALIVE: AtomicU32 = AtomicU32::new(0);
    static PANICS: AtomicBool = AtomicBool::new(false);

    struct Counted(u32);
    impl Counted {
        fn new(n: u32) -> Self {
            ALIVE.fetch_add(1, Ordering::SeqCst);
            Counted(n)
        }
    }
    impl Clone for Counted {
        fn clone(&self) -> Self {
            Counted::new(self.0)
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            ALIVE.fetch_sub(1, Ordering::SeqCst);
        }
    }
    impl std::hash::Hash for Counted {
        fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
    }
    impl PartialEq for Counted {
        fn eq(&self, other: &Counted) -> bool {
            assert!(!PANICS.load(Ordering::SeqCst), "on purpose");
            self.0 == other.0
        }
    }
    impl Eq for Counted {}

    #[cached]
    fn make(key: Counted) -> Counted {
        // Its landing compares.
        PANICS.store(key.0 == 2, Ordering::SeqCst);
        Counted::new(key.0)
    }

    let panics = |work: &dyn Fn()| {
        assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
        PANICS.store(false, Ordering::SeqCst);
    };
    assert_eq!(make(Counted::new(1)).0, 1);
    assert_eq!(ALIVE.load(Ordering::SeqCst), 2);
    panics(&|| drop(make(Counted::new(2))));
    panics(&|| drop(make::prime(Counted::new(2))));
    PANICS.store(true, Ordering::SeqCst);
    panics(&|| make::cache().insert(&Counted::new(3), &Counted::new(3)));
    assert_eq!(make(Counted::new(1)).0, 1);
    make::clear();
    assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
    assert_eq!(make::stats().len, 0);
}

/// Cloning a result may ask for that very result.
#[test]
fn a_value_may_ask_for_itself_when_it_is_cloned() {
    static DEPTH: AtomicU32 = AtomicU32::new(0);

    struct Curious(u32);
    impl Clone for Curious {
        fn clone(&self) -> Self {
            if DEPTH.fetch_add(1, Ordering::SeqCst) == 0 {
                assert_eq!(make(self.0).0, self.0);
            }
            Curious(self.0)
        }
    }

    #[cached]
    fn make(n: u32) -> Curious {
        Curious(n)
    }

    assert_eq!(within_reason(|| make(3).0), 3);
    assert_eq!(make::stats().load_errors, 0);
}
