//! Calls that keep memory are found, and those that only seem to are not: known cases of both kinds, run as benchmarks by the programs in `benches` and `tests`.
//!
//! Whether a case keeps memory stands in its name, `keep` or `keep_not`. It counts as found if the run fails and says that it leaks.

use crate::claim::{Claim, Effort};
use crate::program::Program;

pub(crate) fn section(effort: Effort) -> Result<Vec<Claim>, String> {
    let runs = if effort == Effort::Quick { 1 } else { 20 };
    let programs = [
        ("counted in the process", Cases::build(&["bench", "--no-run", "--bench", "leaks"], ": benchmark")?),
        (
            "counted beside other tests",
            Cases::build(&["test", "--release", "--no-run", "--test", "leaks_beside_others"], ": test")?,
        ),
        (
            "by RSS, a megabyte a call",
            Cases::build(&["bench", "--no-run", "--bench", "leaks_unheard"], ": benchmark")?,
        ),
    ];
    let mut claims = Vec::new();
    for (how, cases) in &programs {
        for module in ["::keep::", "::keep_not::"] {
            claims.push(claim(cases, how, module, runs)?);
        }
    }
    Ok(claims)
}

/// Counts how often all cases of a module come out as they should.
fn claim(cases: &Cases, how: &str, module: &str, runs: u32) -> Result<Claim, String> {
    let keeps = module == "::keep::";
    let names: Vec<&String> = cases.names.iter().filter(|name| name.contains(module)).collect();
    let mut right = 0;
    let mut wrong = Vec::new();
    for name in &names {
        let so_far = right;
        for _ in 0..runs {
            right += u32::from(cases.finds(name)? == Some(keeps));
        }
        if right - so_far < runs {
            wrong.push(format!("{name} {} of {runs}", right - so_far));
        }
    }
    let all = names.len() as u32 * runs;
    Ok(Claim {
        what: format!("{}, {how}", if keeps { "memory kept: found" } else { "memory not kept: passes" }),
        wanted: String::from("every time"),
        counted: format!("{right} of {all} ({} cases) {}", names.len(), wrong.join(", ")),
        holds: right == all && all > 0,
        others: Vec::new(),
    })
}

/// A program, and the names of its benchmarks that are left out unless asked for.
struct Cases {
    program: Program,
    names: Vec<String>,
}

impl Cases {
    /// What `cargo` builds with these words; `suffix` is what a list says after a name.
    fn build(words: &[&str], suffix: &str) -> Result<Self, String> {
        let program = Program::build(words)?;
        let list = program.run(&["--list", "--ignored", "--format", "terse"], &[])?;
        let list = String::from_utf8_lossy(&list.stdout).into_owned();
        let names = list.lines().filter_map(|line| line.strip_suffix(suffix)).map(str::to_owned).collect();
        Ok(Cases { program, names })
    }

    /// Whether a run of it says that the benchmark leaks; `None` where it says nothing clear.
    fn finds(&self, name: &str) -> Result<Option<bool>, String> {
        let arguments = ["--ignored", "--exact", "--nocapture", "--test-threads=2", name];
        let output = self.program.run(&arguments, &[])?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let says = text.contains("LEAK") || text.contains("grows:");
        Ok(match (output.status.success(), says) {
            (true, false) => Some(false),
            (false, true) if text.contains("` leaks") => Some(true),
            _ => None,
        })
    }
}
