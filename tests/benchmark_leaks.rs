//! What the harness finds of calls that keep memory, and of what they hold, in a program whose allocator tells: each benchmark is run by a process of this very
//! program, once as if it were alone in it, once as one of tests that run in parallel.

mod ignored;
mod leak_cases;

use ignored::{names, run};
use perfkit::{Alloc, benchmark};

#[global_allocator]
static ALLOCATOR: Alloc = Alloc::system();

#[track_caller]
fn check(alone: bool) {
    let mut wrong = Vec::new();
    for (module, keeps) in [("::keep::", true), ("::keep_not::", false)] {
        for name in names(module) {
            let (passes, text) = run(&name, alone);
            let is_found = !passes && text.contains("` leaks") && text.contains("LEAK");
            if is_found != keeps || (!keeps && (!passes || text.contains("grows"))) {
                wrong.push(format!("{name}: {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_keeps_memory_is_found_in_a_process_of_its_own() {
    check(true);
}

#[test]
fn what_keeps_memory_is_found_beside_other_tests() {
    check(false);
}

#[benchmark(ignore, target_allocs = 3, target_memory_mb = 0.001)]
fn keeps_what_it_promises() -> [Vec<u8>; 2] {
    let first = vec![0_u8; 700];
    drop(vec![0_u8; 300]);
    [first, vec![0; 300]]
}

#[benchmark(ignore, target_allocs = 2)]
fn one_allocation_too_many() -> [Vec<u8>; 2] {
    keeps_what_it_promises()
}

#[benchmark(ignore, target_memory_mb = 0.000_999)]
fn one_byte_too_many() -> [Vec<u8>; 2] {
    keeps_what_it_promises()
}

#[benchmark(ignore, setup = || vec![0_u8; 5_000], target_allocs = 0, target_memory_mb = 0.000_001)]
fn inputs_are_not_the_calls(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

#[test]
fn promises_are_judged_exactly() {
    for alone in [true, false] {
        let (passes, text) = run("keeps_what_it_promises", alone);
        let row = text.lines().find(|line| line.starts_with("keeps_what_it_promises")).unwrap_or(&text);
        let row = row.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(passes && row.contains(" 3 1.27 KiB 1000 B 3 allocs, 0.001 MB"), "{row}\n{text}");
        for (name, why) in [
            (
                "one_allocation_too_many",
                "missed its target of 2 allocations per call: a call makes 3 (1 300 bytes)",
            ),
            ("one_byte_too_many", "missed its target of 0.000999 MB: a call adds up to 1 000 bytes"),
        ] {
            let (passes, text) = run(name, alone);
            assert!(!passes && text.contains(why) && text.contains("MISSED"), "{text}");
        }
        let (passes, text) = run("inputs_are_not_the_calls", alone);
        assert!(passes, "{text}");
    }
}

fn descending(n: usize) -> Vec<u64> {
    (0..n as u64).rev().collect()
}

#[benchmark(ignore, args = [2, 16, 128, 1024], setup = descending, memory_complexity = "O(1)")]
fn sorts_in_place(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

#[benchmark(ignore, args = [2, 16, 128, 1024], memory_complexity = "O(n)")]
fn collects(n: usize) -> Vec<u64> {
    descending(n)
}

#[benchmark(ignore, args = [2, 8, 32, 128], complexity = "O(n^2)", memory_complexity = "O(n^2)")]
fn makes_a_table(n: usize) -> Vec<Vec<u64>> {
    vec![descending(n); n]
}

#[benchmark(ignore, args = [2, 16, 128, 1024], memory_complexity = "O(1)")]
fn collects_in_no_memory(n: usize) -> u64 {
    descending(n).iter().sum()
}

#[benchmark(ignore, args = [2, 8, 32, 128], memory_complexity = "O(n)")]
fn makes_a_table_in_a_line(n: usize) -> usize {
    makes_a_table(n).len()
}

#[benchmark(ignore, args = [2, 16, 128, 1024], threads = [2], memory_complexity = "O(1)")]
fn collects_on_two_threads(n: usize) -> Vec<u64> {
    descending(n)
}

#[test]
fn promises_of_how_memory_grows_are_judged() {
    let row = |text: &str, series: &str| {
        let is_row = |line: &&str| line.contains(&format!("{series} ")) && line.contains(" memory ");
        let row = text.lines().find(is_row);
        row.unwrap_or(text).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for alone in [true, false] {
        for (name, end) in [
            ("sorts_in_place", "memory 2 … 1 024 O(1) - O(1) kept"),
            ("collects", "memory 2 … 1 024 O(n) 1.000 O(n) kept"),
            ("makes_a_table", "O(n²) kept"),
        ] {
            let (passes, text) = run(name, alone);
            assert!(passes && row(&text, name).ends_with(end), "{text}");
        }
        for (name, declared) in [("collects_in_no_memory", "O(1)"), ("makes_a_table_in_a_line", "O(n)")] {
            let (passes, text) = run(name, alone);
            let why = format!("`benchmark_leaks::{name}/memory` grows faster than {declared}: O(n");
            assert!(!passes && text.contains(&why), "{text}");
            assert!(text.contains("o least memory of a call over the size"), "{text}");
            assert!(row(&text, name).ends_with(&format!("{declared} WORSE")), "{text}");
        }
        let (passes, text) = run("collects_on_two_threads", alone);
        let row = row(&text, "collects_on_two_threads/2 threads");
        assert!(passes && row.ends_with("O(1) not judged"), "{text}");
        assert!(text.contains("not judged: `memory_complexity` needs one thread"), "{text}");
    }
}
