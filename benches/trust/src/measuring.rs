//! Whether work of a known cost reads as what it costs.

use perfkit_trust::work::{Kind, UNITS, cost_of_a_unit, cost_of_lanes};

use crate::claim::{Claim, Effort};
use serde_json::Value;

use crate::program::{Program, events};

/// How far a reading may be off.
const OFF: f64 = 0.03;

pub(crate) fn section(effort: Effort) -> Result<Vec<Claim>, String> {
    let runs = if effort == Effort::Quick { 2 } else { 20 };
    let program = Program::build(&["build", "--release", "--bench", "measuring"])?;
    let (mut nothing, mut truths) = (0, Vec::new());
    // By benchmark: how far the medians and the bests are off.
    let mut off = [const { (Vec::new(), Vec::new()) }; 3];
    // A microsecond's worth.
    let units = (1e3 / cost_of_a_unit(Kind::Arithmetic, 1e5)).round();
    for _ in 0..runs {
        let before = (cost_of_lanes(), cost_of_a_unit(Kind::Arithmetic, 1e5));
        let output = program.run(&["--bench", "--format", "json"], &[(UNITS, units.to_string())])?;
        let truth = before.0.min(cost_of_lanes());
        let microsecond = units * before.1.min(cost_of_a_unit(Kind::Arithmetic, 1e5));
        truths.push(truth);
        let measured: Vec<Value> = events(&output.stdout).filter(|event| event["type"] == "bench").collect();
        let figure = |name: &str, what: &str| {
            let name = format!("measuring::{name}");
            let event = measured.iter().find(|event| event["name"] == name.as_str());
            event.and_then(|event| event[what].as_f64()).unwrap_or(f64::NAN)
        };
        nothing += usize::from(figure("nothing", "low") <= 0.0);
        let known = [
            ("ten_nanoseconds", truth),
            ("a_microsecond", microsecond),
            ("a_millisecond", 1e3 * microsecond),
        ];
        for ((name, truth), off) in known.into_iter().zip(&mut off) {
            off.0.push(figure(name, "median") / truth - 1.0);
            off.1.push(figure(name, "best") / truth - 1.0);
        }
    }
    let mut claims = vec![Claim {
        what: String::from("an empty function reads 0 within its interval"),
        wanted: String::from("always"),
        counted: format!("{nothing} of {runs} runs"),
        holds: nothing == runs,
        others: Vec::new(),
    }];
    let ten = middle(&mut truths);
    for (what, (mut medians, mut bests)) in
        [format!("{ten:.1} ns"), String::from("1 µs"), String::from("1 ms")].into_iter().zip(off)
    {
        let (median, best) = (middle(&mut medians), middle(&mut bests));
        claims.push(Claim {
            what: format!("{what} of known work"),
            wanted: String::from("within 3 %"),
            counted: format!("median {:+.1} %, best {:+.1} %", 100.0 * median, 100.0 * best),
            // Of a median the machine has its part, and the table says when that is too much.
            holds: best.abs() <= OFF,
            others: Vec::new(),
        });
    }
    Ok(claims)
}

/// The middle one.
fn middle(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
