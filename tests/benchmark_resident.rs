//! Calls that keep memory in a program whose allocator tells nothing: what the system says of the process has to do, and only where nothing else runs in it.

mod ignored;
mod resident_cases;

use ignored::{names, run};
use perfkit::benchmark;

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_grows_is_found() {
    for name in names("::keep::") {
        let (passes, text) = run(&name, true);
        assert!(
            !passes && text.contains("the memory of the process (RSS) grew by") && text.contains("LEAK RSS"),
            "{text}"
        );
        let (passes, text) = run(&name, false);
        assert!(passes && !text.contains("LEAK"), "{text}");
    }
}

#[test]
fn a_process_that_does_not_grow_passes() {
    for name in names("::keep_not::") {
        let (passes, text) = run(&name, true);
        assert!(passes && !text.contains("LEAK"), "{text}");
    }
}

#[benchmark(ignore, target_allocs = 0, target_memory_mb = 1)]
fn promises() -> Vec<u8> {
    vec![1; 2_000_000]
}

#[test]
fn what_nobody_counted_is_not_judged() {
    let (passes, text) = run("promises", true);
    let needs = "not judged: `target_allocs` and `target_memory_mb` need `#[global_allocator]";
    assert!(passes && text.contains("0 allocs, 1 MB  not judged") && text.contains(needs), "{text}");
    assert!(!text.contains("peak"), "{text}");
}
