//! Saved results, baselines, `perfkit.toml` and criterion as a user meets them: crates outside of the workspace, with the features `bench` and `criterion`, run by
//! the real cargo. What is asserted is what is said and which files there are, never how long something takes.

mod crates;

use std::fs;
use std::path::{Path, PathBuf};

use crates::Crate;
use crates::run::Run;

const MANIFEST: &str = "[lib]\nbench = false\n[[bench]]\nname = \"speed\"\nharness = false\n";
const MAIN: &str = "use NAME as _;\nperfkit::bench_main!();\n";
const SOURCE: &str = "
use perfkit::benchmark;
#[benchmark(target_ms = 1)] pub fn quick() -> u64 { (0..1000).map(std::hint::black_box).sum() }
#[benchmark(args = [10, 20])] fn sum(n: u64) -> u64 { (0..n).map(std::hint::black_box).sum() }
";

/// A crate whose benchmarks have these features of perfkit.
fn with_features(name: &str, features: &str, files: &[(&str, &str)]) -> Crate {
    let perfkit = env!("CARGO_MANIFEST_DIR");
    let manifest = format!(
        "[dev-dependencies]\nperfkit = {{ path = {perfkit:?}, features = [{features}] }}\n{MANIFEST}"
    );
    let main = MAIN.replace("NAME", name);
    let usual = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", SOURCE), ("benches/speed.rs", &main)];
    Crate::new(name, &[&usual, files].concat())
}

/// Few samples: nothing here is about how long something takes.
fn bench(krate: &Crate, options: &str) -> Run {
    krate.cargo(&format!("bench --quiet --bench speed -- --iterations 20 --warmup 10 {options}"), &[])
}

fn saved(krate: &Crate) -> Vec<PathBuf> {
    let name = krate.0.file_name().unwrap().to_str().unwrap();
    let directory = krate.0.join("saved/runs").join(format!("{name}-speed"));
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn runs_are_saved_and_compared() {
    let krate = with_features("saving", "\"bench\"", &[]);
    bench(&krate, "").exits_with(0).says_not("Compared with");
    bench(&krate, "").exits_with(0).says(&["Compared with the last run on this machine", "too few runs"]);
    bench(&krate, "--no-save").exits_with(0).says(&["Compared with the middle one of the last 2 runs"]);
    // Neither tests nor lines of JSON are disturbed by it.
    krate.cargo("test --quiet --bench speed", &[]).exits_with(0).says_not("Compared with");
    bench(&krate, "--format json --no-save").exits_with(0).says_not("Compared with");
    let saved = saved(&krate);
    assert_eq!(saved.len(), 2, "{saved:?}");
    let run: serde_json::Value = serde_json::from_slice(&fs::read(&saved[0]).unwrap()).unwrap();
    assert_eq!(
        (&run["format"], &run["schema"], &run["mode"]),
        (&"perfkit-run".into(), &1.into(), &"measure".into())
    );
    assert_eq!(run["program"], "saving-speed");
    assert_eq!(run["build"]["profile"], "release");
    assert!(run["build"]["rustc"].as_str().unwrap().starts_with("rustc 1."), "{run}");
    let names: Vec<_> =
        run["benchmarks"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["saving::quick", "saving::sum/10", "saving::sum/20"]);
    let first = &run["benchmarks"][0];
    assert_eq!((first["samples"].as_array().unwrap().len(), &first["target"]), (20, &1e6.into()));
    assert_eq!(
        (&first["file"], &first["line"], &first["verdict"]),
        (&"src/lib.rs".into(), &3.into(), &"met".into())
    );
}

#[test]
fn baselines() {
    let krate = with_features("baselines", "\"bench\"", &[]);
    bench(&krate, "--list-baselines")
        .exits_with(0)
        .says(&["no baselines in", "`--save-baseline NAME` makes one"]);
    bench(&krate, "--baseline main")
        .exits_with(101)
        .says(&["error: there is no baseline `main` of baselines-speed (there are none"])
        .says_not("running");
    bench(&krate, "--save-baseline main").exits_with(0);
    bench(&krate, "--baseline main").exits_with(0).says(&["Compared with the baseline main", "too few runs"]);
    bench(&krate, "--list-baselines").exits_with(0).says(&["main: baselines-speed"]);
    bench(&krate, "--baseline mains").exits_with(101).says(&["did you mean `main`? (there are: main)"]);
    bench(&krate, "--save-baseline ../main").exits_with(101).says(&["cannot be the name of a baseline"]);
    // What the new one no longer has is told.
    bench(&krate, "--save-baseline main quick")
        .exits_with(0)
        .says(&["the baseline `main` no longer has `baselines::sum/10`, `baselines::sum/20`"]);
    let path = krate.0.join("saved/baselines/main/baselines-speed.json");
    let whole = fs::read_to_string(&path).unwrap();
    // Of another machine.
    let mut other: serde_json::Value = serde_json::from_str(&whole).unwrap();
    other["machine"]["cpu"] = "Z80".into();
    fs::write(&path, other.to_string()).unwrap();
    bench(&krate, "--baseline main --no-save")
        .exits_with(0)
        .says(&["the baseline `main` is of another machine (Z80, ", "so nothing is compared with it"])
        .says_not("verdict  regression");
    // Far quicker then, so that everything is a high regression: told, and the run does not fail.
    let mut quicker: serde_json::Value = serde_json::from_str(&whole).unwrap();
    for benchmark in quicker["benchmarks"].as_array_mut().unwrap() {
        benchmark["samples"] = vec![1.0; 20].into();
        benchmark["summary"]["median"] = 1.0.into();
        benchmark["summary"]["best"] = 1.0.into();
        benchmark["earlier"] = (0..9).map(|_| serde_json::json!({ "median": 1.0, "best": 1.0 })).collect();
    }
    fs::write(&path, quicker.to_string()).unwrap();
    bench(&krate, "--baseline main --strict")
        .exits_with(0)
        .says(&["high regression", "inform and fail nothing"]);
    // Broken, foreign, newer: named before anything is measured, and left as they are.
    for (text, message) in [
        (&whole[..whole.len() / 2], "is broken (EOF"),
        ("{}", "is not a run that perfkit saved"),
        (&whole.replace("\"schema\":1", "\"schema\":9"), "is of a newer perfkit (schema 9"),
    ] {
        fs::write(&path, text).unwrap();
        for how in ["--baseline main", "--save-baseline main"] {
            let message = format!("error: {} {message}", path.display());
            bench(&krate, how).exits_with(101).says(&[&message]).says_not("running");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    // One of the history is told of, and left out.
    let first = &saved(&krate)[0];
    fs::write(first, "").unwrap();
    let message = format!("{} is broken (EOF", first.display());
    bench(&krate, "").exits_with(0).says(&[&message]);
    bench(&krate, "--strict").exits_with(101).says(&[&format!("error: {message}")]);
    assert!(fs::read(first).unwrap().is_empty());
}

#[test]
fn the_file() {
    let file = "[targets]\n\"configured::quick\" = \"1 ns\"\n\"configured::quik\" = \"1 s\"\n[defaults]\niterations = 7\n";
    let krate = with_features("configured", "\"bench\"", &[("perfkit.toml", file)]);
    let bench =
        |options: &str| krate.cargo(&format!("bench --quiet --bench speed -- --warmup 10 {options}"), &[]);
    bench("").exits_with(101).says(&[
        "`configured::quick` missed its target of 1.00 ns (perfkit.toml, instead of 1.00 ms)",
        "targets that are not from an attribute: configured::quick (perfkit.toml, instead of 1.00 ms)",
        "perfkit.toml has a target for `configured::quik`, and there is no such benchmark; did you mean `configured::quick`?",
    ]);
    // The tests of libtest go by it, too.
    krate
        .cargo("test --release --lib", &[])
        .exits_with(101)
        .says(&["missed its target of 1.00 ns (perfkit.toml"]);
    let samples = |run: &Path| {
        let run: serde_json::Value = serde_json::from_slice(&fs::read(run).unwrap()).unwrap();
        run["benchmarks"][1]["samples"].as_array().unwrap().len()
    };
    assert_eq!(samples(saved(&krate).last().unwrap()), 7);
    krate.cargo("bench --quiet --bench speed -- sum", &[("PERFKIT_ITERATIONS", "9")]).exits_with(0);
    bench("sum --suite-timeout 1ns").exits_with(101).says(&["the time for all benchmarks (1ns) was over"]);
    bench("sum --strict").exits_with(101).says(&["error: perfkit.toml has a target for `configured::quik`"]);
    fs::write(krate.0.join("perfkit.toml"), "[suit]\ntimeout = 3\n").unwrap();
    let unknown = "perfkit.toml:1:2: there is no `suit` here; did you mean `suite`?";
    bench("").exits_with(101).says(&[unknown]).says_not("running");
    krate.cargo("test --lib", &[]).exits_with(101).says(&[unknown]);
    fs::write(krate.0.join("perfkit.toml"), "strict = true\n[default_targets]\nmemory_idle = \"1kB\"\n")
        .unwrap();
    bench("sum")
        .exits_with(101)
        .says(&["configured::sum/10 (the default of strict mode)", "`memory_idle` is 1000 B"]);
}

/// Counts are saved beside times, and a baseline of them fails where there are more.
#[test]
fn instructions_are_saved_and_more_of_them_fail() {
    if std::process::Command::new("valgrind").arg("--version").output().is_err() {
        return;
    }
    let source = |rounds: u64| {
        format!(
            "use perfkit::benchmark;
#[benchmark] pub fn steady() -> u64 {{ (0..1000).map(std::hint::black_box).sum() }}
#[benchmark] fn revised() -> u64 {{ (0..{rounds}).map(std::hint::black_box).sum() }}
"
        )
    };
    let krate = with_features("instructed", "\"bench\"", &[("src/lib.rs", &source(1000))]);
    let count =
        |options: &str| krate.cargo(&format!("bench --quiet --bench speed -- --instructions {options}"), &[]);
    count("--baseline main").exits_with(101).says(&[
        "error: of what `--instructions` counted, there is no baseline `main` of instructed-speed (there are none",
    ]);
    // The times of the same name stay.
    bench(&krate, "--save-baseline main").exits_with(0);
    count("--save-baseline main").exits_with(0).says(&["instructions"]).says_not("change");
    bench(&krate, "--baseline main --no-save").exits_with(0).says(&["Compared with the baseline main"]);
    assert_eq!(saved(&krate).len(), 1);
    bench(&krate, "--list-baselines")
        .exits_with(0)
        .says(&["main: instructed-speed", "main (instructions): instructed-speed"]);
    let path = krate.0.join("saved/instructions/baselines/main/instructed-speed.json");
    let whole = fs::read_to_string(&path).unwrap();
    let run: serde_json::Value = serde_json::from_str(&whole).unwrap();
    assert_eq!((&run["mode"], &run["schema"]), (&"instructions".into(), &1.into()));
    let first = &run["benchmarks"][0];
    assert!(first["name"] == "instructed::steady" && first["samples"].is_null(), "{whole}");
    assert!(first["instructions"].as_f64().is_some_and(|count| count > 1_000.0), "{whole}");

    // The same code.
    count("--baseline main").exits_with(0).says(&["before: the baseline main", "change"]).says_not("MORE");
    let json = count("--baseline main --format json").exits_with(0).says(&["\"before\": ", "\"change\": "]);
    assert!(!json.all().contains("error"), "{}", json.all());
    // A revision that does 3 % more.
    fs::write(krate.0.join("src/lib.rs"), source(1030)).unwrap();
    let more = "error: `instructed::revised` takes ";
    count("--baseline main --no-save")
        .exits_with(101)
        .says(&["MORE", more, "in the baseline main", "where +1.00 % is let pass"])
        .says_not("`instructed::steady` takes");
    count("--baseline main --no-save --format json").exits_with(101).says(&[more]);
    count("--baseline main --no-save --fail-above 5%").exits_with(0).says(&["change"]).says_not("MORE");
    fs::write(krate.0.join("perfkit.toml"), "[baseline]\ninstructions = 5\n").unwrap();
    count("--baseline main --no-save").exits_with(0).says_not("MORE");
    count("--baseline main --no-save --fail-above 2%").exits_with(101).says(&[more]);
    fs::remove_file(krate.0.join("perfkit.toml")).unwrap();
    // Without a baseline the last run is what there is, and that informs.
    count("revised").exits_with(0).says(&["before: the last run", "more: this informs"]);
    count("revised").exits_with(0).says(&["before: the last run"]).says_not("more: this informs");
    // Of another kind of processor nothing fails.
    let mut other = run;
    other["machine"]["cpu"] = "Z80".into();
    fs::write(&path, other.to_string()).unwrap();
    count("--baseline main --no-save").exits_with(0).says(&[
        "nothing fails",
        "the baseline is of Z80",
        "more",
    ]);
    // What cannot be.
    bench(&krate, "--fail-above 5%").exits_with(101).says(&["`--fail-above` goes with `--instructions`"]);
    count("--fail-above 0.05 --baseline main").exits_with(101).says(&["takes a percentage such as 5%"]);
    bench(&krate, "--counters --save-baseline main")
        .exits_with(101)
        .says(&["what `--counters` reads is not saved and compared with nothing"]);
}

/// Without the feature nothing is passed over in silence.
#[test]
fn without_the_feature() {
    let krate = with_features("bare", "", &[("perfkit.toml", "strict = true\n")]);
    let file = krate.0.join("perfkit.toml");
    let message =
        format!("{} was not read, because perfkit's feature `bench` is off: in Cargo.toml", file.display());
    krate.cargo("test --bench speed", &[]).exits_with(0).says(&[&message, "features = [\"bench\"]"]);
    krate.cargo("test --lib", &[]).exits_with(0).says(&[&message]);
    fs::remove_file(file).unwrap();
    krate.cargo("test --bench speed", &[]).exits_with(0).says_not("perfkit.toml");
    krate
        .cargo("bench --bench speed -- --save-baseline main", &[])
        .exits_with(101)
        .says(&["Option '--save-baseline' needs perfkit's feature `bench`: in Cargo.toml"]);
    assert!(saved(&krate).is_empty());
}

#[test]
fn under_criterion() {
    let plots = "
use plotted as _;
use perfkit::criterion::{criterion_group, criterion_main, Criterion};
#[perfkit::benchmark] fn panics() { panic!(\"on purpose\") }
#[perfkit::benchmark] fn fails() -> Result<(), String> { Err(String::from(\"no\")) }
#[perfkit::benchmark] fn last(bencher: &mut perfkit::Bencher) {
    bencher.iter_batched(|| vec![3, 1, 2], |mut numbers| { numbers.sort(); numbers });
}
#[perfkit::benchmark(ignore)] fn left_out() {}
criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(ms(10)).measurement_time(ms(50));
    targets = perfkit::criterion::all
}
fn ms(ms: u64) -> std::time::Duration { std::time::Duration::from_millis(ms) }
criterion_main!(benches);
";
    let krate = with_features("plotted", "\"criterion\"", &[("benches/speed.rs", plots)]);
    let output = krate.0.join("criterion");
    let home = [("CRITERION_HOME", output.to_str().unwrap())];
    krate
        .cargo("bench --bench speed", &home)
        .exits_with(101)
        .says(&[
            "plotted::quick",
            "2 failed:",
            "`speed::panics` panicked: on purpose",
            "`speed::fails` returned an error: \"no\"",
        ])
        .says_not("left_out");
    for benchmark in ["plotted__quick", "plotted__sum_10", "plotted__sum_20", "speed__last"] {
        for file in ["report/index.html", "new/estimates.json"] {
            let path = output.join(benchmark).join(file);
            assert!(path.is_file(), "{}", path.display());
        }
    }
    krate.cargo("bench --bench speed -- quick", &home).says(&["plotted::quick"]);
}
