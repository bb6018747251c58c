//! Everything that caches can be asked to do, at once, for minutes: eight threads call, invalidate, insert, prime, clear and resize at random,
//! bodies panic, and so do keys and values when they are hashed, compared, cloned and dropped, unless they come back to the cache that they are in.
//!
//! `cargo bench --bench cache_soak`; with `-- --quick` five seconds, with `-- --seconds N` as long as that, with `-- --seed N` as another time, as far as threads
//! can be made to do the same again. Ends with an error, and says what was wrong, at the first answer that is.
//!
//! **Answers.** Each value carries its key, and a version that was current when it was computed. Who changes a key counts its version up, then
//! invalidates it (or inserts the new value), then publishes the version; a call that begins after that must not see an older one. What
//! was computed from others, over two steps, carries their versions, too.
//!
//! **Memory.** Keys and values have a proof of life on the heap, which is looked at when they are cloned and dropped. The run has
//! rounds, between which everything is at rest: sizes are within their bounds, counters add up, and after everything was cleared not one key or value is
//! alive, also none of those that panicked while the cache was at it. The bytes that are live then, and those sampled in between, must not grow.

#![allow(dead_code, reason = "companions that nobody asks for, of functions that a macro writes")]
#![allow(clippy::large_stack_arrays, reason = "they are static")]
#![allow(clippy::wildcard_imports, reason = "modules are here for the names in them")]

#[path = "../tests/live_bytes/mod.rs"]
mod live_bytes;

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::process::{ExitCode, exit};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use live_bytes::live_bytes;
use perfkit::cache::invalidate_tag;
use perfkit::{CacheStats, cached, caches};

/// Threads that are at it at any time.
const LANES: u64 = 8;
/// Bytes that may be live at any time: twice the declared size of all caches, for they are resized, and what waits to be dropped.
const MOST_BYTES: i64 = 12 << 20;
/// How much more of them may be live in the second half of the run, in percent: caches are as full as chance will have it.
const MOST_GROWTH: f64 = 5.0;
/// The same while everything is at rest, and cleared.
const MOST_GROWTH_AT_REST: i64 = 256 << 10;
/// Bytes of the caches that set `max_memory`.
const MAX_MEMORY: u64 = 256 << 10;
/// Nothing takes as long; only what hangs gets there.
const FOR_EVER: Duration = Duration::from_secs(60);

// What went wrong.

static SEED: AtomicU64 = AtomicU64::new(0);

/// Says what was wrong, and ends.
fn fail(what: impl Display) -> ! {
    eprintln!("cache_soak: {what} (--seed {})", SEED.load(Ordering::Relaxed));
    exit(1)
}

// Chance.

thread_local! {
    static STATE: Cell<u64> = const { Cell::new(0x9E37_79B9_7F4A_7C15) };
}

/// A number below `bound` (`SplitMix64`). Threads of perfkit's own begin where they are not told to.
fn random(bound: u64) -> u64 {
    let number = STATE.try_with(|state| {
        let next = state.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        state.set(next);
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    });
    number.unwrap_or(1) % bound
}

/// Once in so many times.
fn once_in(times: u64) -> bool {
    random(times) == 0
}

// Panics.

/// What they throw.
struct OnPurpose;

static PANICS: AtomicU64 = AtomicU64::new(0);

/// A panic of which nothing is printed.
fn panic_on_purpose() -> ! {
    PANICS.fetch_add(1, Ordering::Relaxed);
    resume_unwind(Box::new(OnPurpose))
}

/// `None` if it panicked on purpose.
fn survive<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(panic) if panic.is::<OnPurpose>() => None,
        Err(_) => fail("a panic that nobody meant"),
    }
}

// Proofs of life.

const ALIVE: u64 = 0x600D_600D_600D_600D;
const DEAD: u64 = 0xDEAD_DEAD_DEAD_DEAD;

static PROOFS: AtomicI64 = AtomicI64::new(0);

/// Shows when it is used after it was dropped, or dropped twice.
struct Proof(Box<Cell<u64>>);

// SAFETY: it is written by whoever owns it alone, when it is made and when it is dropped.
unsafe impl Sync for Proof {}

impl Proof {
    fn new() -> Self {
        PROOFS.fetch_add(1, Ordering::Relaxed);
        Proof(Box::new(Cell::new(ALIVE)))
    }

    fn check(&self) {
        let found = std::hint::black_box(&self.0).get();
        if found != ALIVE {
            fail(format_args!("something was used that is not there: {found:x}"));
        }
    }
}

impl Clone for Proof {
    fn clone(&self) -> Self {
        self.check();
        Proof::new()
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        self.check();
        std::hint::black_box(&self.0).set(DEAD);
        if PROOFS.fetch_sub(1, Ordering::Relaxed) <= 0 {
            fail("more was dropped than there was");
        }
    }
}

// Versions.

/// What is known of the keys of one function.
struct Book {
    /// Counted up before a key is invalidated, and published after.
    versions: [AtomicU64; Book::KEYS],
    published: [AtomicU64; Book::KEYS],
    /// The same of all keys: a key's version is the sum of both.
    all: AtomicU64,
    all_published: AtomicU64,
    /// Of two inserted values the newer must be the later, and an insertion must not undo an invalidation.
    inserting: [RwLock<()>; 64],
    clearing: RwLock<()>,
    calls: AtomicU64,
    primes: AtomicU64,
}

impl Book {
    const KEYS: usize = 60_000;

    const fn new() -> Self {
        Book {
            versions: [const { AtomicU64::new(0) }; Book::KEYS],
            published: [const { AtomicU64::new(0) }; Book::KEYS],
            all: AtomicU64::new(0),
            all_published: AtomicU64::new(0),
            inserting: [const { RwLock::new(()) }; 64],
            clearing: RwLock::new(()),
            calls: AtomicU64::new(0),
            primes: AtomicU64::new(0),
        }
    }

    fn version(&self, key: u64) -> u64 {
        self.versions[key as usize].load(Ordering::SeqCst) + self.all.load(Ordering::SeqCst)
    }

    /// What a call that begins now must see at least.
    fn floor(&self, key: u64) -> u64 {
        self.published[key as usize].load(Ordering::SeqCst) + self.all_published.load(Ordering::SeqCst)
    }

    /// Changes a key. If that panics, nobody knows whether it has come about.
    fn change(&self, key: u64, is_insert: bool, change: impl FnOnce(u64)) {
        let lock = &self.inserting[key as usize % 64];
        let (_exclusive, _shared, _not_cleared);
        if is_insert {
            _not_cleared = self.clearing.read().unwrap_or_else(PoisonError::into_inner);
            _exclusive = lock.write().unwrap_or_else(PoisonError::into_inner);
        } else {
            _shared = lock.read().unwrap_or_else(PoisonError::into_inner);
        }
        let version = self.versions[key as usize].fetch_add(1, Ordering::SeqCst) + 1;
        change(version + self.all.load(Ordering::SeqCst));
        self.published[key as usize].fetch_max(version, Ordering::SeqCst);
    }

    /// Changes all keys.
    fn change_all(&self, change: impl FnOnce()) {
        let _exclusive = self.clearing.write().unwrap_or_else(PoisonError::into_inner);
        let version = self.all.fetch_add(1, Ordering::SeqCst) + 1;
        change();
        self.all_published.fetch_max(version, Ordering::SeqCst);
    }

    fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// What every body does: it dawdles, it panics, it says which version it read.
    fn compute(&self, key: u64) -> u64 {
        dawdle();
        let version = self.version(key);
        dawdle();
        version
    }
}

/// Takes its time, or panics, now and then.
fn dawdle() {
    match random(400) {
        0 => panic_on_purpose(),
        1 => thread::sleep(Duration::from_micros(random(300))),
        2..20 => thread::yield_now(),
        _ => {}
    }
}

/// What functions return. Of a failure there is nothing to see.
trait Answer: Sized {
    fn make(key: u64, version: u64) -> Self;
    /// Key and version.
    fn seen(&self) -> Option<(u64, u64)>;

    /// The same, or a failure at random, where it can be one.
    fn or_failure(self) -> Self {
        self
    }
}

impl Answer for u64 {
    fn make(key: u64, version: u64) -> Self {
        (key << 40) | version
    }

    fn seen(&self) -> Option<(u64, u64)> {
        Some((self >> 40, self & ((1 << 40) - 1)))
    }
}

#[derive(Clone)]
struct Versioned {
    key: u64,
    version: u64,
    proof: Proof,
}

impl Answer for Versioned {
    fn make(key: u64, version: u64) -> Self {
        Versioned { key, version, proof: Proof::new() }
    }

    fn seen(&self) -> Option<(u64, u64)> {
        self.proof.check();
        Some((self.key, self.version))
    }
}

impl<T: Answer> Answer for Arc<T> {
    fn make(key: u64, version: u64) -> Self {
        Arc::new(T::make(key, version))
    }

    fn seen(&self) -> Option<(u64, u64)> {
        T::seen(self)
    }
}

impl<T: Answer> Answer for Result<T, String> {
    fn make(key: u64, version: u64) -> Self {
        Ok(T::make(key, version))
    }

    fn or_failure(self) -> Self {
        if once_in(4) { Err("on purpose".into()) } else { self }
    }

    fn seen(&self) -> Option<(u64, u64)> {
        self.as_ref().ok()?.seen()
    }
}

/// Of any length, with something to be seen in every byte.
impl Answer for Vec<u8> {
    fn make(key: u64, version: u64) -> Self {
        let mut bytes = vec![key as u8; 16 + random(if once_in(10) { 20_000 } else { 1_000 }) as usize];
        bytes[..8].copy_from_slice(&key.to_le_bytes());
        bytes[8..16].copy_from_slice(&version.to_le_bytes());
        bytes
    }

    fn seen(&self) -> Option<(u64, u64)> {
        let number = |at: usize| self[at..at + 8].try_into().map(u64::from_le_bytes).ok();
        let key = number(0)?;
        if self[16..].iter().any(|byte| *byte != key as u8) {
            fail("the bytes of a value are not what they were");
        }
        Some((key, number(8)?))
    }
}

// Keys and values that are up to no good.

thread_local! {
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Panics, or comes back to the function of this number, now and then; never while something else panics.
fn mischief(function: u8) {
    if thread::panicking() {
        return;
    }
    match random(1_000) {
        0 => panic_on_purpose(),
        1 => come_back(function),
        _ => {}
    }
}

fn come_back(function: u8) {
    let is_inside = IS_INSIDE.try_with(|inside| inside.replace(true)).unwrap_or(true);
    if is_inside {
        return;
    }
    let key = random(WICKED);
    let result = catch_unwind(AssertUnwindSafe(|| match (function, random(10)) {
        (0, 0) => drop(wicked::call::clear()),
        (0, 1..4) => drop(wicked::call::invalidate(&Wicked::new(key))),
        (0, 4) => drop(wicked::call::peek(&Wicked::new(key))),
        (0, _) => drop(wicked::counted(key)),
        (_, 0) => drop(wicked_timed::call::clear()),
        (_, 1..4) => drop(wicked_timed::call::invalidate(&Wicked::new(key))),
        (_, 4) => drop(wicked_timed::call::peek(&Wicked::new(key))),
        (_, _) => drop(wicked_timed::counted(key)),
    }));
    let _ = IS_INSIDE.try_with(|inside| inside.set(false));
    if let Err(panic) = result {
        resume_unwind(panic);
    }
}

/// Keys of such functions.
const WICKED: u64 = 40;

/// A key of the function of this number. All have one hash.
struct Wicked<const FUNCTION: u8> {
    key: u64,
    proof: Proof,
}

impl<const FUNCTION: u8> Wicked<FUNCTION> {
    fn new(key: u64) -> Self {
        Wicked { key, proof: Proof::new() }
    }
}

impl<const FUNCTION: u8> Hash for Wicked<FUNCTION> {
    fn hash<H: Hasher>(&self, _: &mut H) {
        mischief(FUNCTION);
    }
}

impl<const FUNCTION: u8> PartialEq for Wicked<FUNCTION> {
    fn eq(&self, other: &Self) -> bool {
        self.proof.check();
        other.proof.check();
        mischief(FUNCTION);
        self.key == other.key
    }
}

impl<const FUNCTION: u8> Eq for Wicked<FUNCTION> {}

impl<const FUNCTION: u8> Clone for Wicked<FUNCTION> {
    fn clone(&self) -> Self {
        mischief(FUNCTION);
        Wicked { key: self.key, proof: self.proof.clone() }
    }
}

/// It only comes back: where dropping an argument panics at the end of a function, its result is leaked (rust-lang/rust#47949).
impl<const FUNCTION: u8> Drop for Wicked<FUNCTION> {
    fn drop(&mut self) {
        if !thread::panicking() && once_in(1_000) {
            survive(|| come_back(FUNCTION));
        }
    }
}

/// A value of the function of this number.
struct Moody<const FUNCTION: u8>(Versioned);

impl<const FUNCTION: u8> Clone for Moody<FUNCTION> {
    fn clone(&self) -> Self {
        mischief(FUNCTION);
        Moody(self.0.clone())
    }
}

impl<const FUNCTION: u8> Drop for Moody<FUNCTION> {
    fn drop(&mut self) {
        mischief(FUNCTION);
    }
}

impl<const FUNCTION: u8> Answer for Moody<FUNCTION> {
    fn make(key: u64, version: u64) -> Self {
        Moody(Versioned::make(key, version))
    }

    fn seen(&self) -> Option<(u64, u64)> {
        self.0.seen()
    }
}

// The functions.

/// Which counters add up.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Exact {
    /// Some calls do not come to be counted: a key panicked before.
    No,
    /// Lookups do; of misses, some are dropped half-way, or results are computed that nobody asked for.
    Lookups,
    All,
}

/// A cached function, and what can be done with it.
struct Subject {
    /// As `caches()` knows it.
    name: &'static str,
    book: &'static Book,
    keys: u64,
    max_size: usize,
    max_memory: u64,
    exact: Exact,
    call: fn(u64) -> Option<(u64, u64)>,
    peek: fn(u64) -> Option<(u64, u64)>,
    prime: fn(u64) -> Option<(u64, u64)>,
    invalidate: fn(u64),
    /// What depends on others is not to be inserted by hand.
    insert: Option<fn(u64, u64)>,
}

/// A module with a cached function of one argument, and its [`Subject`]. `$by` and `$at` make an argument of the number `$n`, and one by reference.
macro_rules! subject {
    (
        $name:ident, [$($option:tt)*], ($key:ident: $argument:ty) -> $answer:ty, $n:ident => $by:expr, $at:expr, $number:expr,
        keys $keys:expr, max_size $max_size:expr, exact $exact:ident $(, max_memory $max_memory:expr)?
    ) => {
        mod $name {
            use super::*;

            pub(super) static BOOK: Book = Book::new();

            #[cached($($option)*)]
            pub(super) fn call($key: $argument) -> $answer {
                let key = $number;
                let version = BOOK.compute(key);
                <$answer>::make(key, version).or_failure()
            }

            /// A call, noted in the book.
            pub(super) fn counted($n: u64) -> $answer {
                let argument = $by;
                BOOK.called();
                call(argument)
            }

            #[allow(unused_mut, unused_assignments, reason = "only some say so")]
            pub(super) fn subject() -> Subject {
                let mut max_memory = u64::MAX;
                $(max_memory = $max_memory;)?
                Subject {
                    name: concat!(stringify!($name), "::call"),
                    book: &BOOK,
                    keys: $keys,
                    max_size: $max_size,
                    max_memory,
                    exact: Exact::$exact,
                    call: |key| counted(key).seen(),
                    peek: |$n| call::peek($at)?.seen(),
                    prime: |$n| {
                        BOOK.primes.fetch_add(1, Ordering::Relaxed);
                        call::prime($by).seen()
                    },
                    invalidate: |$n| _ = call::invalidate($at),
                    insert: Some(|$n, version| {
                        let answer = <$answer>::make($n, version);
                        call::cache().insert($at, &answer);
                    }),
                }
            }
        }
    };
}

subject!(
    small, [max_size = 2], (key: u64) -> u64, n => n, &n, key,
    keys 20, max_size 2, exact All
);
subject!(
    medium, [max_size = 500, policy = "lru"], (key: u64) -> u64, n => n, &n, key,
    keys 2_000, max_size 500, exact All
);
subject!(
    large, [max_size = 20_000], (key: u64) -> u64, n => n, &n, key,
    keys 60_000, max_size 20_000, exact All
);
subject!(
    frequent, [max_size = 300, policy = "lfu"], (key: u64) -> Versioned, n => n, &n, key,
    keys 1_000, max_size 300, exact All
);
subject!(
    oldest, [max_size = 200, policy = "fifo", tags("all of them", "one:{key}")], (key: u64) -> Arc<Versioned>, n => n, &n, key,
    keys 500, max_size 200, exact All
);
subject!(
    timed, [max_size = 400, ttl = "50ms"], (key: u64) -> Versioned, n => n, &n, key,
    keys 1_000, max_size 400, exact All
);
subject!(
    soonest, [max_size = 100, ttl = "50ms", policy = "ttl"], (key: u64) -> Versioned, n => n, &n, key,
    keys 300, max_size 100, exact All
);
subject!(
    idle, [max_size = 400, tti = "20ms"], (key: u64) -> Versioned, n => n, &n, key,
    keys 1_000, max_size 400, exact All
);
subject!(
    ahead, [max_size = 400, ttl = "50ms", stale = "100ms", refresh_ahead], (key: u64) -> Versioned, n => n, &n, key,
    keys 600, max_size 400, exact Lookups
);
subject!(
    failing, [max_size = 400, ttl = "20ms", stale_if_error = "100ms"], (key: u64) -> Result<Versioned, String>, n => n, &n, key,
    keys 600, max_size 400, exact All
);
subject!(
    failing_ahead, [max_size = 400, ttl = "20ms", stale = "20ms", stale_if_error = "100ms", refresh_ahead],
    (key: &str) -> Result<Arc<Versioned>, String>, n => &n.to_string(), &n.to_string(), of_text(key),
    keys 600, max_size 400, exact Lookups
);
subject!(
    texts, [max_size = 1_000], (key: &str) -> Arc<Versioned>, n => &n.to_string(), &n.to_string(), of_text(key),
    keys 5_000, max_size 1_000, exact All
);
subject!(
    heavy, [max_memory = "256KiB"], (key: u64) -> Vec<u8>, n => n, &n, key,
    keys 2_000, max_size 10_000, exact All, max_memory MAX_MEMORY
);
subject!(
    heaviest, [max_memory = "256KiB", max_size = 500, policy = "size"], (key: u64) -> Vec<u8>, n => n, &n, key,
    keys 2_000, max_size 500, exact All, max_memory MAX_MEMORY
);
subject!(
    colliding, [max_size = 16], (key: Colliding) -> Versioned, n => Colliding(n), &Colliding(n), key.0,
    keys 40, max_size 16, exact All
);
subject!(
    wicked, [max_size = 16], (key: Wicked<0>) -> Moody<0>, n => Wicked::new(n), &Wicked::new(n), key.key,
    keys WICKED, max_size 16, exact No
);
subject!(
    wicked_timed, [max_size = 16, policy = "lru", ttl = "20ms"], (key: Wicked<1>) -> Moody<1>, n => Wicked::new(n), &Wicked::new(n), key.key,
    keys WICKED, max_size 16, exact No
);

fn of_text(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| fail("a key that is no number"))
}

/// All have one hash.
#[derive(Clone, PartialEq, Eq)]
struct Colliding(u64);

impl Hash for Colliding {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Two instances of a generic function: that of `u32` has the even keys.
mod generic {
    use super::*;

    static BOOK: Book = Book::new();

    #[cached(max_size = 100)]
    fn call<T: Copy + Eq + Hash + Into<u64> + Send + Sync + 'static>(key: T) -> Arc<Versioned> {
        let key = key.into();
        Arc::make(key, BOOK.compute(key))
    }

    const fn is_short(key: u64) -> bool {
        key.is_multiple_of(2)
    }

    pub(super) fn subject() -> Subject {
        Subject {
            name: "generic::call",
            book: &BOOK,
            keys: 600,
            max_size: 100,
            max_memory: u64::MAX,
            exact: Exact::All,
            call: |key| {
                BOOK.called();
                if is_short(key) { call(key as u32).seen() } else { call(key).seen() }
            },
            peek: |key| {
                if is_short(key) { call::peek(&(key as u32))?.seen() } else { call::peek(&key)?.seen() }
            },
            prime: |key| {
                BOOK.primes.fetch_add(1, Ordering::Relaxed);
                if is_short(key) { call::prime(key as u32).seen() } else { call::prime(key).seen() }
            },
            invalidate: |key| {
                if is_short(key) {
                    call::invalidate(&(key as u32))
                } else {
                    call::invalidate(&key)
                };
            },
            insert: Some(|key, version| {
                let answer = Arc::make(key, version);
                if is_short(key) {
                    call::cache().insert(&(key as u32), &answer);
                } else {
                    call::cache().insert(&key, &answer);
                }
            }),
        }
    }
}

/// An `async` one, whose futures are dropped half-way now and then.
mod waiting {
    use super::*;

    static BOOK: Book = Book::new();

    #[cached(max_size = 50, ttl = "1s")]
    async fn call(key: u64) -> Arc<Versioned> {
        for _ in 0..random(4) {
            Yield(false).await;
        }
        let version = BOOK.compute(key);
        for _ in 0..random(4) {
            Yield(false).await;
        }
        Arc::make(key, version)
    }

    pub(super) fn subject() -> Subject {
        Subject {
            name: "waiting::call",
            book: &BOOK,
            keys: 200,
            max_size: 50,
            max_memory: u64::MAX,
            exact: Exact::Lookups,
            call: |key| {
                let called = async {
                    BOOK.called();
                    call(key).await
                };
                block_on(called, if once_in(4) { random(4) } else { u64::MAX })?.seen()
            },
            peek: |key| call::peek(&key)?.seen(),
            prime: |key| block_on(call::prime(key), if once_in(4) { random(4) } else { u64::MAX })?.seen(),
            invalidate: |key| _ = call::invalidate(&key),
            insert: Some(|key, version| call::cache().insert(&key, &Arc::make(key, version))),
        }
    }

    /// Ready when it is polled for the second time.
    struct Yield(bool);

    impl Future for Yield {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.0, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }
    }

    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    /// Polls it so many times at most, and then drops it.
    fn block_on<T>(future: impl Future<Output = T>, polls: u64) -> Option<T> {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        for _ in 0..polls {
            if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(result);
            }
            thread::park();
        }
        None
    }
}

/// Results that are computed from others, with what those say of their versions.
mod derived {
    use super::*;

    static OUTER: Book = Book::new();
    static MIDDLE: Book = Book::new();
    static INNER: Book = Book::new();
    static TAGS: [AtomicU64; 400] = [const { AtomicU64::new(0) }; 400];
    static TAGS_PUBLISHED: [AtomicU64; 400] = [const { AtomicU64::new(0) }; 400];

    #[cached(max_size = 50)]
    fn inner(key: u64) -> Arc<Versioned> {
        Arc::make(key, INNER.compute(key))
    }

    #[derive(Clone)]
    struct Derived {
        own: Versioned,
        /// Of `middle`.
        middle: u64,
        inner: u64,
        tag: u64,
    }

    impl Derived {
        fn seen(&self) -> Option<(u64, u64)> {
            self.own.seen()
        }
    }

    #[cached(max_size = 100)]
    fn middle(key: u64) -> Derived {
        let version = MIDDLE.compute(key);
        INNER.called();
        let inner = inner(key % 64);
        Derived { own: Versioned::make(key, version), middle: 0, inner: inner.version, tag: 0 }
    }

    #[cached(max_size = 200, tags("soak:{key}"))]
    fn outer(key: u64) -> Derived {
        let tag = TAGS[key as usize].load(Ordering::SeqCst);
        let version = OUTER.compute(key);
        MIDDLE.called();
        let middle = middle(key % 200);
        Derived { own: Versioned::make(key, version), middle: middle.own.version, inner: middle.inner, tag }
    }

    /// Whether a call of `outer` is answered with all that was published before.
    pub(super) fn ask() {
        let key = random(400);
        let floors = (INNER.floor(key % 200 % 64), MIDDLE.floor(key % 200));
        let tag = TAGS_PUBLISHED[key as usize].load(Ordering::SeqCst);
        OUTER.called();
        let answer = outer(key);
        answer.seen();
        if answer.inner < floors.0 || answer.middle < floors.1 || answer.tag < tag {
            fail(format_args!(
                "outer({key}) was computed from version {} of inner, {} of middle, {} of its tag: there were {}, {}, {tag} before it was called",
                answer.inner, answer.middle, answer.tag, floors.0, floors.1
            ));
        }
    }

    pub(super) fn invalidate_a_tag() {
        let tag = random(400);
        let version = TAGS[tag as usize].fetch_add(1, Ordering::SeqCst) + 1;
        invalidate_tag(&format!("soak:{tag}"));
        TAGS_PUBLISHED[tag as usize].fetch_max(version, Ordering::SeqCst);
    }

    macro_rules! subject {
        ($function:ident, $name:expr, $book:ident, $keys:expr, $max_size:expr) => {
            Subject {
                name: $name,
                book: &$book,
                keys: $keys,
                max_size: $max_size,
                max_memory: u64::MAX,
                exact: Exact::Lookups,
                call: |key| {
                    $book.called();
                    $function(key).seen()
                },
                peek: |key| $function::peek(&key)?.seen(),
                prime: |key| $function::prime(key).seen(),
                invalidate: |key| _ = $function::invalidate(&key),
                insert: None,
            }
        };
    }

    pub(super) fn subjects() -> [Subject; 3] {
        let inner = subject!(inner, "derived::inner", INNER, 64, 50);
        let insert: fn(u64, u64) = |key, version| inner::cache().insert(&key, &Arc::make(key, version));
        [
            Subject { insert: Some(insert), ..inner },
            subject!(middle, "derived::middle", MIDDLE, 200, 100),
            subject!(outer, "derived::outer", OUTER, 400, 200),
        ]
    }
}

/// A cache for each thread.
mod own {
    use super::*;

    pub(super) static CALLS: AtomicU64 = AtomicU64::new(0);

    thread_local! {
        static VERSIONS: RefCell<[u64; 100]> = const { RefCell::new([0; 100]) };
    }

    #[cached(local, max_size = 30)]
    pub(super) fn call(key: u64) -> Rc<Versioned> {
        if once_in(400) {
            panic_on_purpose();
        }
        let version = VERSIONS.with_borrow(|versions| versions[key as usize]);
        Rc::new(Versioned::make(key, version))
    }

    /// Nobody else comes in between, so that what is seen is known exactly.
    pub(super) fn ask() {
        let key = random(100);
        if once_in(4) {
            VERSIONS.with_borrow_mut(|versions| versions[key as usize] += 1);
            call::invalidate(&key);
        }
        if once_in(1_000) {
            call::clear();
        }
        CALLS.fetch_add(1, Ordering::Relaxed);
        let answer = call(key);
        let version = VERSIONS.with_borrow(|versions| versions[key as usize]);
        if answer.seen() != Some((key, version)) {
            fail(format_args!("own({key}) is {:?}, not of version {version}", answer.seen()));
        }
    }
}

fn subjects() -> Vec<Subject> {
    let mut all = vec![
        small::subject(),
        medium::subject(),
        large::subject(),
        frequent::subject(),
        // What is inserted by hand has no tags.
        Subject { insert: None, ..oldest::subject() },
        timed::subject(),
        soonest::subject(),
        idle::subject(),
        ahead::subject(),
        failing::subject(),
        failing_ahead::subject(),
        texts::subject(),
        heavy::subject(),
        heaviest::subject(),
        colliding::subject(),
        wicked::subject(),
        wicked_timed::subject(),
        generic::subject(),
        waiting::subject(),
    ];
    all.extend(derived::subjects());
    all
}

impl Subject {
    /// Its cache, over all instances.
    fn cache(&self) -> perfkit::CacheRef {
        caches().find(self.name).unwrap_or_else(|| fail(format_args!("{} is not found", self.name)))
    }

    /// What is asked for, some keys more often than others.
    fn key(&self) -> u64 {
        random(if once_in(2) { self.keys.min(16) } else { self.keys })
    }

    fn look(&self, key: u64, look: fn(u64) -> Option<(u64, u64)>) {
        let floor = self.book.floor(key);
        let Some((of, version)) = look(key) else { return };
        let most = self.book.version(key);
        if of != key || version < floor || version > most {
            fail(format_args!(
                "{}({key}) is version {version} of {of}: it was {floor} before and {most} after",
                self.name
            ));
        }
    }

    fn act(&self) {
        let key = self.key();
        match random(1_000) {
            0..800 => self.look(key, self.call),
            800..850 => self.look(key, self.peek),
            850..870 => self.look(key, self.prime),
            870..950 => self.book.change(key, false, |_| (self.invalidate)(key)),
            950..990 => {
                if let Some(insert) = self.insert {
                    self.book.change(key, true, |version| insert(key, version));
                }
            }
            990..998 if once_in(10) => self.cache().resize(1 + random(self.max_size as u64 * 2) as usize),
            998 if once_in(10) => self.book.change_all(|| _ = self.cache().clear()),
            _ => _ = self.cache().stats(),
        }
    }

    /// Of a cache that nobody is at.
    fn check_at_rest(&self) {
        let stats = self.cache().stats();
        let wrong = |what: &str| fail(format_args!("{}: {what}: {stats:?}", self.name));
        if stats.len > stats.max_size {
            wrong("more entries than max_size");
        }
        if stats.memory > self.max_memory {
            wrong("more memory than max_memory");
        }
        let (calls, primes) =
            (self.book.calls.load(Ordering::Relaxed), self.book.primes.load(Ordering::Relaxed));
        if self.exact >= Exact::Lookups && stats.hits + stats.misses != calls {
            wrong(&format!("hits and misses are not {calls} calls"));
        }
        if self.exact == Exact::All && stats.misses + primes != stats.loads + stats.waits {
            wrong(&format!("misses and {primes} primes are not loads and waits"));
        }
    }

    /// Makes as many places for entries as it will ever have, since those stay.
    fn fill(&self) {
        self.cache().resize(self.max_size * 2);
        for key in 0..self.keys {
            survive(|| (self.call)(key));
        }
        self.cache().resize(self.max_size);
        self.clear();
    }

    fn clear(&self) {
        // Where dropping panics, what there was is gone all the same.
        while survive(|| self.book.change_all(|| _ = self.cache().clear())).is_none() {}
        let stats: CacheStats = self.cache().stats();
        if stats.len > 0 || self.max_memory < u64::MAX && stats.memory > 0 {
            fail(format_args!("{}: something is left after clear(): {stats:?}", self.name));
        }
    }
}

// The run.

static OPERATIONS: AtomicU64 = AtomicU64::new(0);
static THREADS: AtomicU64 = AtomicU64::new(0);
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// One thread's life.
fn live(subjects: &[Subject], seed: u64) {
    STATE.set(seed);
    THREADS.fetch_add(1, Ordering::Relaxed);
    for _ in 0..5_000 + random(50_000) {
        if IS_OVER.load(Ordering::Relaxed) {
            return;
        }
        OPERATIONS.fetch_add(1, Ordering::Relaxed);
        survive(|| match random(100) {
            0..5 => derived::ask(),
            5 if once_in(10) => derived::invalidate_a_tag(),
            6..10 => own::ask(),
            10 if once_in(500) => drop(std::hint::black_box(perfkit::report())),
            10 if once_in(20) => drop(std::hint::black_box(format!("{:?}", caches().list()))),
            11 if once_in(10) => oldest::BOOK.change_all(|| _ = invalidate_tag("all of them")),
            12 => {
                let key = random(500);
                oldest::BOOK.change(key, false, |_| _ = invalidate_tag(&format!("one:{key}")));
            }
            _ => subjects[random(subjects.len() as u64) as usize].act(),
        });
    }
}

/// Threads, one after the other, until the round is over.
fn lane(subjects: &[Subject], seed: u64) {
    let mut generation = 0;
    while !IS_OVER.load(Ordering::Relaxed) {
        generation += 1;
        let seed = seed.wrapping_add(generation).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        thread::scope(|scope| {
            if scope.spawn(|| live(subjects, seed)).join().is_err() {
                fail("a thread panicked outside of everything");
            }
        });
    }
}

/// Resident memory in bytes; 0 where the system does not say.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0_u64);
    pages * 4096
}

/// Everything at once for so long; bytes that were live meanwhile.
fn round(subjects: &[Subject], seed: u64, length: Duration) -> Vec<i64> {
    let mut samples = Vec::new();
    IS_OVER.store(false, Ordering::Relaxed);
    let start = Instant::now();
    thread::scope(|scope| {
        let lanes: Vec<_> =
            (0..LANES).map(|n| scope.spawn(move || lane(subjects, seed.wrapping_add(n << 32)))).collect();
        let (mut before, mut since) = (0, start);
        while !lanes.iter().all(thread::ScopedJoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(50).min(length / 10));
            if start.elapsed() >= length {
                IS_OVER.store(true, Ordering::Relaxed);
            } else {
                samples.push(live_bytes());
            }
            let operations = OPERATIONS.load(Ordering::Relaxed);
            if operations != before {
                (before, since) = (operations, Instant::now());
            } else if since.elapsed() > FOR_EVER {
                fail("it hangs");
            }
        }
    });
    samples
}

/// After a round: whether everything is as it should be. Bytes that are live when everything was cleared, and keys and values.
fn rest(subjects: &[Subject]) -> (i64, i64) {
    // What is computed in the background ends.
    thread::sleep(Duration::from_millis(300));
    for subject in subjects {
        subject.check_at_rest();
    }
    let (own, calls) = (own::call::stats(), own::CALLS.load(Ordering::Relaxed));
    if own.hits + own.misses != calls || own.loads != own.misses || own.len > 0 {
        fail(format_args!("own: {calls} calls, and all threads have ended: {own:?}"));
    }
    for subject in subjects {
        subject.clear();
    }
    (live_bytes(), PROOFS.load(Ordering::Relaxed))
}

fn mean(numbers: &[i64]) -> f64 {
    numbers.iter().sum::<i64>() as f64 / numbers.len().max(1) as f64
}

/// The number after `name` on the command line.
fn option(name: &str) -> Option<u64> {
    std::env::args().skip_while(|argument| argument != name).nth(1)?.parse().ok()
}

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let seconds = option("--seconds").unwrap_or(if quick { 5 } else { 300 }).max(1);
    let seed = option("--seed").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(1, |now| u64::from(now.subsec_nanos()))
    });
    SEED.store(seed, Ordering::Relaxed);
    println!("{seconds} s with {LANES} threads, --seed {seed}");
    let subjects = subjects();
    let rounds = (seconds / 5).clamp(2, 20);
    let length = Duration::from_secs(seconds) / rounds as u32;
    let (mut samples, mut at_rest, mut most_left) = (Vec::new(), Vec::new(), 0);
    subjects.iter().for_each(Subject::fill);
    for number in 0..rounds {
        samples.extend(round(&subjects, seed.wrapping_add(number << 40), length));
        let (bytes, left) = rest(&subjects);
        at_rest.push(bytes);
        most_left = most_left.max(left);
    }
    report(&subjects, &samples, &at_rest, most_left, seconds >= 60)
}

/// The table; an error where memory was not within its bounds. Growth shows in longer runs alone.
fn report(subjects: &[Subject], samples: &[i64], at_rest: &[i64], left: i64, is_long: bool) -> ExitCode {
    println!(
        "{:20} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12}",
        "", "hits", "misses", "waits", "loads", "evicted", "invalidated"
    );
    let (mut hits, mut lookups) = (0, 0);
    for subject in subjects {
        let stats = subject.cache().stats();
        hits += stats.hits;
        lookups += stats.hits + stats.misses;
        println!(
            "{:20} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12}",
            subject.name,
            stats.hits,
            stats.misses,
            stats.waits,
            stats.loads,
            stats.evicted + stats.evicted_for_memory,
            stats.invalidated
        );
    }
    let most = samples.iter().copied().max().unwrap_or(0);
    // Caches fill in the first fifth.
    let samples = &samples[samples.len() / 5..];
    let (first, second) = samples.split_at(samples.len() / 2);
    let (first, second) = (mean(first), mean(second));
    let growth = (second / first - 1.0) * 100.0;
    let (warm, end) = (at_rest[(at_rest.len() - 1) / 2], at_rest[at_rest.len() - 1]);
    let rows = [
        ("operations", OPERATIONS.load(Ordering::Relaxed).to_string(), String::new()),
        ("threads", THREADS.load(Ordering::Relaxed).to_string(), String::new()),
        ("hits", format!("{hits} of {lookups}"), String::new()),
        ("panics survived", PANICS.load(Ordering::Relaxed).to_string(), String::new()),
        ("bytes live, at most", most.to_string(), format!("bound {MOST_BYTES}")),
        ("second half", format!("{growth:+.2} %"), format!("bound {MOST_GROWTH} %")),
        ("at rest", format!("{end}, half-way {warm}"), format!("bound {MOST_GROWTH_AT_REST} more")),
        ("keys and values left", left.to_string(), "bound 0".into()),
        ("resident", resident().to_string(), String::new()),
    ];
    for (what, figure, bound) in rows {
        println!("{what:20} {figure:>32}   {bound}");
    }
    if most > MOST_BYTES {
        fail("too many bytes were live");
    }
    if left > 0 {
        fail("keys or values stayed alive");
    }
    if is_long && (growth > MOST_GROWTH || end - warm > MOST_GROWTH_AT_REST) {
        fail("memory grows");
    }
    ExitCode::SUCCESS
}
