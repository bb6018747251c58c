//! Calls that keep memory are found, and those that only seem to are not: known cases of both kinds, run as benchmarks by the programs in `benches` and `tests`.
//!
//! Whether a case keeps memory stands in its name, `keep` or `keep_not`. It counts as found if the run fails and says that it leaks.

use std::path::PathBuf;
use std::process::Command;

use crate::claim::{Claim, Effort};

pub(crate) fn section(effort: Effort) -> Vec<Claim> {
    let runs = if effort == Effort::Quick { 1 } else { 20 };
    [
        ("counted in the process", Program::build(&["bench", "--bench", "leaks"], ": benchmark")),
        (
            "counted beside other tests",
            Program::build(&["test", "--release", "--test", "leaks_beside_others"], ": test"),
        ),
        ("by RSS, a megabyte a call", Program::build(&["bench", "--bench", "leaks_unheard"], ": benchmark")),
    ]
    .into_iter()
    .flat_map(|(how, program)| match program {
        Ok(program) => {
            vec![claim(&program, how, "::keep::", runs), claim(&program, how, "::keep_not::", runs)]
        }
        Err(error) => vec![broken(how, error)],
    })
    .collect()
}

/// Counts how often all cases of a module come out as they should.
fn claim(program: &Program, how: &str, module: &str, runs: u32) -> Claim {
    let keeps = module == "::keep::";
    let names: Vec<&String> = program.names.iter().filter(|name| name.contains(module)).collect();
    let mut right = 0;
    let mut wrong = Vec::new();
    for name in &names {
        let so_far = right;
        for _ in 0..runs {
            right += u32::from(program.finds(name) == Some(keeps));
        }
        if right - so_far < runs {
            wrong.push(format!("{name} {} of {runs}", right - so_far));
        }
    }
    let all = names.len() as u32 * runs;
    Claim {
        what: format!("{}, {how}", if keeps { "memory kept: found" } else { "memory not kept: passes" }),
        wanted: String::from("every time"),
        counted: format!("{right} of {all} ({} cases) {}", names.len(), wrong.join(", ")),
        holds: right == all && all > 0,
        others: Vec::new(),
    }
}

fn broken(how: &str, error: String) -> Claim {
    Claim {
        what: how.to_owned(),
        wanted: String::from("a program"),
        counted: error,
        holds: false,
        others: Vec::new(),
    }
}

/// A program of this package, with the names of its benchmarks that are left out unless asked for.
struct Program {
    path: PathBuf,
    names: Vec<String>,
}

impl Program {
    /// What `cargo` builds with these words; `suffix` is what a list says after a name.
    fn build(words: &[&str], suffix: &str) -> Result<Self, String> {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let output = Command::new(env!("CARGO"))
            .args(words)
            .args(["--no-run", "--message-format=json", "--quiet", "--manifest-path", manifest])
            .output()
            .map_err(|error| format!("cargo cannot be run: {error}"))?;
        let messages = String::from_utf8_lossy(&output.stdout);
        // The package's other programs are told of, too.
        let target = format!("\"name\":\"{}\"", words.last().unwrap_or(&""));
        let mut of_target = messages.lines().filter(|line| line.contains(&target));
        let path = of_target.find_map(|line| line.split_once("\"executable\":\"")?.1.split_once('"'));
        let Some((path, _)) = path else {
            return Err(format!("cargo built no program: {}", String::from_utf8_lossy(&output.stderr)));
        };
        let path = PathBuf::from(path);
        let list = Command::new(&path).args(["--list", "--ignored", "--format", "terse"]).output();
        let list = list.map_err(|error| format!("{} cannot be run: {error}", path.display()))?;
        let list = String::from_utf8_lossy(&list.stdout).into_owned();
        let names = list.lines().filter_map(|line| line.strip_suffix(suffix)).map(str::to_owned).collect();
        Ok(Program { path, names })
    }

    /// Whether a run of it says that the benchmark leaks; `None` where it says nothing clear.
    fn finds(&self, name: &str) -> Option<bool> {
        let output = Command::new(&self.path)
            .args(["--ignored", "--exact", "--nocapture", "--test-threads=2", name])
            .env_remove("NEXTEST")
            .output()
            .ok()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let says = text.contains("LEAK") || text.contains("grows:");
        match (output.status.success(), says) {
            (true, false) => Some(false),
            (false, true) if text.contains("` leaks") => Some(true),
            _ => None,
        }
    }
}
