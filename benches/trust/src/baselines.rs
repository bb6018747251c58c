//! Whether a run that is compared with the runs before says "regression" or "improvement" of code that is the same, and whether it says it of code that is slower.

use std::{env, fs};

use crate::claim::{Claim, Effort};
use crate::program::Program;

/// Benchmarks of the program.
const BENCHMARKS: usize = 10;
/// What tells a program how many parts of its work to do.
const WORK: &str = "PERFKIT_TRUST_WORK";
/// Runs before the first verdict.
const FIRST: usize = 5;

pub(crate) fn section(effort: Effort) -> Result<Vec<Claim>, String> {
    let (runs, slower_runs, criterion_runs) = match effort {
        Effort::Quick => (2, 1, 1),
        // Half as many of criterion, each of which takes ten times as long.
        Effort::Full => (20, 5, 10),
    };
    let program = build("perfkit")?;
    let results = env::temp_dir().join(format!("perfkit-trust-baselines-{}", std::process::id()));
    let _ = fs::remove_dir_all(&results);
    let perfkit = |parts: &str, more: &[&str]| {
        let results = results.to_str().unwrap_or("perfkit-trust-baselines");
        program.says(&[&["--bench", "--results", results], more].concat(), &[(WORK, parts.to_owned())])
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
    let others = of_criterion(criterion_runs, results.join("criterion").display().to_string())?;
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

/// The ten under a harness.
fn build(name: &str) -> Result<Program, String> {
    Program::build(&["bench", "--no-run", "--features", "unlike", "--bench", name])
}

fn is_verdict(line: &str) -> bool {
    ["regression", "improvement"].iter().any(|verdict| line.trim_end().ends_with(verdict))
}

/// The same ten and the same question.
fn of_criterion(runs: usize, home: String) -> Result<Vec<(String, String)>, String> {
    // A fifth of the time that criterion takes by itself and a tenth of the resamples, or it would take half an hour.
    let arguments =
        ["--bench", "--noplot", "--warm-up-time", "0.5", "--measurement-time", "1", "--nresamples", "10000"];
    let program = build("criterion")?;
    let variables = [(WORK, String::from("10")), ("CRITERION_HOME", home)];
    let (mut alarms, mut compared) = (0, 0);
    for number in 0..=runs {
        let said = program.says(&arguments, &variables)?;
        if number > 0 {
            compared += said.matches("change:").count();
            alarms += said.matches("Performance has regressed").count();
            alarms += said.matches("Performance has improved").count();
        }
    }
    Ok(vec![("criterion (1 s)".to_owned(), counted(alarms, compared))])
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
