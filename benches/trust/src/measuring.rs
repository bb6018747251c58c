//! Whether work of a known cost reads as what it costs.

use perfkit_trust::work::{Kind, UNITS, cost_of_a_unit, cost_of_lanes};
use serde_json::Value;

use crate::claim::{Claim, Effort};
use crate::others::{Others, of_criterion, of_divan};
use crate::program::{Program, events};

/// How far a reading may be off.
const OFF: f64 = 0.03;
/// Runs of others, whose middle one counts.
const OF_OTHERS: usize = 3;
/// What is measured: nothing, and three pieces of known work.
const BENCHMARKS: [&str; 4] = ["nothing", "ten_nanoseconds", "a_microsecond", "a_millisecond"];

pub(crate) fn section(effort: Effort) -> Result<Vec<Claim>, String> {
    let runs = if effort == Effort::Quick { 2 } else { 20 };
    let program = Program::build(&["build", "--release", "--bench", "measuring"])?;
    let others = Others::build(effort)?;
    // A microsecond's worth.
    let units = (1e3 / cost_of_a_unit(Kind::Arithmetic, 1e5)).round();
    let variables = [(UNITS, units.to_string())];
    let mut nothing = 0;
    let perfkit = Readings::of(["median", "best"], runs, units, || {
        let output = program.run(&["--bench", "--format", "json"], &variables)?;
        let measured: Vec<Value> = events(&output.stdout).filter(|event| event["type"] == "bench").collect();
        let figure = move |name: &str, what: &str| {
            let name = format!("measuring::{name}");
            measured.iter().find(|event| event["name"] == name.as_str())?[what].as_f64()
        };
        nothing += usize::from(figure("nothing", "low").is_some_and(|low| low <= 0.0));
        Ok(move |name: &str| Some([figure(name, "median")?, figure(name, "best")?]))
    })?;
    let mut claims = vec![Claim {
        what: String::from("an empty function reads 0 within its interval"),
        wanted: String::from("always"),
        counted: format!("{nothing} of {runs} runs"),
        holds: nothing == runs,
        others: Vec::new(),
    }];
    let ten = format!("{:.1} ns", middle(&perfkit.lanes));
    for (benchmark, what) in (1..).zip([ten.as_str(), "1 µs", "1 ms"]) {
        claims.push(Claim {
            what: format!("{what} of known work"),
            wanted: String::from("within 3 %"),
            counted: perfkit.said(benchmark),
            // Of a median the machine has its part, and the table says when that is too much.
            holds: middle(&perfkit.off[benchmark][1]).abs() <= OFF,
            others: Vec::new(),
        });
    }
    if let Some(others) = others {
        let criterion = Readings::of(["estimate"], OF_OTHERS, units, || {
            let arguments = ["--bench", "--noplot", "--discard-baseline", "known/"];
            let seconds = ["--warm-up-time", "0.5", "--measurement-time", "1", "--nresamples", "10000"];
            let text = others.criterion.says(&[&arguments[..], &seconds].concat(), &variables)?;
            Ok(move |name: &str| of_criterion(&text, &format!("known/{name}")))
        })?;
        let divan = Readings::of(["median", "fastest"], OF_OTHERS, units, || {
            let text = others.divan.says(&["--bench", "known"], &variables)?;
            Ok(move |name: &str| of_divan(&text, name))
        })?;
        for (benchmark, claim) in claims.iter_mut().enumerate() {
            claim.others = vec![
                (String::from("criterion (1 s)"), criterion.said(benchmark)),
                (String::from("divan"), divan.said(benchmark)),
            ];
        }
    }
    Ok(claims)
}

/// What a harness reads in some runs: of each benchmark so many figures, which have these names.
struct Readings<const FIGURES: usize> {
    names: [&'static str; FIGURES],
    /// Of nothing the nanoseconds, of the others the part by which they are off.
    off: [[Vec<f64>; FIGURES]; BENCHMARKS.len()],
    /// What the second truly took, in nanoseconds.
    lanes: Vec<f64>,
}

impl<const FIGURES: usize> Readings<FIGURES> {
    /// A run gives what tells the nanoseconds of a benchmark. Before and after each it is looked what is true.
    fn of<Run: Fn(&str) -> Option<[f64; FIGURES]>>(
        names: [&'static str; FIGURES],
        runs: usize,
        units: f64,
        mut run: impl FnMut() -> Result<Run, String>,
    ) -> Result<Self, String> {
        let mut all = Readings {
            names,
            off: std::array::from_fn(|_| [const { Vec::new() }; FIGURES]),
            lanes: Vec::new(),
        };
        for _ in 0..runs {
            let before = (cost_of_lanes(), cost_of_a_unit(Kind::Arithmetic, 1e5));
            let figures = run()?;
            let lanes = before.0.min(cost_of_lanes());
            let microsecond = units * before.1.min(cost_of_a_unit(Kind::Arithmetic, 1e5));
            all.lanes.push(lanes);
            let truths = [None, Some(lanes), Some(microsecond), Some(1e3 * microsecond)];
            for ((name, truth), readings) in BENCHMARKS.into_iter().zip(truths).zip(&mut all.off) {
                let figures = figures(name).ok_or_else(|| format!("nothing was said of `{name}`"))?;
                for (figure, readings) in figures.into_iter().zip(readings) {
                    readings.push(truth.map_or(figure, |truth| figure / truth - 1.0));
                }
            }
        }
        Ok(all)
    }

    /// The middle of each figure of a benchmark.
    fn said(&self, benchmark: usize) -> String {
        let figures = self.names.iter().zip(&self.off[benchmark]).map(|(name, readings)| {
            let middle = middle(readings);
            match BENCHMARKS[benchmark] {
                "nothing" => format!("{name} {middle:.2} ns"),
                _ => format!("{name} {:+.1} %", 100.0 * middle),
            }
        });
        figures.collect::<Vec<_>>().join(", ")
    }
}

/// The middle one.
fn middle(numbers: &[f64]) -> f64 {
    let mut numbers = numbers.to_vec();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
