//! What `cargo perfkit compare` claims: equal code is called equal, and slower code slower.
//!
//! The real program compares two copies of one bench target (`benches/ten.rs`), of which the second is told to do so and so many percent more work. A verdict on each of
//! its ten benchmarks is one piece of evidence. Tango is asked the same. All of it takes about forty minutes where eleven processes share two processors, and half
//! of that on a quiet machine.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::claim::{Claim, Effort};
use crate::program::Program;
use crate::tango::Tango;

/// What tells a program how many percent more to do.
pub(crate) const MORE: &str = "PERFKIT_TRUST_MORE";

/// Percent more work, comparisons of the ten, and the percentage that is to be found: at most where there is nothing to find, else at least.
const CASES: [(u32, usize, usize); 4] = [(0, 10, 1), (3, 6, 80), (5, 6, 95), (10, 6, 99)];

/// Comparisons of the ten that tango makes of each.
const OF_TANGO: usize = 2;

/// Verdicts on benchmarks with the same true difference.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) slower: usize,
    pub(crate) faster: usize,
    same: usize,
    pub(crate) undecided: usize,
    /// Those of which nothing was said.
    pub(crate) unanswered: usize,
    seconds: f64,
}

impl Count {
    fn all(&self) -> usize {
        self.slower + self.faster + self.same + self.undecided
    }
}

pub(crate) fn section(effort: Effort) -> Result<Vec<Claim>, String> {
    let programs = Programs::build()?;
    let mut claims = Vec::new();
    let tango = match effort {
        Effort::Quick => None,
        Effort::Full => Some(Tango::build(&programs.scratch)?),
    };
    for (more, comparisons, percent) in CASES {
        let mut count = Count::default();
        let mut other = Count::default();
        let comparisons = if effort == Effort::Quick { 1 } else { comparisons };
        for comparison in 1..=comparisons {
            programs.compare(more, effort, &mut count)?;
            eprintln!("  {more} % more work: comparison {comparison} of {comparisons}, {count:?}");
        }
        if let Some(tango) = &tango {
            for _ in 0..OF_TANGO {
                tango.compare(more, &mut other)?;
            }
            eprintln!("  {more} % more work: tango, {other:?}");
        }
        claims.extend(claims_about(more, percent, &count, &other));
    }
    Ok(claims)
}

fn claims_about(more: u32, percent: usize, count: &Count, other: &Count) -> Vec<Claim> {
    let all = count.all();
    let of = |number: usize| format!("{number} of {all}");
    let unanswered = match other.unanswered {
        0 => String::new(),
        number => format!(", {number} more without an answer"),
    };
    let claim = |what: String, wanted: &str, counted: String, holds: bool, of_other: usize| Claim {
        what,
        wanted: wanted.to_owned(),
        counted,
        holds,
        others: match other.all() {
            0 => Vec::new(),
            all => vec![(String::from("tango (1 s)"), format!("{of_other} of {all}{unanswered}"))],
        },
    };
    let each = format!("{:.1} s each", count.seconds / all.max(1) as f64);
    if more == 0 {
        let wrong = count.slower + count.faster;
        let undecided = count.undecided;
        return vec![claim(
            String::from("the same code: called slower or faster"),
            &format!("at most {percent} %"),
            format!("{}, {undecided} undecided, {each}", of(wrong)),
            wrong * 100 <= all * percent,
            other.slower + other.faster,
        )];
    }
    vec![
        claim(
            format!("a true slowdown of {more} %: found"),
            &format!("at least {percent} %"),
            format!("{}, {} undecided, {each}", of(count.slower), count.undecided),
            count.slower * 100 >= all * percent,
            other.slower,
        ),
        claim(
            format!("a true slowdown of {more} %: called an improvement"),
            "never",
            of(count.faster),
            count.faster == 0,
            other.faster,
        ),
    ]
}

/// What is run.
#[derive(Debug)]
struct Programs {
    compare: Program,
    /// Two copies, because what differs between two files with the same code is to be part of it.
    copies: [PathBuf; 2],
    scratch: PathBuf,
}

impl Programs {
    fn build() -> Result<Self, String> {
        let compare = Program::build(&["build", "--release", "-p", "cargo-perfkit"])?;
        let ten = Program::build(&["bench", "--no-run", "--bench", "ten"])?;
        let scratch = std::env::temp_dir().join(format!("perfkit-trust-{}", std::process::id()));
        let copies = [scratch.join("base"), scratch.join("new")];
        let written = fs::create_dir_all(&scratch)
            .and_then(|()| copies.iter().try_for_each(|copy| fs::copy(ten.path(), copy).map(drop)));
        written.map_err(|error| format!("{} cannot be copied: {error}", ten.path().display()))?;
        Ok(Programs { compare, copies, scratch })
    }

    fn compare(&self, more: u32, effort: Effort, count: &mut Count) -> Result<(), String> {
        let json = self.scratch.join("report.json");
        let [base, new] = &self.copies;
        let mut command = Command::new(self.compare.path());
        command.args(["perfkit", "compare", "--no-instructions", "--json"]).arg(&json);
        command.arg("--executables").args([base, new]);
        command.env(MORE, "0").args(["--new-env", &format!("{MORE}={more}")]);
        if effort == Effort::Quick {
            command.args(["--exact", "--max-time", "5", "--", "ten::hash", "ten::sort"]);
        }
        let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        let report = fs::read(&json).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        let report = report.ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        for benchmark in report["benchmarks"].as_array().into_iter().flatten() {
            let counter = match benchmark["verdict"].as_str() {
                Some("slower") => &mut count.slower,
                Some("faster") => &mut count.faster,
                Some("same") => &mut count.same,
                Some("undecided") => &mut count.undecided,
                _ => return Err(benchmark.to_string()),
            };
            *counter += 1;
            count.seconds += benchmark["seconds"].as_f64().unwrap_or(0.0);
            let is_wrong = benchmark["verdict"] != if more == 0 { "same" } else { "slower" };
            if is_wrong {
                let [ratio, low, high] =
                    ["ratio", "low", "high"].map(|name| benchmark[name].as_f64().unwrap_or(f64::NAN));
                eprintln!(
                    "    {} {}: {ratio:.4} ({low:.4} to {high:.4})",
                    benchmark["name"], benchmark["verdict"]
                );
            }
        }
        Ok(())
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.scratch);
    }
}
