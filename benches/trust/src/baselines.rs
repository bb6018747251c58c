//! Whether a run that is compared with the runs before says "regression" or "improvement" of code that is the same, and whether it says it of code that is slower.

use std::path::Path;
use std::{env, fs};

use crate::claim::{Claim, Effort};
use crate::program::cargo;

/// Benchmarks of the program.
const BENCHMARKS: usize = 10;
/// Runs before the first verdict.
const FIRST: usize = 5;

pub(crate) fn section(effort: Effort) -> Result<Vec<Claim>, String> {
    let (runs, slower_runs, criterion_runs) = match effort {
        Effort::Quick => (2, 1, 1),
        // Half as many of criterion, each of which takes ten times as long.
        Effort::Full => (20, 5, 10),
    };
    let results = env::temp_dir().join(format!("perfkit-trust-baselines-{}", std::process::id()));
    let _ = fs::remove_dir_all(&results);
    let perfkit = |parts: &str, more: &[&str]| {
        let mut arguments = vec!["--results", results.to_str().unwrap_or("perfkit-trust-baselines")];
        arguments.extend(more);
        run("perfkit", parts, &results, &arguments)
    };
    let mut alarms = Vec::new();
    for number in 0..FIRST + runs {
        let said = perfkit("10", &[])?;
        if number >= FIRST {
            alarms.extend(said.lines().filter(|line| is_verdict(line)).map(str::to_owned));
        }
    }
    let mut found = 0;
    for _ in 0..slower_runs {
        let said = perfkit("16", &["--no-save"])?;
        found += said.lines().filter(|line| line.ends_with("regression")).count();
    }
    let others = of_criterion(criterion_runs, &results)?;
    let _ = fs::remove_dir_all(&results);
    for alarm in &alarms {
        println!("    false: {alarm}");
    }
    Ok(vec![
        share(
            "the same code, told to be slower or quicker",
            alarms.len(),
            runs * BENCHMARKS,
            Wanted::AtMost(1.0),
            others,
        ),
        share("60 % slower, told", found, slower_runs * BENCHMARKS, Wanted::AtLeast(90.0), Vec::new()),
    ])
}

fn is_verdict(line: &str) -> bool {
    ["regression", "improvement"].iter().any(|verdict| line.trim_end().ends_with(verdict))
}

/// The same ten and the same question.
fn of_criterion(runs: usize, results: &Path) -> Result<Vec<(String, String)>, String> {
    // A fifth of the time that criterion takes by itself and a tenth of the resamples, or it would take half an hour.
    let arguments = ["--noplot", "--warm-up-time", "0.5", "--measurement-time", "1", "--nresamples", "10000"];
    let (mut alarms, mut compared) = (0, 0);
    for number in 0..=runs {
        let said = run("criterion", "10", results, &arguments)?;
        if number > 0 {
            compared += said.matches("change:").count();
            alarms += said.matches("Performance has regressed").count();
            alarms += said.matches("Performance has improved").count();
        }
    }
    Ok(vec![("criterion (1 s)".to_owned(), counted(alarms, compared))])
}

/// What a benchmark target of this package prints.
fn run(target: &str, parts: &str, results: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = cargo(&["bench", "--quiet", "--features", "unlike", "--bench", target, "--"]);
    command.args(arguments);
    command.env("PERFKIT_TRUST_WORK", parts).env("CRITERION_HOME", results.join("criterion"));
    let output = command.output().map_err(|error| format!("cargo bench cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(format!("cargo bench --bench {target}\n{text}\n{errors}"))
    }
}

#[derive(Clone, Copy)]
enum Wanted {
    AtMost(f64),
    AtLeast(f64),
}

fn share(what: &str, count: usize, of: usize, wanted: Wanted, others: Vec<(String, String)>) -> Claim {
    let percent = 100.0 * count as f64 / of.max(1) as f64;
    let (wanted, holds) = match wanted {
        Wanted::AtMost(most) => (format!("at most {most} %"), percent <= most),
        Wanted::AtLeast(least) => (format!("at least {least} %"), percent >= least),
    };
    Claim { what: what.to_owned(), wanted, counted: counted(count, of), holds, others }
}

fn counted(count: usize, of: usize) -> String {
    format!("{count} of {of}, {:.1} %", 100.0 * count as f64 / of.max(1) as f64)
}
