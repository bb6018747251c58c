//! Whether a suite is over soon: fifty benchmarks of about a microsecond.

use std::time::Instant;

use crate::claim::{Claim, Effort};
use crate::others::Others;
use crate::program::Program;

pub(crate) fn section(effort: Effort) -> Result<Vec<Claim>, String> {
    let claim = |what: &str, kind: &str, arguments: &[&str], most: f64| {
        let program = Program::build(&["build", "--release", kind, "fifty"])?;
        let start = Instant::now();
        let output = program.run(arguments, &[])?;
        let took = start.elapsed().as_secs_f64();
        if took > most {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok::<_, String>(Claim {
            what: what.to_owned(),
            wanted: format!("at most {most} s"),
            counted: format!("{took:.1} s"),
            holds: output.status.success() && took <= most,
            others: Vec::new(),
        })
    };
    let as_tests = claim("50 benchmarks as tests of libtest", "--test", &[], 5.0)?;
    let mut tested = claim("50 benchmarks of a benchmark target, tested", "--bench", &[], 5.0)?;
    let mut measured = claim("50 benchmarks, measured", "--bench", &["--bench"], 60.0)?;
    if let Some(Others { criterion, divan }) = Others::build(effort)? {
        let said = |name: &str, counted: String| (name.to_owned(), counted);
        tested.others = vec![
            said("criterion", format!("{:.2} s", seconds(&criterion, &["--test", "fifty/"])?)),
            said("divan", format!("{:.2} s", seconds(&divan, &["--test", "fifty"])?)),
        ];
        // All of them would take most of ten minutes.
        let five = seconds(&criterion, &["--bench", "--noplot", "--discard-baseline", "fifty/a/"])?;
        measured.others = vec![
            said("criterion", format!("{:.0} s, ten times what 5 of them took", 10.0 * five)),
            said("divan", format!("{:.2} s", seconds(&divan, &["--bench", "fifty"])?)),
        ];
    }
    Ok(vec![as_tests, tested, measured])
}

/// What a run takes that ends well.
fn seconds(program: &Program, arguments: &[&str]) -> Result<f64, String> {
    let start = Instant::now();
    program.says(arguments, &[])?;
    Ok(start.elapsed().as_secs_f64())
}
