//! `cargo perfkit compare` as a user runs it: crates in git repositories of their own, built by the real cargo.
//!
//! What is slower here is ten times as slow. How well small differences are found is for unit tests of the verdict on simulated launches, and for `benches/trust`.

#![cfg(unix)]

#[path = "../../tests/crates/run.rs"]
mod run;

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use run::Run;
use serde_json::Value;

struct Repository {
    directory: PathBuf,
    /// The folder that a comparison builds in serves one at a time, and all tests share it; some runners give each a process of its own.
    _alone: File,
}

const MANIFEST: &str = "\
[lib]
bench = false
[[bench]]
name = \"speed\"
harness = false
";

impl Repository {
    fn new(name: &str, bench_target: &str, source: &str) -> Self {
        fs::create_dir_all(scratch()).unwrap();
        let alone = File::create(scratch().join("lock")).unwrap();
        alone.lock().unwrap();
        let directory = scratch().join(name);
        let _ = fs::remove_dir_all(&directory);
        let perfkit = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        fs::create_dir_all(directory.join("src")).unwrap();
        let repository = Repository { directory, _alone: alone };
        repository.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
                 perfkit = {{ path = {:?} }}\n\n{bench_target}",
                perfkit.to_string_lossy()
            ),
        );
        repository.write("src/lib.rs", source);
        repository.write("benches/speed.rs", &format!("use {name} as _;\nperfkit::bench_main!();\n"));
        // The versions that this workspace is tested with, which are on the machine; not committed, as of many libraries.
        fs::copy(perfkit.join("Cargo.lock"), repository.directory.join("Cargo.lock")).unwrap();
        repository.write(".gitignore", "Cargo.lock\n");
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit("one");
        repository
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, words: &[&str]) -> String {
        let mut git = Command::new("git");
        git.current_dir(&self.directory)
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(words);
        let output = git.output().unwrap();
        assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    fn command(&self, words: &str) -> Command {
        let mut command = run::command(env!("CARGO_BIN_EXE_cargo-perfkit"));
        command
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", scratch().join("target"))
            .arg("perfkit")
            .args(words.split_whitespace())
            .stdin(Stdio::null());
        command
    }

    /// Runs it, with a build that is quick.
    fn compare(&self, words: &str) -> Run {
        let words = format!("compare --profile dev {words}");
        Run::of(&words, self.command(&words).output().unwrap())
    }

    /// Nothing is left but the working tree.
    fn is_as_before(&self) {
        assert_eq!(self.git(&["worktree", "list"]).lines().count(), 1, "{}", self.git(&["worktree", "list"]));
        assert!(!scratch().join("target/perfkit/compare/tree").exists());
    }
}

fn scratch() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compare")
}

#[test]
fn two_revisions() {
    let repository = Repository::new(
        "two_revisions",
        MANIFEST,
        "
use perfkit::benchmark;
pub const MORE: u64 = 1;
fn work(n: u64) -> u64 { (0..n).map(std::hint::black_box).sum() }
#[benchmark] fn changed() -> u64 { work(500 * MORE) }
#[benchmark(args = [\"a\", \"b c\"])] fn prints(text: &str) -> u64 {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let read = std::io::read_to_string(std::io::stdin()).unwrap();
        assert_eq!(read, \"\");
        println!(\"perfkit: nanos 7\");
        print!(\"a part of {text}\");
    });
    work(500)
}
#[benchmark] fn removed() -> u64 { work(1) }
#[benchmark(name = \"a panic\")] fn panics() -> u64 { assert_eq!(MORE, 1, \"of the\\nnew side\"); 7 }
#[benchmark] fn exits() -> u64 { if MORE > 1 { eprintln!(\"last words\"); std::process::exit(3) } 7 }
#[benchmark(threads = [1, 2])] fn threads() -> u64 { work(500) }
#[benchmark(ignore)] fn left_out() {}
",
    );
    // The working tree as it stands, without a commit.
    let source = fs::read_to_string(repository.directory.join("src/lib.rs")).unwrap();
    let source = source.replace("MORE: u64 = 1", "MORE: u64 = 10").replace("fn removed", "fn added");
    repository.write("src/lib.rs", &source);
    let before = repository.git(&["status", "--porcelain"]);
    let summary = scratch().join("summary.md");
    fs::write(&summary, "what was there\n").unwrap();
    let words = "compare HEAD --profile dev --max-time 4 --fail-above 5% --no-instructions --json report.json -- changed prints added removed panic exits threads";
    let output = repository.command(words).env("GITHUB_STEP_SUMMARY", &summary).output().unwrap();
    let run = Run::of(words, output).exits_with(1).says(&[
        "two_revisions::changed",
        "prints/b c",
        "only in working tree: two_revisions::added",
        "NOT COMPARED",
        "FAILED: slower by more than 5 %: two_revisions::changed",
        "working tree: src/lib.rs:",
        "`a panic` panicked: assertion",
        "new side",
        "`two_revisions::exits` ended its process (exit status: 101) when it was to do `prepare two_revisions::exits`",
        "    last words",
    ]);
    assert!(run.stdout.contains("only in HEAD (") && !run.stdout.contains("left_out"), "{}", run.all());
    let report: Value =
        serde_json::from_str(&fs::read_to_string(repository.directory.join("report.json")).unwrap()).unwrap();
    let benchmarks = report["benchmarks"].as_array().unwrap();
    let verdict = |name: &str| benchmarks.iter().find(|row| row["name"] == name).unwrap()["verdict"].clone();
    assert_eq!(verdict("two_revisions::changed"), "slower");
    assert_eq!((verdict("a panic"), verdict("two_revisions::exits")), ("error".into(), "error".into()));
    for name in ["two_revisions::prints/a", "two_revisions::prints/b c"] {
        assert_ne!(verdict(name), "error", "{report:#}");
    }
    assert_eq!(benchmarks.len(), 7, "{report:#}");
    let markdown = fs::read_to_string(&summary).unwrap();
    assert!(markdown.starts_with("what was there\n### Benchmarks: HEAD ("), "{markdown}");
    fs::remove_file(repository.directory.join("report.json")).unwrap();
    assert_eq!(repository.git(&["status", "--porcelain"]), before);
    repository.is_as_before();
}

#[test]
fn what_cannot_be_compared_is_told() {
    let source = "#[perfkit::benchmark] fn one() -> u64 { std::hint::black_box(1) }\n";
    let repository = Repository::new("broken", MANIFEST, "fn no_rust( {}");
    repository.write("src/lib.rs", source);
    repository
        .compare("HEAD")
        .exits_with(2)
        .says(&["HEAD does not build: cargo's messages are above", "no_rust"]);
    repository.is_as_before();
    repository.compare("no-such").exits_with(2).says(&["there is no revision `no-such`", "git fetch"]);
    repository.commit("two");
    repository.compare("HEAD -- nothing").exits_with(2).says(&["no benchmark is selected by nothing"]);
    repository.compare("HEAD --bench other").exits_with(2).says(&["no bench target of perfkit named other"]);
    // A side that never ends is ended.
    repository
        .write("src/lib.rs", "#[perfkit::benchmark] fn one() -> u64 { loop { std::thread::park() } }\n");
    repository.compare("HEAD --max-time 1").exits_with(2).says(&[
        "working tree: `broken::one` did not do `prepare broken::one` within 1s and was ended",
        "NOT COMPARED",
    ]);
    repository.is_as_before();
    // A revision before there was a bench target of perfkit, though there is one.
    repository.write("src/lib.rs", source);
    repository.write("benches/speed.rs", "fn main() { println!(\"fast\") }\n");
    repository.commit("three");
    repository.write("benches/speed.rs", "use broken as _;\nperfkit::bench_main!();\n");
    repository.compare("HEAD").exits_with(2).says(&[
        "HEAD (",
        "has no bench target of perfkit",
        "perfkit::bench_main!();",
        "the bench target `speed` of HEAD",
        "cannot be compared",
    ]);
    repository.is_as_before();
}

#[test]
fn no_bench_target_and_a_shallow_clone() {
    let source = "#[perfkit::benchmark] fn one() -> u64 { std::hint::black_box(1) }\n";
    let mut repository = Repository::new("no_target", "[lib]\nbench = false\nautobenches = false\n", source);
    let manifest = fs::read_to_string(repository.directory.join("Cargo.toml")).unwrap();
    let manifest = manifest
        .replace("edition", "autobenches = false\nedition")
        .replace("bench = false\nautobenches = false\n", "bench = false\n");
    repository.write("Cargo.toml", &manifest);
    repository.commit("two");
    repository.compare("HEAD").exits_with(2).says(&[
        "HEAD has no bench target of perfkit. Give the package one, in Cargo.toml:",
        "[[bench]]",
        "harness = false",
        "perfkit::bench_main!();",
    ]);
    repository.is_as_before();
    let clone = scratch().join("shallow");
    let _ = fs::remove_dir_all(&clone);
    let from = format!("file://{}", repository.directory.display());
    repository.git(&["clone", "--quiet", "--depth=1", &from, &clone.to_string_lossy()]);
    fs::copy(repository.directory.join("Cargo.lock"), clone.join("Cargo.lock")).unwrap();
    repository.directory = clone;
    repository.compare("HEAD~1").exits_with(2).says(&[
        "shallow clone",
        "git fetch --unshallow",
        "fetch-depth: 0",
    ]);
}

#[test]
fn interrupted_it_leaves_nothing() {
    let repository = Repository::new(
        "interrupted",
        MANIFEST,
        "#[perfkit::benchmark] fn one() -> u64 { std::thread::sleep(std::time::Duration::from_millis(50)); 7 }\n",
    );
    let mut command = repository.command("compare HEAD --profile dev --max-time 600");
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("comparing interrupted::one")));
    assert!(scratch().join("target/perfkit/compare/tree").exists());
    // Whoever comes meanwhile is told to wait.
    repository.compare("HEAD").exits_with(2).says(&["another comparison runs in this target folder"]);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert!(rest.iter().any(|line| line == "perfkit: interrupted"), "{rest:?}");
    repository.is_as_before();
    let copies = fs::read_dir(scratch().join("target/perfkit/compare/new/debug/deps")).unwrap();
    let left: Vec<_> = copies
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().starts_with("perfkit-launch"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
