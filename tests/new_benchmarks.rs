//! Benchmarks as a new user meets them: crates outside of the workspace, built and run by the real cargo and the real nextest.

mod crates;

use std::fs;
use std::process::{Command, Stdio};

use crates::Crate;
use crates::run::Run;

const PROMISE: &str = "
/// Kept.
#[perfkit::benchmark(target_ms = 1)]
fn quick() -> u64 {
    (0..100).map(std::hint::black_box).sum()
}
";

const BROKEN_PROMISE: &str = "
mod deep {
    #[perfkit::benchmark(target_us = 100)]
    fn slow() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}
";

#[test]
fn a_benchmark_and_nothing_else() {
    let kept = Crate::new("kept", &[("src/lib.rs", PROMISE)]);
    let debug = kept.cargo("test", &[]).exits_with(0).says(&[
        "test quick_benchmark::run ... ok",
        "test result: ok. 1 passed",
        "Benchmarks",
        "not judged",
        "`cargo test --release` judges it",
    ]);
    assert_eq!(debug.row("kept::quick").last(), Some(&"judged"));
    let after = debug.stderr.rfind("kept::quick").unwrap();
    assert!(debug.stderr[after..].lines().count() >= 1);
    let release = kept.cargo("test --release", &[]).exits_with(0).says(&["test quick_benchmark::run ... ok"]);
    assert_eq!(release.row("kept::quick").last(), Some(&"met"));
    let listed = kept.cargo("test --quiet --lib -- --list", &[]).exits_with(0);
    assert!(listed.stdout.contains("quick_benchmark::run: test"), "{}", listed.all());

    let both = Crate::new("broken", &[("src/lib.rs", &format!("{PROMISE}{BROKEN_PROMISE}"))]);
    both.cargo("test", &[]).exits_with(0).says(&["deep::slow_benchmark::run ... ok", "not judged"]);
    for variables in [&[("PERFKIT_JUDGE", "always")][..], &[]] {
        let how = if variables.is_empty() { "test --release" } else { "test" };
        let broken = both.cargo(how, variables).exits_with(101).says(&[
            "test deep::slow_benchmark::run ... FAILED",
            "test quick_benchmark::run ... ok",
            "src/lib.rs:10: `broken::deep::slow` missed its target of 100 µs: the best of",
            "test result: FAILED. 1 passed; 1 failed",
            "MISSED",
        ]);
        // What sleeps for two milliseconds takes no less, and on a busy machine any number more.
        for before in ["took ", "95 % interval "] {
            let said = broken.all();
            let number = said.split(before).nth(1).and_then(|rest| rest.split(' ').next()).map(str::parse);
            assert!(matches!(number, Some(Ok(2.0_f64..))), "{before}{number:?}\n{said}");
        }
        assert_eq!(broken.row("deep::slow").last(), Some(&"MISSED"));
        assert_eq!(broken.row("broken::quick").last(), Some(&"met"));
    }
    both.cargo("test", &[("PERFKIT_JUDGE", "yes")])
        .exits_with(0)
        .says(&["PERFKIT_JUDGE does not know `yes` (known: always)"]);

    // The real nextest: a process for each test, and at once.
    kept.cargo("nextest run", &[]).exits_with(0).says(&["kept quick_benchmark::run", "1 test run: 1 passed"]);
    both.cargo("nextest run --release", &[]).exits_with(100).says(&[
        "FAIL",
        "broken deep::slow_benchmark::run",
        "missed its target of 100 µs: the best of",
        "2 tests run: 1 passed, 1 failed",
    ]);
    both.cargo("nextest run --release --success-output final", &[("NEXTEST_NO_FAIL_FAST", "1")])
        .exits_with(100)
        .says(&["broken::quick", "MISSED"]);
}

/// What goes wrong in a benchmark ends that one, and the exit code tells.
#[test]
fn what_goes_wrong_ends_one_benchmark() {
    let source = "
use perfkit::benchmark;
#[benchmark] fn panics() { panic!(\"on purpose\") }
#[benchmark(timeout = \"200ms\")] fn never_ends() { loop { std::thread::sleep(std::time::Duration::from_millis(1)); } }
#[benchmark(validate = |n: &u32| *n == 2)] fn invalid() -> u32 { 1 }
#[benchmark] fn measures_nothing(_: &mut perfkit::Bencher) {}
#[benchmark] fn is_fine() {}
#[benchmark] fn fails() -> Result<(), std::num::ParseIntError> { \"x\".parse::<u8>().map(drop) }
#[benchmark(args = [1_u8, 0].map(|n| 10 / n))] fn no_arguments(n: u8) -> u8 { n }
#[benchmark(timeout = \"1s\")] fn stops(bencher: &mut perfkit::Bencher) {
    let mut calls = 0;
    bencher.iter(|| {
        calls += 1;
        std::thread::sleep(std::time::Duration::from_millis(if calls < 15 { 1 } else { 60_000 }));
    });
}
macro_rules! twins { ($($name:ident $body:expr)*) => { $(mod $name { #[perfkit::benchmark] fn twin() { $body } })* } }
twins! { good () bad panic!(\"bad twin\") }
";
    let messages = [
        "`wrong::panics` panicked: on purpose",
        "`wrong::never_ends` did not end within 200ms",
        "`wrong::invalid` returned a result that `validate` refuses",
        "`wrong::measures_nothing` measured nothing",
        "`wrong::fails` returned an error: ParseIntError { kind: InvalidDigit }",
        "`wrong::no_arguments` panicked in its `args`: attempt to divide by zero",
        "`wrong::stops` did not end within 1s",
        "`wrong::bad::twin` panicked: bad twin",
    ];
    let bench = "[[bench]]\nname = \"speed\"\nharness = false\n";
    let main = "use wrong as _;\nperfkit::bench_main!();\n";
    let krate =
        Crate::new("wrong", &[("Cargo.toml", bench), ("src/lib.rs", source), ("benches/speed.rs", main)]);
    let tested = krate.cargo("test --lib", &[]).exits_with(101).says(&messages).says(&[
        "PANICKED",
        "TIMED OUT",
        "INVALID",
        "NOT MEASURED",
        "test good::twin_benchmark::run ... ok",
        "2 passed; 8 failed",
    ]);
    // What was measured by then is kept.
    assert_eq!(tested.row("wrong::stops")[2], "ms");
    krate.cargo("bench --bench speed", &[]).exits_with(101).says(&messages).says(&[
        "test wrong::panics ... ",
        "test wrong::is_fine ... bench:",
        "0 passed; 8 failed; 0 ignored; 2 measured",
    ]);
    let list = krate.cargo("bench --bench speed -- --list --format terse", &[]).exits_with(0);
    assert_eq!(list.stdout.lines().count(), 10, "{}", list.all());
}

/// Ctrl-C ends a run, and what was measured is shown.
#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_was_measured() {
    use std::io::{BufRead, BufReader, Read};
    let source = "
use perfkit::benchmark;
#[benchmark] fn before() {}
#[benchmark(iterations = 1000)] fn long() { std::thread::sleep(std::time::Duration::from_millis(50)); }
#[benchmark] fn never_run() {}
";
    let bench = "[[bench]]\nname = \"speed\"\nharness = false\n";
    let main = "use interrupted as _;\nperfkit::bench_main!();\n";
    let files = [("Cargo.toml", bench), ("src/lib.rs", source), ("benches/speed.rs", main)];
    let krate = Crate::new("interrupted", &files);
    let mut child = Command::new(krate.program()).arg("--bench").stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.ends_with("long ... ") {
        let mut byte = [0];
        stdout.read_exact(&mut byte).unwrap();
        said.push(char::from(byte[0]));
    }
    // It warms up for the tenth of a second before the first sample.
    std::thread::sleep(std::time::Duration::from_secs(1));
    // SAFETY: the process is a child that was not waited for.
    assert_eq!(unsafe { libc::kill(child.id().cast_signed(), libc::SIGINT) }, 0);
    let mut line = String::new();
    while stdout.read_line(&mut line).unwrap() > 0 {}
    said.push_str(&line);
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    let row = |name: &str| said.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(
        row("interrupted::long").contains(" ms ") && row("interrupted::long").ends_with("INTERRUPTED"),
        "{said}"
    );
    assert!(row("interrupted::before").contains(" ns "), "{said}");
    assert!(
        row("interrupted::never_run").is_empty() && said.contains("`interrupted::long` was interrupted"),
        "{said}"
    );
}

/// Neither a test nor a program whose benchmark ends the process looks like one that went well.
#[test]
fn a_benchmark_that_ends_the_process() {
    let source = "
#[perfkit::benchmark] fn exits() { std::process::exit(0) }
#[perfkit::benchmark] fn never_run() {}
";
    let bench = "[[bench]]\nname = \"speed\"\nharness = false\n";
    let main = "use exiting as _;\nperfkit::bench_main!();\n";
    let files = [("Cargo.toml", bench), ("src/lib.rs", source), ("benches/speed.rs", main)];
    let krate = Crate::new("exiting", &files);
    for how in ["test --lib -- --test-threads 1", "bench --bench speed"] {
        krate.cargo(how, &[]).exits_with(101).says(&["the benchmark `exiting::exits` ended the process"]);
    }
}

#[test]
fn a_benchmark_target_speaks_the_language_of_libtest() {
    let source = "
use perfkit::benchmark;
#[benchmark(target_ms = 1)] pub fn alpha() -> u64 { (0..100).map(std::hint::black_box).sum() }
#[benchmark(args = [10, 20])] fn beta(n: u64) -> u64 { (0..n).map(std::hint::black_box).sum() }
#[benchmark(ignore = \"slow\")] fn gamma() {}
#[benchmark(ignore)] fn delta() {}
";
    let krate = Crate::new(
        "language",
        &[
            (
                "Cargo.toml",
                "[lib]\nbench = false\n[[bench]]\nname = \"speed\"\nharness = false\n[[bench]]\nname = \"empty\"\nharness = false\n",
            ),
            ("src/lib.rs", source),
            (
                "benches/speed.rs",
                "use language as _;\n#[perfkit::benchmark]\nfn of_its_own() {}\nperfkit::bench_main!();\n",
            ),
            ("benches/empty.rs", "perfkit::bench_main!();\n"),
        ],
    );
    let measured = krate.cargo("bench --bench speed", &[]).exits_with(0).says(&[
        "running 6 tests",
        "test language::beta/20 ... bench:",
        "ns/iter (+/- ",
        "test language::gamma ... ignored, slow",
        "test language::delta ... ignored\n",
        "test speed::of_its_own ... bench:",
        "test result: ok. 0 passed; 0 failed; 2 ignored; 4 measured; 0 filtered out",
        "95 % interval",
    ]);
    assert_eq!(measured.row("language::alpha").last(), Some(&"met"));
    let samples = measured.row("language::beta/10");
    assert!(samples.contains(&"100"), "{samples:?}");

    krate.cargo("test --bench speed", &[]).exits_with(0).says(&["test language::alpha ... ok", "4 passed"]);
    krate
        .cargo("test --bench speed -- beta --skip 20 --quiet", &[])
        .exits_with(0)
        .says(&["running 1 test", "1 passed; 0 failed; 0 ignored; 0 measured; 5 filtered out"]);
    krate
        .cargo("test --bench speed -- --ignored --exact language::gamma", &[])
        .exits_with(0)
        .says(&["test language::gamma ... ok", "1 passed"]);
    let list = krate.cargo("test --quiet --bench speed -- --list --format terse", &[]).exits_with(0);
    let expected = "language::alpha: benchmark\nlanguage::beta/10: benchmark\nlanguage::beta/20: benchmark\n\
                    language::gamma: benchmark\nlanguage::delta: benchmark\nspeed::of_its_own: benchmark\n";
    assert_eq!(list.stdout, expected);
    let ignored =
        krate.cargo("test --quiet --bench speed -- --list --format terse --ignored", &[]).exits_with(0);
    assert_eq!(ignored.stdout, "language::gamma: benchmark\nlanguage::delta: benchmark\n");

    krate.cargo("test --lib", &[]).exits_with(0).says(&[
        "test gamma_benchmark::run ... ignored, slow",
        "test delta_benchmark::run ... ignored, says `#[benchmark(ignore)]`",
    ]);

    krate
        .cargo("bench --bench speed -- --save-baselin x", &[])
        .exits_with(101)
        .says(&["error: Unrecognized option: 'save-baselin'"]);
    krate
        .cargo("bench --bench speed -- no_such_name", &[])
        .exits_with(0)
        .says(&["running 0 tests", "6 filtered out"]);
    krate.cargo("bench --bench empty", &[]).exits_with(101).says(&[
        "no benchmarks are linked into this program",
        "write `use your_crate as _;`",
        "a `lib.rs`",
    ]);

    krate
        .cargo("nextest run --benches --no-fail-fast -E binary(speed)", &[])
        .exits_with(0)
        .says(&["language::bench/speed language::alpha", "4 tests run: 4 passed, 2 skipped"])
        .says_not("FAIL");
    krate
        .cargo("nextest bench --bench speed", &[("NEXTEST_EXPERIMENTAL_BENCHMARKS", "1")])
        .exits_with(0)
        .says(&["language::beta/20", "4 benchmarks run: 4 passed"]);
}

/// How calls grow is a benchmark of its own, whoever runs it.
#[test]
fn a_promise_about_growth() {
    let source = "
use perfkit::benchmark;
use std::hint::black_box;
fn add(n: u64) -> u64 { (0..n).map(black_box).sum() }
#[benchmark(args = [8, 64, 512, 4096], complexity = \"O(n)\")] pub fn kept(n: u64) -> u64 { add(n) }
#[benchmark(args = [8, 64, 512, 4096], complexity = \"O(log n)\")] fn broken(n: u64) -> u64 { add(n) }
#[benchmark(args = [8, 64, 512, 4096])] fn only_shown(n: u64) -> u64 { add(n) }
#[benchmark(args = [8, 9], complexity = \"O(1)\")] fn too_close(n: u64) -> u64 { add(n) }
";
    let manifest = "[lib]\nbench = false\n[[bench]]\nname = \"speed\"\nharness = false\n[[bench]]\nname = \"counted\"\nharness = false\n";
    let program = "use growth as _;\nperfkit::bench_main!();\n";
    // Nobody counts memory in the one program; in the other, the allocator does.
    let held = "
#[perfkit::benchmark(args = [8, 64, 512, 4096], memory_complexity = \"O(1)\")] fn held(n: usize) -> Vec<u8> { vec![7; n] }
";
    let uncounted = format!("{program}{held}");
    let counted =
        format!("{uncounted}#[global_allocator] static ALLOC: perfkit::Alloc = perfkit::Alloc::system();\n");
    let files = [
        ("Cargo.toml", manifest),
        ("src/lib.rs", source),
        ("benches/speed.rs", &uncounted),
        ("benches/counted.rs", &counted),
    ];
    let krate = Crate::new("growth", &files);
    let why = "`growth::broken/complexity` grows faster than O(log n): O(n";

    let measured =
        krate.cargo("bench --bench speed -- --chart --chart-svg drawn", &[]).exits_with(101).says(&[
            "test growth::kept/complexity ... ok",
            "test growth::broken/complexity ... FAILED",
            why,
            "o least time of a call over the size, both logarithmic, . O(n",
            "3 passed; 1 failed; 0 ignored; 18 measured",
            "Complexity",
            "not judged: a declared class is judged of 4 sizes",
            "test speed::held/memory ... ok",
            "not judged: `memory_complexity` needs one thread, `#[global_allocator] static ALLOC: perfkit::Alloc",
        ]);
    assert_eq!(measured.row("growth::kept").last(), Some(&"kept"));
    assert_eq!(measured.row("growth::broken").last(), Some(&"WORSE"));
    assert_eq!(measured.row("growth::only_shown").last(), Some(&"-"));
    assert_eq!(measured.row("growth::too_close").last(), Some(&"judged"));
    for name in ["kept", "broken", "only_shown", "too_close"] {
        let drawn = fs::read_to_string(krate.0.join(format!("drawn/growth.{name}.svg"))).unwrap();
        assert!(drawn.starts_with("<svg ") && drawn.contains(&format!("growth::{name}")), "{drawn}");
    }

    // Without optimisation, as ordinary tests, and in a process of its own.
    krate.cargo("test --lib", &[]).exits_with(101).says(&[
        "test kept_benchmark::run ... ok",
        "test broken_benchmark::run ... FAILED",
        why,
        "WORSE",
        "3 passed; 1 failed",
    ]);
    krate
        .cargo("nextest run --benches --no-fail-fast -E binary(speed)", &[])
        .exits_with(100)
        .says(&["growth::bench/speed growth::kept/complexity", "22 tests run: 21 passed, 1 failed"]);
    let memory = krate
        .cargo("bench --bench counted -- --chart-svg drawn held", &[])
        .exits_with(101)
        .says(&["`counted::held/memory` grows faster than O(1): O(n) fits (R² 1.000)", "8 B │o"]);
    let drawn = fs::read_to_string(krate.0.join("drawn/counted.held.memory.svg")).unwrap();
    assert!(drawn.contains("least memory of a call") && drawn.contains(">256 B<"), "{drawn}");
    assert!(krate.0.join("drawn/counted.held.svg").is_file(), "{}", memory.all());
    krate
        .cargo("nextest run --benches --no-fail-fast -E binary(counted)&test(held)", &[])
        .exits_with(100)
        .says(&["growth::bench/counted counted::held/memory", "5 tests run: 4 passed, 1 failed"]);
    let json = krate.cargo("bench --quiet --bench counted -- --format json held/memory", &[]).exits_with(101);
    let line = json.stdout.lines().find(|line| line.contains("\"failed\"")).unwrap();
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&event["complexity"]["of"], &event["complexity"]["fits"]),
        (&"memory".into(), &"O(n)".into())
    );
    let json = "bench --quiet --bench speed -- --format json kept/complexity";
    let json = krate.cargo(json, &[]).exits_with(0);
    let line = json.stdout.lines().find(|line| line.contains("\"ok\"")).unwrap();
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    let complexity = &event["complexity"];
    assert_eq!((&complexity["declared"], &complexity["verdict"]), (&"O(n)".into(), &"kept".into()));
    assert_eq!(complexity["points"].as_array().map(Vec::len), Some(4));
}

/// Arguments may take long to make, and nextest runs each case in a process of its own.
#[test]
fn only_what_may_be_meant_is_asked_for_its_arguments() {
    let source = "
use perfkit::benchmark;
use std::io::Write as _;
fn made(of: &str) -> [u64; 2] {
    let file = std::fs::File::options().create(true).append(true).open(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/made\"));
    writeln!(file.unwrap(), \"{of}\").unwrap();
    [1, 2]
}
#[benchmark(args = made(\"one\"))] fn one(n: u64) -> u64 { n }
#[benchmark(args = made(\"other\"), name = \"other\")] fn other(n: u64) -> u64 { n }
#[benchmark(args = [\"\", \"ab\"], items = |text| text.len(), target_throughput = 1)] fn letters(text: &str) -> usize { text.len() }
perfkit::bench_main!();
";
    let manifest = "[lib]\nbench = false\n[[bench]]\nname = \"speed\"\nharness = false\n";
    let files = [("Cargo.toml", manifest), ("src/lib.rs", ""), ("benches/speed.rs", source)];
    let krate = Crate::new("asked", &files);
    // How often each was asked since the last time.
    let asked = || {
        let made = fs::read_to_string(krate.0.join("made")).unwrap_or_default();
        let _ = fs::remove_file(krate.0.join("made"));
        ["one", "other"].map(|name| made.lines().filter(|line| *line == name).count())
    };
    krate.cargo("test --bench speed -- --list", &[]).exits_with(0).says(&[
        "speed::one/1: benchmark",
        "other/2: benchmark",
        "6 benchmarks",
    ]);
    assert_eq!(asked(), [1, 1]);
    krate.cargo("test --bench speed -- --exact speed::one/2", &[]).exits_with(0).says(&["1 passed"]);
    assert_eq!(asked(), [1, 0]);
    // In any name a filter that is no whole one may be found.
    krate.cargo("test --bench speed -- other/2", &[]).exits_with(0).says(&["1 passed", "5 filtered out"]);
    assert_eq!(asked(), [1, 1]);
    krate.cargo("test --bench speed -- --exact speed::on", &[]).exits_with(0).says(&["0 passed"]);
    assert_eq!(asked(), [0, 0]);
    // Once for each list, and then for each of its own cases.
    krate.cargo("nextest run --bench speed -E test(one)", &[]).exits_with(0).says(&["2 tests run: 2 passed"]);
    let run = asked();
    krate.cargo("nextest list --bench speed", &[]).exits_with(0);
    let listed = asked();
    assert_eq!(run, [listed[0] + 2, listed[1]]);

    // Of nothing no throughput is judged.
    let letters = krate.cargo("bench --bench speed -- letters", &[]).exits_with(0);
    let letters =
        letters.says(&["not judged: `target_throughput` is of `items`, and a call works off none of them"]);
    assert_eq!(letters.row("speed::letters/ab").last(), Some(&"met"));
    assert_eq!(letters.row("speed::letters/").last(), Some(&"judged"));
}

/// Whoever reads standard output gets what it is for, and may stop reading.
#[test]
fn what_a_benchmark_target_prints_for_programs() {
    let source = "
use perfkit::benchmark;
#[benchmark] fn prints() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| print!(\"a part of a line\"));
}
#[benchmark(ignore = \"slow\")] fn left_out() {}
perfkit::bench_main!();
";
    let manifest = "[lib]\nbench = false\n[[bench]]\nname = \"speed\"\nharness = false\n";
    let files = [("Cargo.toml", manifest), ("src/lib.rs", ""), ("benches/speed.rs", source)];
    let krate = Crate::new("events", &files);
    for (how, event) in [("bench", "bench"), ("test --benches", "test")] {
        let json = format!("{how} --quiet -- --format json -Z unstable-options");
        let json = krate.cargo(&json, &[]).exits_with(0).says(&["a part of a line"]);
        let events: Vec<serde_json::Value> =
            json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.len(), 5, "{}", json.all());
        assert_eq!((&events[0]["event"], &events[0]["test_count"]), (&"started".into(), &2.into()));
        let ended = &events[2];
        assert_eq!((&ended["type"], &ended["name"]), (&event.into(), &"speed::prints".into()));
        let ignored = &events[3];
        assert_eq!((&ignored["event"], &ignored["message"]), (&"ignored".into(), &"slow".into()));
        assert_eq!(events[4]["ignored"], 1);
    }
    // `… --list | head -1`
    let mut closed = krate.command("bench --bench speed -- --list", &[]);
    let mut closed = closed.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(closed.stdout.take());
    Run::of("--list, read by nobody", closed.wait_with_output().unwrap()).exits_with(0).says_not("panicked");
}

/// Counts that repeat, of the routine and nothing else; and a word where there is nothing to count with.
#[test]
fn instructions_of_a_benchmark_target() {
    let source = "
use perfkit::benchmark;
fn make(n: u64) -> Vec<u64> { (0..100 * n).map(std::hint::black_box).collect() }
#[benchmark(setup = || make(1))] fn cheap_to_make(numbers: Vec<u64>) -> u64 { work(&numbers[..50]) }
#[benchmark(setup = || make(9))] fn costly_to_make(numbers: Vec<u64>) -> u64 { work(&numbers[..50]) }
fn work(numbers: &[u64]) -> u64 { numbers.iter().copied().map(std::hint::black_box).sum() }
#[benchmark] fn once() -> u64 { work(&[1; 100]) }
#[benchmark] fn twice() -> u64 { once() + once() }
#[benchmark] fn fails() -> Result<(), &'static str> { Err(\"no\") }
#[benchmark(ignore)] fn left_out() {}
perfkit::bench_main!();
";
    let manifest = "[lib]\nbench = false\n[[bench]]\nname = \"speed\"\nharness = false\n";
    let files = [("Cargo.toml", manifest), ("src/lib.rs", ""), ("benches/speed.rs", source)];
    let krate = Crate::new("instructions", &files);
    let absent = Command::new(krate.program())
        .args(["--instructions", "once"])
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    Run::of("without valgrind", absent)
        .exits_with(101)
        .says(&["valgrind", "is not installed (`apt-get install valgrind`"]);
    if Command::new("valgrind").arg("--version").output().is_err() {
        return;
    }
    let count = || {
        let run =
            krate.cargo("bench --quiet --bench speed -- --instructions --format json", &[]).exits_with(101);
        let of = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let counts: Vec<_> = run.stdout.lines().map(of).collect();
        assert_eq!(counts.len(), 5, "{}", run.all());
        assert!(counts[4]["error"].as_str().unwrap().contains("`speed::fails`"), "{}", run.all());
        [0, 1, 2, 3].map(|place: usize| counts[place]["instructions"].as_f64().unwrap())
    };
    let (first, second) = (count(), count());
    for (one, other) in first.into_iter().zip(second) {
        assert!((one / other - 1.0).abs() < 0.001, "{first:?} {second:?}");
    }
    let [cheap, costly, once, twice] = first;
    // Making the one takes thousands more; freeing it takes some more, which the routine does.
    assert!(cheap > 50.0 && (costly - cheap).abs() < 100.0, "{first:?}");
    assert!((1.8..2.1).contains(&(twice / once)), "{first:?}");
}

/// What the README says of `cargo bench` is enough, and what is left out of it is told.
#[test]
fn a_benchmark_target_as_the_readme_has_it() {
    let readme = include_str!("../README.md");
    let block = |begins: &str| {
        let start = readme.find(begins).unwrap_or_else(|| panic!("the README has no `{begins}`"));
        &readme[start..start + readme[start..].find("```").unwrap()]
    };
    let (manifest, main) = (block("[[bench]]"), block("use my_crate as _;"));
    // A pure function that takes nothing: a compiler that may do so calls it once for a whole sample, and each call then takes no time.
    let source = format!(
        "{PROMISE}
#[perfkit::benchmark]
fn pure() -> u64 {{ mixed(7) }}
#[inline(never)]
fn mixed(seed: u64) -> u64 {{ (0..1000).fold(seed, |x, n| (x ^ (x << 13)).rotate_left(7) ^ n) }}
"
    );
    let source = source.as_str();
    let files = |manifest| [("Cargo.toml", manifest), ("src/lib.rs", source), ("benches/speed.rs", main)];
    let measured = Crate::new("my_crate", &files(manifest))
        .cargo("bench --bench speed", &[])
        .exits_with(0)
        .says(&["test my_crate::quick ... bench:", "2 measured"]);
    assert_ne!(measured.row("my_crate::pure")[1], "<", "{}", measured.all());
    Crate::new("my_crate", &files(&manifest.replace("harness = false", "")))
        .cargo("bench --bench speed", &[])
        .exits_with(101)
        .says(&["write `harness = false` below `[[bench]]` in Cargo.toml"]);
}
