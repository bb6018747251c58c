//! Complexity: whether the class of known algorithms is named right, whether a true promise ever fails, and whether a broken one always does. The benchmarks
//! are in `benches/complexity.rs`; others are asked by their rule on the very points.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::claim::{Claim, Effort};
use crate::program::{Program, events};

/// Those with a true promise, and what is true.
const KNOWN: [(&str, &str); 7] = [
    ("constant_lookup", "O(1)"),
    ("binary_search", "O(log n)"),
    ("linear_scan", "O(n)"),
    ("sort", "O(n log n)"),
    ("all_pairs", "O(n²)"),
    ("matrix_product", "O(n³)"),
    ("subset_enumeration", "O(2ⁿ)"),
];

/// How often each ended how.
#[derive(Default)]
struct Count {
    runs: usize,
    right: usize,
    /// The one that is right was among those named.
    named: usize,
    failed: usize,
    google: usize,
}

pub(crate) fn section(effort: Effort) -> Result<Vec<Claim>, String> {
    let runs = if effort == Effort::Quick { 2 } else { 20 };
    let built = |command| Program::build(&[command, "--no-run", "--bench", "complexity"]);
    let mut claims = claims_of("", &built("bench")?, runs)?;
    // That optimisation changes no class is seen in fewer.
    claims.extend(claims_of(", unoptimised", &built("test")?, runs.div_ceil(4))?);
    Ok(claims)
}

fn claims_of(how: &str, program: &Program, runs: usize) -> Result<Vec<Claim>, String> {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for number in 0..runs {
        for event in run(program, number % 2 == 0)? {
            note(&event, &mut counts);
        }
    }
    let none = Count::default();
    let count = |name: &str| counts.get(name).unwrap_or(&none);
    let mut claims: Vec<Claim> = KNOWN
        .iter()
        .map(|(name, class)| {
            let Count { right, named, google, runs: ended, .. } = *count(name);
            Claim {
                what: format!("{name}{how}: {class} is the class that fits"),
                wanted: String::from("at least 95 %"),
                counted: format!("{right} of {runs} runs ({named} with the runner-up that is named too)"),
                holds: ended == runs && right * 100 >= runs * 95,
                others: vec![(String::from("Google's rule"), format!("{google} of {runs}"))],
            }
        })
        .collect();
    let sum = |broken: bool| {
        let chosen = counts.iter().filter(|(name, _)| name.starts_with("broken::") == broken);
        chosen.fold((0, 0), |(failed, ended), (_, count)| (failed + count.failed, ended + count.runs))
    };
    let (failed, ended) = sum(false);
    claims.push(Claim {
        what: format!("a true `complexity` fails{how}"),
        wanted: String::from("never"),
        counted: format!("{failed} of {ended} runs"),
        holds: failed == 0 && ended == runs * KNOWN.len(),
        others: Vec::new(),
    });
    let (failed, ended) = sum(true);
    claims.push(Claim {
        what: format!("a `complexity` that is a class too good fails{how}"),
        wanted: String::from("always"),
        counted: format!("{failed} of {ended} runs"),
        holds: failed == ended && ended > 0,
        others: Vec::new(),
    });
    Ok(claims)
}

/// What the program said, line by line. Broken promises are measured three times with pauses, so that they are most of what it takes.
fn run(program: &Program, with_broken: bool) -> Result<Vec<Value>, String> {
    let mut arguments = vec!["--format", "json", "/complexity"];
    if !with_broken {
        arguments.extend(["--skip", "::broken::"]);
    }
    // Broken promises fail, so that the exit code says nothing.
    program.run(&arguments, &[]).map(|output| events(&output.stdout).collect())
}

fn note(event: &Value, counts: &mut BTreeMap<String, Count>) {
    let complexity = &event["complexity"];
    let name = event["name"].as_str().and_then(|name| name.strip_prefix("complexity::"));
    let (Some(name), true) = (name.and_then(|name| name.strip_suffix("/complexity")), complexity.is_object())
    else {
        return;
    };
    let count = counts.entry(name.to_owned()).or_default();
    let truth = KNOWN.iter().find(|known| known.0 == name).map(|known| known.1);
    count.runs += 1;
    count.failed += usize::from(event["event"] == "failed");
    count.right += usize::from(complexity["fits"].as_str() == truth);
    count.named +=
        usize::from([&complexity["fits"], &complexity["or"]].iter().any(|class| class.as_str() == truth));
    count.google += usize::from(truth == Some(google(&complexity["points"])));
}

/// Google Benchmark's `->Complexity()`: least squares of c f(n) over six classes, the least root mean square wins.
fn google(points: &Value) -> &'static str {
    type Class = (&'static str, fn(f64) -> f64);
    let classes: [Class; 6] = [
        ("O(1)", |_| 1.0),
        ("O(log n)", f64::log2),
        ("O(n)", |n| n),
        ("O(n log n)", |n| n * n.log2()),
        ("O(n²)", |n| n.powi(2)),
        ("O(n³)", |n| n.powi(3)),
    ];
    let number = |point: &Value, index: usize| point[index].as_f64().unwrap_or(0.0);
    let points: Vec<(f64, f64)> =
        points.as_array().into_iter().flatten().map(|point| (number(point, 0), number(point, 1))).collect();
    let error = |class: fn(f64) -> f64| {
        let product: f64 = points.iter().map(|(n, time)| class(*n) * time).sum();
        let square: f64 = points.iter().map(|(n, _)| class(*n).powi(2)).sum();
        points.iter().map(|(n, time)| (time - product / square * class(*n)).powi(2)).sum::<f64>()
    };
    classes.iter().min_by(|a, b| error(a.1).total_cmp(&error(b.1))).map_or("", |class| class.0)
}
