//! Each of these keeps memory, by every call or by some.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, OnceLock};

use perfkit::{Bencher, benchmark};

use super::{beside_another, lock, next, to_a_thread, wait_for_a_millisecond};

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

#[benchmark(ignore)]
fn handed_to_a_thread_that_keeps() {
    static TO: OnceLock<Sender<Vec<u8>>> = OnceLock::new();
    let to = TO.get_or_init(|| to_a_thread(|receiver| drop(receiver.iter().collect::<Vec<_>>())));
    let _ = to.send(vec![0; 64]);
}

#[benchmark(ignore)]
fn slow_and_leaks() -> &'static str {
    wait_for_a_millisecond();
    String::from("never freed").leak()
}

#[benchmark(ignore)]
fn leaked_box_beside_another_thread(bencher: &mut Bencher) {
    beside_another(|| bencher.iter(|| black_box(Box::leak(Box::new([0_u8; 64]))).len()));
}
