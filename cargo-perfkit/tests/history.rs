//! `cargo perfkit history` on runs that lie in a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("history").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn history(results: &Path, filters: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-perfkit"));
    command.args(["perfkit", "history", "--results"]).arg(results).args(filters);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), format!("{}{}", text(stdout), text(stderr)))
}

#[test]
fn runs_are_drawn_and_what_is_broken_is_told() {
    let results = folder("some");
    let runs = results.join("runs/app-speed");
    fs::create_dir_all(&runs).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../perf-bench/tests/data/run-v1.json");
    fs::copy(example, runs.join("1764288000123-4711.json")).unwrap();
    fs::write(runs.join("1764288000124-4711.json"), "{ \"format\": \"perfkit-run\", ").unwrap();
    let (code, said) = history(&results, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("app::parse") && said.contains("1764288000124-4711.json"), "{said}");
    let (code, said) = history(&results, &["no such benchmark"]);
    assert!(code == Some(0) && said.contains("is called no such benchmark"), "{said}");
}

#[test]
fn where_there_is_nothing_it_says_what_would_be() {
    let (code, said) = history(&folder("none"), &[]);
    assert!(
        code == Some(2) && said.contains("there are no runs in") && said.contains("features = [\"bench\"]"),
        "{said}"
    );
}
