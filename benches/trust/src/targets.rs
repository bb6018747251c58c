//! Whether a target that is kept ever fails on a busy machine, and whether one that is broken always does.

use perfkit_trust::work::{Kind, UNITS, cost_of_a_unit};

use crate::claim::{Claim, Effort};
use crate::program::{Busy, Program, events};

/// The targets in `benches/targets.rs`, in nanoseconds.
const TARGETS: [(Kind, f64); 3] =
    [(Kind::Arithmetic, 10e3), (Kind::Memory, 500e3), (Kind::Allocation, 100e3)];

pub(crate) fn section(effort: Effort) -> Result<Vec<Claim>, String> {
    let (runs, failing) = if effort == Effort::Quick { (3, 1) } else { (200, 20) };
    let program = Program::build(&["build", "--release", "--bench", "targets"])?;
    // Before anything else is busy.
    let costs: Vec<f64> = TARGETS.iter().map(|(kind, target)| cost_of_a_unit(*kind, *target)).collect();
    let _busy = Busy::begin()?;
    let mut claims = Vec::new();
    for (share, runs, wanted) in [(0.9, runs, "never"), (1.3, failing, "always")] {
        let units: Vec<String> = TARGETS
            .iter()
            .zip(&costs)
            .map(|((_, target), cost)| ((share * target / cost).round() as u64).to_string())
            .collect();
        let mut failed = [0; TARGETS.len()];
        for _ in 0..runs {
            let output = program.run(&["--format", "json"], &[(UNITS, units.join(","))])?;
            for event in events(&output.stdout).filter(|event| event["event"] == "failed") {
                for ((kind, _), failed) in TARGETS.iter().zip(&mut failed) {
                    *failed += usize::from(event["name"] == format!("targets::{kind:?}").to_lowercase());
                }
                // The run itself fails, too, and says nothing.
                if let Some(said) = event["stdout"].as_str().filter(|_| wanted == "never") {
                    println!("    false: {}", said.trim());
                }
            }
        }
        let each: Vec<String> =
            TARGETS.iter().zip(failed).map(|((kind, _), failed)| format!("{kind:?} {failed}")).collect();
        let failed: usize = failed.iter().sum();
        let all = runs * TARGETS.len();
        claims.push(Claim {
            what: format!("a cost of {:.0} % of its target fails", 100.0 * share),
            wanted: wanted.to_owned(),
            counted: format!("{failed} of {all} in {runs} runs, another core busy ({})", each.join(", ")),
            holds: if wanted == "never" { failed == 0 } else { failed == all },
            others: Vec::new(),
        });
    }
    Ok(claims)
}
