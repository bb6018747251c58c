//! The benchmarks of this program that are left out unless asked for, each run by a process of the same program.

use std::process::{Command, Output};

fn this_program(arguments: &[&str], alone: bool) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(arguments).env_remove("NEXTEST").env("RUST_BACKTRACE", "0");
    if alone {
        // nextest gives each test a process.
        command.env("NEXTEST", "1");
    }
    command.output().expect("it can be run")
}

/// Those of the module.
pub(crate) fn names(module: &str) -> Vec<String> {
    let list = this_program(&["--list", "--ignored"], false);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    let names = list.lines().filter_map(|line| line.strip_suffix("_benchmark::run: test"));
    let names: Vec<String> = names.filter(|name| name.contains(module)).map(str::to_owned).collect();
    assert!(!names.is_empty(), "there is none in {module}: {list}");
    names
}

/// Whether the benchmark passes, and all that was printed. It is alone in its process, or as if it were one of tests that run in parallel.
pub(crate) fn run(name: &str, alone: bool) -> (bool, String) {
    let name = format!("{name}_benchmark::run");
    let output = this_program(&["--ignored", "--exact", "--nocapture", "--test-threads=2", &name], alone);
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(text.contains("running 1 test"), "{name}: {text}");
    (output.status.success(), text)
}
