//! What the harness finds of calls that keep memory, in a program whose allocator tells: each benchmark is run by a process of this very program, once as
//! if it were alone in it, once as one of tests that run in parallel.

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
