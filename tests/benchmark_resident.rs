//! Calls that keep memory in a program whose allocator tells nothing: what the system says of the process has to do, and only where nothing else runs in it.

mod resident_cases;

use std::process::Command;

use perfkit::benchmark;

/// Whether the benchmark passes, and all that was printed.
fn run(name: &str, alone: bool) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args([
        "--ignored",
        "--exact",
        "--nocapture",
        "--test-threads=2",
        &format!("{name}_benchmark::run"),
    ]);
    command.env_remove("NEXTEST").env("RUST_BACKTRACE", "0");
    if alone {
        command.env("NEXTEST", "1");
    }
    let output = command.output().expect("it can be run");
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(text.contains("running 1 test"), "{name}: {text}");
    (output.status.success(), text)
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_grows_is_found() {
    for name in resident_cases::KEEP {
        let (passes, text) = run(&format!("resident_cases::{name}"), true);
        assert!(
            !passes && text.contains("the memory of the process (RSS) grew by") && text.contains("LEAK RSS"),
            "{text}"
        );
        let (passes, text) = run(&format!("resident_cases::{name}"), false);
        assert!(passes && !text.contains("LEAK"), "{text}");
    }
}

#[test]
fn a_process_that_does_not_grow_passes() {
    for name in resident_cases::KEEP_NOT {
        let (passes, text) = run(&format!("resident_cases::{name}"), true);
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
