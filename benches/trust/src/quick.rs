//! Whether a suite is over soon: fifty benchmarks of about a microsecond.

use std::time::Instant;

use crate::claim::{Claim, Effort};
use crate::program::Program;

pub(crate) fn section(_: Effort) -> Result<Vec<Claim>, String> {
    let claim = |what: &str, kind: &str, arguments: &[&str], most: f64| {
        let program = Program::build(&["build", "--release", kind, "fifty"])?;
        let start = Instant::now();
        let output = program.run(arguments, &[])?;
        let took = start.elapsed().as_secs_f64();
        if took > most {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(Claim {
            what: what.to_owned(),
            wanted: format!("at most {most} s"),
            counted: format!("{took:.1} s"),
            holds: output.status.success() && took <= most,
            others: Vec::new(),
        })
    };
    [
        claim("50 benchmarks as tests of libtest", "--test", &[], 5.0),
        claim("50 benchmarks of a benchmark target, tested", "--bench", &[], 5.0),
        claim("50 benchmarks, measured", "--bench", &["--bench"], 60.0),
    ]
    .into_iter()
    .collect()
}
