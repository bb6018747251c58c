//! Whether the harness keeps what it says. Each section runs the real thing, as a user would, as often as its claim needs, and counts; nothing
//! here is computed from a model, and no section may know how the harness comes to its answers.
//!
//! `cargo run --release -p perfkit-trust` runs all, which takes more than an hour; names choose sections, `--quick` runs each just often enough to show
//! that it works.

mod baselines;
mod claim;
mod compare;
mod complexity;
mod leaks;
mod measuring;
mod others;
mod program;
mod quick;
mod tango;
mod targets;

use std::process::ExitCode;

use claim::{Claim, Effort};

type Section = (&'static str, fn(Effort) -> Result<Vec<Claim>, String>);

/// What there is, by name.
const SECTIONS: &[Section] = &[
    ("measuring", measuring::section),
    ("targets", targets::section),
    ("complexity", complexity::section),
    ("leaks", leaks::section),
    ("baselines", baselines::section),
    ("quick", quick::section),
    ("compare", compare::section),
];

/// Sections of which others have nothing: they judge no target, know no class and let calls keep what they like.
const ALONE: [&str; 3] = ["targets", "complexity", "leaks"];

fn main() -> ExitCode {
    let mut effort = Effort::Full;
    let mut wanted = Vec::new();
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "--quick" => effort = Effort::Quick,
            name if SECTIONS.iter().any(|section| section.0 == name) => wanted.push(word),
            other => {
                let known: Vec<_> = SECTIONS.iter().map(|section| section.0).collect();
                eprintln!("trust: no section `{other}`; there are {}", known.join(", "));
                return ExitCode::FAILURE;
            }
        }
    }
    let mut broken = 0;
    for (name, section) in SECTIONS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        println!("\n{name}");
        for claim in section(effort).unwrap_or_else(|error| vec![Claim::of_nothing(error)]) {
            println!("{claim}");
            broken += u32::from(!claim.holds);
        }
        if ALONE.contains(name) {
            println!("  criterion, divan, tango: cannot");
        }
    }
    if broken == 0 || effort == Effort::Quick { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
