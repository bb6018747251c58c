//! `#[benchmark]` in a crate of strict habits, as ordinary tests: every `…_benchmark::run` here runs a benchmark.
#![deny(warnings, missing_docs, unsafe_code, unused, clippy::all, clippy::pedantic)]
#![forbid(unsafe_code)]
#![allow(
    unreachable_pub,
    clippy::large_types_passed_by_value,
    clippy::needless_pass_by_value,
    clippy::ptr_arg,
    clippy::redundant_closure,
    clippy::redundant_closure_for_method_calls,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    reason = "the shapes are the point"
)]

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use perfkit::{Bencher, benchmark};

#[benchmark]
fn nothing() {}

#[benchmark(target_ms = 1000, iterations = 5, warmup = 1, timeout = "1m", name = "a simple sum")]
fn sum() -> u64 {
    (0..100).map(std::hint::black_box).sum()
}

#[benchmark(target_us = 1_000_000.5)]
fn fraction() -> u32 {
    7
}

#[benchmark(target_allocs = 1_000, target_memory_mb = 0.5, leaks = "allow")]
fn promises_of_memory() -> Vec<u32> {
    vec![1; 100]
}

static CASES: [u32; 3] = [1, 2, 3];
static SEEN: AtomicU32 = AtomicU32::new(0);

#[benchmark(args = CASES, validate = |double: &u32| double.is_multiple_of(2))]
fn by_value(n: u32) -> u32 {
    SEEN.fetch_or(1 << n, Ordering::Relaxed);
    n * 2
}

#[benchmark(args = 1..4)]
fn from_a_range(n: u64) -> u64 {
    n + 1
}

#[benchmark(args = ["a", "b c", "\n"])]
fn text(text: &str) -> usize {
    text.len()
}

#[benchmark(args = [String::from("x")])]
fn owned_text(text: String) -> String {
    text
}

fn numbers() -> Vec<u32> {
    (0..100).rev().collect()
}

fn is_sorted(numbers: &[u32]) -> bool {
    numbers.is_sorted()
}

#[benchmark(setup = numbers, validate = |sorted| is_sorted(sorted))]
fn sort(mut numbers: Vec<u32>) -> Vec<u32> {
    numbers.sort_unstable();
    numbers
}

#[benchmark(setup = numbers, validate = |was_sorted| !was_sorted)]
fn sort_in_place(numbers: &mut [u32]) -> bool {
    let before = numbers.is_sorted();
    numbers.sort_unstable();
    before
}

#[benchmark(args = [10, 20], setup = |n| (0..n).collect::<Vec<u32>>())]
fn look_at(numbers: &[u32]) -> u32 {
    numbers.iter().sum()
}

#[benchmark(setup = || (1, 2))]
fn pattern((a, b): (u32, u32)) -> u32 {
    a + b
}

#[benchmark]
fn with_a_bencher(bencher: &mut Bencher) {
    let numbers = numbers();
    bencher.iter(|| numbers.iter().max().copied());
}

#[benchmark]
fn with_inputs(bencher: &mut Bencher<'_>) {
    bencher.iter_batched(numbers, |mut numbers| {
        numbers.sort_unstable();
        numbers
    });
}

#[benchmark]
fn with_inputs_by_reference(bencher: &mut Bencher) {
    bencher.iter_batched_ref(numbers, |numbers| numbers.sort_unstable());
}

#[benchmark]
extern "C" fn for_c() -> u32 {
    1
}

#[benchmark]
const fn constant() -> u32 {
    1
}

#[benchmark]
fn r#match() {}

#[benchmark]
#[must_use]
#[inline]
fn decorated() -> u32 {
    1
}

#[cfg(any())]
#[benchmark]
fn left_out() -> Missing {}

#[benchmark]
#[cfg(any())]
fn left_out_after() -> Missing {}

mod inner {
    use perfkit::benchmark;

    /// Public, and documented.
    #[benchmark]
    pub fn public() -> u32 {
        1
    }

    /// Names that the expansion might use itself.
    mod names {
        #[allow(non_camel_case_types, dead_code, reason = "names of the prelude, taken")]
        mod shadowed {
            struct Result;
            struct Option;
            struct Vec;
            struct String;

            #[perfkit::benchmark(args = [1])]
            fn run(case: u8) -> u8 {
                let (bencher, input) = (case, case);
                bencher + input
            }
        }
    }
}

#[benchmark(args = [1, 5_000_000_000])]
fn literals_of_the_arguments_type(n: u64) -> u64 {
    n
}

#[benchmark(args = [1, 2], setup = |n| vec![0_u8; n], validate = |length| *length > 0)]
fn literals_of_the_setups_type(bytes: &[u8]) -> usize {
    bytes.len()
}

#[benchmark(args = [0.5, 1e-40])]
fn literals_with_a_fraction(n: &f32) -> f32 {
    *n
}

#[benchmark(args = ["a", "bc"], setup = |text| text.repeat(2))]
fn closure_that_asks_its_argument(text: &str) -> usize {
    text.len()
}

fn sum_of(numbers: &[u32]) -> u32 {
    numbers.iter().sum()
}

#[benchmark(args = [&[1, 2], &[3, 4]], setup = sum_of)]
fn setup_that_is_given_a_coercion(sum: u32) -> u32 {
    sum
}

#[benchmark(args = [2, 8, 32, 128], complexity = "O(n)")]
fn grows(n: u8) -> u8 {
    (0..n).map(std::hint::black_box).fold(0, u8::wrapping_add)
}

#[benchmark(args = [2, 8, 32, 128], setup = |n| vec![0_u8; n], complexity = "2ⁿ")]
fn grows_with_its_setup(bytes: &[u8]) -> usize {
    bytes.len()
}

#[benchmark(args = ["a".repeat(4), "b".repeat(600)], size = |text| text.len() * 2, complexity = "√n")]
fn grows_with_a_text(text: &str) -> usize {
    text.len()
}

#[benchmark(args = ["a", "bc"], size = str::len)]
fn has_a_size(text: &str) -> usize {
    text.len()
}

#[benchmark(args = [Some(1), None], size = |n: &Option<u8>| n.map_or(-1, i32::from), complexity = "n ^ 2")]
fn has_a_size_or_none(n: Option<u8>) -> Option<u8> {
    n
}

#[benchmark(args = [-1, 1])]
fn has_no_size(n: i128) -> i128 {
    n
}

static EVALUATED: AtomicU32 = AtomicU32::new(0);

fn evaluated_once() -> [u32; 2] {
    assert_eq!(EVALUATED.fetch_add(1, Ordering::Relaxed), 0, "it was evaluated before");
    [1, 2]
}

#[benchmark(args = evaluated_once())]
fn costly_arguments(n: u32) -> u32 {
    n
}

#[benchmark(setup = numbers)]
fn elided_lifetime(numbers: &'_ mut Vec<u32>) {
    numbers.push(1);
}

#[benchmark(setup = numbers, validate = |first: &&mut u32| **first == 99)]
fn part_of_its_input(numbers: &mut [u32]) -> &mut u32 {
    &mut numbers[0]
}

#[benchmark(setup = numbers)]
fn owner_of_parts_of_its_input(numbers: &mut Vec<u32>) -> Vec<std::slice::IterMut<'_, u32>> {
    vec![numbers.iter_mut()]
}

#[benchmark(setup = numbers)]
fn part_of_what_it_looks_at(numbers: &[u32]) -> Option<&u32> {
    numbers.first()
}

#[benchmark(setup = || [0; 200_000])]
fn large_input(bytes: [u8; 200_000]) -> [u8; 200_000] {
    bytes
}

#[benchmark(args = [[0; 200_000]])]
fn large_argument(bytes: &mut [u8; 200_000]) {
    bytes[7] = 1;
}

#[benchmark]
fn large_result() -> Vec<[u8; 100_000]> {
    vec![[0; 100_000]]
}

#[benchmark(setup = || Cell::new(1))]
fn not_shared(cell: &Cell<u32>) -> u32 {
    cell.get()
}

#[benchmark]
fn fails_never() -> io::Result<()> {
    Ok(())
}

#[benchmark]
fn fails_never_with_a_bencher(bencher: &mut Bencher) -> Result<(), String> {
    bencher.iter(|| 1);
    Ok(())
}

#[benchmark(validate = Result::is_err)]
fn fails_on_purpose() -> Result<(), String> {
    Err(String::from("as it should"))
}

#[benchmark]
#[deprecated = "measured all the same"]
fn out_of_date() {}

#[benchmark(target_ns = 0.5, ignore = "no machine is that steady")]
fn target_below_a_nanosecond() {}

#[cfg(target_arch = "x86_64")]
#[benchmark(args = [1, 2])]
#[target_feature(enable = "sse2,sse")]
#[cfg_attr(all(), target_feature(enable = "fxsr"))]
fn with_features(n: u64) -> u64 {
    n
}

/// Where perfkit is found by another path.
mod paths {
    use perfkit as local;

    #[perfkit::benchmark(crate = local, args = [1])]
    fn by_a_name(n: u8) -> u8 {
        n
    }

    #[perfkit::benchmark(crate = self::local)]
    fn by_self() {}

    mod deeper {
        #[perfkit::benchmark(crate = super::local)]
        fn by_super() {}

        #[perfkit::benchmark(crate = crate::paths::local)]
        fn by_crate() {}
    }
}

/// Names that the expansion might see before those meant.
const ENTRY: [u8; 1] = [1];

#[benchmark(args = ENTRY)]
fn named_like_a_part_of_it(n: u8) -> u8 {
    n
}

/// Through a macro of the user.
macro_rules! define {
    ($name:ident, $args:expr, $argument:ident: $ty:ty, $body:block) => {
        #[benchmark(args = $args)]
        fn $name($argument: $ty) -> $ty $body
    };
}
define!(through_a_macro, [1, 2], n: u16, { n + 1 });

/// The functions are what they were.
#[test]
fn functions_can_be_called() {
    assert_eq!((sum(), by_value(2), constant(), decorated(), inner::public()), (4950, 4, 1, 1, 1));
    assert_eq!(
        (text("abc"), owned_text("x".into()), look_at(&[1, 2]), through_a_macro(1)),
        (3, "x".into(), 3, 2)
    );
    assert_eq!(for_c(), 1);
    nothing();
    r#match();
    assert_eq!((fraction(), from_a_range(1), pattern((1, 2)), sort(vec![2, 1])), (7, 2, 3, vec![1, 2]));
}

/// What a call works off, how often a second, on how many threads, of which instances.
mod counted {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::thread::{self, ThreadId};

    use perfkit::{Bencher, benchmark};

    const SIZE: usize = 64;

    #[benchmark(bytes = SIZE, items = 4)]
    fn by_numbers() -> u32 {
        std::hint::black_box(1) + 1
    }

    fn length(text: &&str) -> usize {
        text.len()
    }

    #[benchmark(args = ["four", "fourteen chars"], bytes = length, items = |text| text.chars().count())]
    fn by_functions(text: &str) -> usize {
        text.chars().filter(|character| *character == 'x').count()
    }

    #[benchmark(setup = || vec![1_u8; 100], bytes = Vec::len, items = |input| input.len() / 2)]
    fn by_value(input: Vec<u8>) -> usize {
        input.len()
    }

    #[benchmark(setup = || vec![1_u8; 100], bytes = |input| input.len(), target_throughput = 0.5)]
    fn in_place(input: &mut Vec<u8>) {
        input.reverse();
    }

    #[benchmark(target_throughput = 1)]
    fn in_a_bencher(bencher: &mut Bencher) {
        let numbers = [1_u32; 100];
        bencher.bytes(400).items(100).iter(|| numbers.iter().sum::<u32>());
    }

    static FIRST: AtomicU32 = AtomicU32::new(0);
    static AT_ONCE: AtomicU32 = AtomicU32::new(0);

    #[benchmark(threads = [1, 2, 0], iterations = 3)]
    fn on_threads() {
        AT_ONCE.fetch_add(1, Ordering::Relaxed);
        std::hint::spin_loop();
        FIRST.fetch_max(AT_ONCE.fetch_sub(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    #[benchmark(threads = [2], args = [10, 20], setup = |n| vec![n; 10], iterations = 2)]
    fn with_inputs_on_threads(mut input: Vec<u32>) -> Vec<u32> {
        input.sort_unstable();
        input
    }

    static MADE_BY: [std::sync::Mutex<Option<ThreadId>>; 2] = [const { std::sync::Mutex::new(None) }; 2];

    #[benchmark(threads = vec![2], iterations = 1)]
    fn bencher_on_threads(bencher: &mut Bencher) {
        let me = thread::current().id();
        let place = usize::from(MADE_BY[0].lock().unwrap().get_or_insert(me) != &me);
        MADE_BY[place].lock().unwrap().get_or_insert(me);
        bencher.iter(move || thread::current().id() == me);
        // Each of the two came here by itself.
        if place == 1 {
            assert_ne!(*MADE_BY[0].lock().unwrap(), *MADE_BY[1].lock().unwrap());
        }
    }

    #[benchmark(types = [u8, Vec<u8>, &'static str, [u32; 2]])]
    fn of_types<T: Default>() -> T {
        T::default()
    }

    #[benchmark(consts = [4, 2 * SIZE], args = [1, 2], validate = |sum: &usize| [4, 8, 128, 256].contains(sum))]
    fn of_consts<const N: usize>(factor: usize) -> usize {
        [factor; N].iter().sum()
    }

    #[benchmark(types = [u8, u64], consts = [1, 3], setup = || Default::default(), threads = [1])]
    fn of_both<'a, const N: usize, T: Copy + Default + 'a>(value: T) -> [T; N] {
        [value; N]
    }

    static IS_OVER: AtomicBool = AtomicBool::new(false);

    fn stop() {
        assert!(!IS_OVER.swap(true, Ordering::Relaxed));
    }

    #[benchmark(teardown = stop, group = "a group", threads = [2])]
    fn torn_down() {
        assert!(!IS_OVER.load(Ordering::Relaxed));
    }

    #[benchmark(group = "a group", name = "another", teardown = || 7)]
    fn torn_down_with_a_result() {}
}
