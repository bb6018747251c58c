//! Benchmarks that keep memory, and benchmarks that only seem to. Left out unless asked for: those of the first kind fail.
//!
//! Used by the tests of what the harness finds, and by `benches/trust`, which counts how often.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::hint::black_box;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use perfkit::{Bencher, benchmark, cached, profiled};

/// Names of those that keep memory.
pub(crate) const KEEP: &[&str] = &[
    "growing_cache",
    "growing_cache_of_numbers",
    "forgotten_rc_cycle",
    "leaked_box",
    "leaked_box_of_an_input",
    "growing_vec",
    "growing_vec_of_bytes_with_room",
    "growing_arena",
    "one_in_a_hundred",
    "two_and_then_none",
    "handed_to_a_thread_that_keeps",
    "slow_and_leaks",
];

/// Names of those that do not.
pub(crate) const KEEP_NOT: &[&str] = &[
    "nothing",
    "returned_vec",
    "input_by_value",
    "input_by_reference",
    "part_of_the_input",
    "routine_of_a_bencher",
    "bounded_cache",
    "large_bounded_cache",
    "cached_with_a_bound",
    "made_once",
    "reused_buffer",
    "profiled_function",
    "thread_per_call",
    "thread_nobody_waits_for",
    "channel_to_itself",
    "handed_to_a_thread_that_frees",
    "dropped_arena",
    "slow_cache",
    "is_to_leak",
];

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Texts = Mutex<Option<HashMap<u64, String>>>;

#[benchmark(ignore)]
fn growing_cache() {
    static CACHE: Texts = Mutex::new(None);
    lock(&CACHE).get_or_insert_default().insert(next(), String::from("a text"));
}

#[benchmark(ignore)]
fn growing_cache_of_numbers() {
    static CACHE: Mutex<Option<HashMap<u64, u64>>> = Mutex::new(None);
    lock(&CACHE).get_or_insert_default().insert(next(), 1);
}

struct Loop(RefCell<Option<Rc<Loop>>>);

#[benchmark(ignore)]
fn forgotten_rc_cycle() {
    let one = Rc::new(Loop(RefCell::new(None)));
    let other = Rc::new(Loop(RefCell::new(Some(Rc::clone(&one)))));
    *one.0.borrow_mut() = Some(other);
}

#[benchmark(ignore)]
fn leaked_box() -> &'static [u8; 64] {
    Box::leak(Box::new([0; 64]))
}

#[benchmark(ignore, setup = || Box::new([0_u8; 64]))]
fn leaked_box_of_an_input(bytes: Box<[u8; 64]>) -> &'static [u8; 64] {
    Box::leak(bytes)
}

#[benchmark(ignore)]
fn growing_vec() {
    thread_local!(static ALL: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) });
    ALL.with_borrow_mut(|all| all.push(1));
}

#[benchmark(ignore)]
fn growing_vec_of_bytes_with_room() {
    static ALL: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    let mut all = lock(&ALL);
    if all.is_empty() {
        all.reserve(5_000);
    }
    all.extend_from_slice(b"seven b");
}

#[benchmark(ignore)]
fn growing_arena() {
    static CHUNKS: Mutex<Vec<Vec<u64>>> = Mutex::new(Vec::new());
    let mut chunks = lock(&CHUNKS);
    match chunks.last_mut() {
        Some(chunk) if chunk.len() < 64 => chunk.push(1),
        _ => chunks.push(Vec::with_capacity(64)),
    }
}

#[benchmark(ignore)]
fn one_in_a_hundred() {
    if next().is_multiple_of(100) {
        std::mem::forget(black_box(Box::new([0_u8; 64])));
    }
}

#[benchmark(ignore)]
fn two_and_then_none() {
    if next().is_multiple_of(2) {
        std::mem::forget(black_box((String::from("one"), String::from("two"))));
    }
}

fn to_a_thread(run: fn(Receiver<Vec<u8>>)) -> Sender<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || run(receiver));
    sender
}

#[benchmark(ignore)]
fn handed_to_a_thread_that_keeps() {
    static TO: OnceLock<Sender<Vec<u8>>> = OnceLock::new();
    let to = TO.get_or_init(|| to_a_thread(|receiver| drop(receiver.iter().collect::<Vec<_>>())));
    let _ = to.send(vec![0; 64]);
}

fn wait_for_a_millisecond() {
    thread::sleep(std::time::Duration::from_millis(1));
}

#[benchmark(ignore)]
fn slow_and_leaks() -> &'static str {
    wait_for_a_millisecond();
    String::from("never freed").leak()
}

#[benchmark(ignore)]
fn nothing() {}

#[benchmark(ignore)]
fn returned_vec() -> Vec<u8> {
    vec![0; 100]
}

#[benchmark(ignore, setup = || vec![3_u8, 2, 1])]
fn input_by_value(bytes: Vec<u8>) -> Vec<Vec<u8>> {
    vec![bytes]
}

#[benchmark(ignore, setup = || vec![3_u8, 2, 1])]
fn input_by_reference(bytes: &mut Vec<u8>) -> String {
    bytes.reserve(1_000);
    String::from("a text")
}

#[benchmark(ignore, setup = || vec![3_u8, 2, 1])]
fn part_of_the_input(bytes: &mut [u8]) -> Vec<std::slice::IterMut<'_, u8>> {
    vec![bytes.iter_mut()]
}

#[benchmark(ignore)]
fn routine_of_a_bencher(bencher: &mut Bencher) {
    let words = vec![String::from("one"), String::from("two")];
    bencher.iter_batched(|| words.clone(), |words| words.concat());
}

fn keep_at_most(most: usize, all: &mut VecDeque<String>) {
    if all.len() >= most {
        all.pop_front();
    }
    let text = "x".repeat(next() as usize % 50 + 1);
    all.push_back(text);
}

#[benchmark(ignore)]
fn bounded_cache() {
    static CACHE: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
    keep_at_most(100, &mut lock(&CACHE));
}

#[benchmark(ignore)]
fn large_bounded_cache() {
    static CACHE: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
    keep_at_most(20_000, &mut lock(&CACHE));
}

#[cached(max_size = 100)]
fn text_of(number: u64) -> String {
    number.to_string()
}

#[benchmark(ignore)]
fn cached_with_a_bound() -> String {
    text_of(next())
}

#[benchmark(ignore)]
fn made_once() -> usize {
    static TABLE: OnceLock<Vec<u64>> = OnceLock::new();
    TABLE.get_or_init(|| (0..1_000).collect()).len()
}

#[benchmark(ignore)]
fn reused_buffer() -> usize {
    thread_local!(static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });
    BUFFER.with_borrow_mut(|buffer| {
        buffer.clear();
        buffer.resize(next() as usize % 1_000, 1);
        buffer.len()
    })
}

#[profiled]
fn counted_by_its_path(depth: u32) -> Vec<u32> {
    if depth == 0 { Vec::new() } else { [counted_by_its_path(depth - 1), vec![depth]].concat() }
}

#[benchmark(ignore)]
fn profiled_function() -> Vec<u32> {
    counted_by_its_path(5)
}

#[benchmark(ignore)]
fn thread_per_call() -> u64 {
    let text = String::from("to be freed by the thread");
    thread::spawn(move || text.len() as u64).join().unwrap_or(0)
}

#[benchmark(ignore)]
fn thread_nobody_waits_for() {
    static RUNNING: AtomicU64 = AtomicU64::new(0);
    while RUNNING.load(Ordering::Acquire) >= 4 {
        thread::yield_now();
    }
    RUNNING.fetch_add(1, Ordering::Relaxed);
    let text = String::from("to be freed by the thread");
    thread::spawn(move || {
        drop(text);
        RUNNING.fetch_sub(1, Ordering::Release);
    });
}

#[benchmark(ignore)]
fn channel_to_itself() -> usize {
    thread_local!(static CHANNEL: (Sender<String>, Receiver<String>) = channel());
    CHANNEL.with(|(sender, receiver)| {
        let _ = sender.send(String::from("a text"));
        receiver.try_iter().count()
    })
}

#[benchmark(ignore)]
fn handed_to_a_thread_that_frees() {
    static TO: OnceLock<Sender<Vec<u8>>> = OnceLock::new();
    let to = TO.get_or_init(|| to_a_thread(|receiver| receiver.iter().for_each(drop)));
    let _ = to.send(vec![0; 64]);
}

#[benchmark(ignore)]
fn dropped_arena() -> usize {
    let arena: Vec<Box<u64>> = (0..100).map(Box::new).collect();
    arena.len()
}

#[benchmark(ignore)]
fn slow_cache() -> String {
    wait_for_a_millisecond();
    text_of(next())
}

#[benchmark(ignore, leaks = "allow")]
fn is_to_leak() -> &'static str {
    thread_local!(static CALLS: Cell<u64> = const { Cell::new(0) });
    CALLS.set(CALLS.get() + 1);
    String::from("meant to stay").leak()
}
