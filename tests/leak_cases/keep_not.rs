//! Each of these keeps nothing for long, or no more than a bound.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;

use perfkit::{Bencher, benchmark, cached, profiled};

use super::{beside_another, lock, next, to_a_thread, wait_for_a_millisecond};

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

#[benchmark(ignore)]
fn returned_box_beside_another_thread(bencher: &mut Bencher) {
    beside_another(|| bencher.iter(|| Box::new([0_u8; 64])));
}
