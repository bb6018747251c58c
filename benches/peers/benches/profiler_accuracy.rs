//! Whether a caller's self time is its own: it calls a short function a million times and does as much itself as that takes.
//!
//! The truth is the same work without an attribute, measured before and after in the same process. Beside it stands what perfkit says, with every call timed and
//! with a sample, and what hotpath says: it has no self time, so that it is the caller's total less the callee's. The last column is what a perfect profiler
//! would say that does not take its own cost out: the time that the attributes added is in the caller's.
//!
//! `cargo bench -p perfkit-peers --bench profiler_accuracy`; with `-- --quick` just long enough to see that it works.

use std::hint::black_box;
use std::time::Instant;

use hotpath::Format;

#[inline(never)]
fn work(rounds: u64) -> u64 {
    (0..rounds).fold(1, |sum: u64, n| black_box(sum).wrapping_mul(31) ^ n)
}

macro_rules! caller_and_callee {
    ($module:ident, [$($attribute:tt)*], [$($of_callee:tt)*]) => {
        mod $module {
            $($of_callee)*
            #[inline(never)]
            fn callee(rounds: u64) -> u64 { super::work(rounds) }

            $($attribute)*
            #[inline(never)]
            pub(super) fn caller(calls: u64, rounds: u64) {
                for _ in 0..calls {
                    callee(rounds);
                    super::work(rounds);
                }
            }
        }
    };
}

caller_and_callee!(every_call, [#[perfkit::profiled]], [#[perfkit::profiled]]);
caller_and_callee!(sampled, [#[perfkit::profiled]], [#[perfkit::profiled(sample = "auto")]]);
caller_and_callee!(with_hotpath, [#[hotpath::measure]], [#[hotpath::measure]]);

/// Nanoseconds of one of the two pieces of work.
fn truth(calls: u64, rounds: u64) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        work(rounds);
    }
    start.elapsed().as_secs_f64() * 1e9 / calls as f64
}

/// What perfkit says that the caller takes itself, and how long it really was away for each call.
fn perfkit(name: &str, caller: fn(u64, u64), calls: u64, rounds: u64) -> (f64, f64) {
    perfkit::reset();
    let start = Instant::now();
    caller(calls, rounds);
    let all = start.elapsed().as_secs_f64() * 1e9 / calls as f64;
    let report = perfkit::report();
    let row = report.functions.iter().find(|row| row.name.ends_with(name)).expect("it ran");
    (row.self_time.as_secs_f64() * 1e9 / calls as f64, all)
}

/// The same of hotpath.
fn hotpath(calls: u64, rounds: u64) -> f64 {
    let path = std::env::temp_dir().join(format!("perfkit-accuracy-{}.json", std::process::id()));
    let guard = hotpath::HotpathGuardBuilder::new("accuracy").format(Format::Json).output_path(&path).build();
    with_hotpath::caller(calls, rounds);
    drop(guard);
    let text = std::fs::read_to_string(&path).expect("hotpath wrote its report");
    let _ = std::fs::remove_file(&path);
    let total = |name: &str| {
        let report: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        total_of(&report, name).unwrap_or_else(|| panic!("no {name} in {text}"))
    };
    (total("with_hotpath::caller") - total("with_hotpath::callee")) / calls as f64
}

/// Nanoseconds of the row whose name ends so, wherever in the report it stands: calls times the mean.
fn total_of(value: &serde_json::Value, name: &str) -> Option<f64> {
    match value {
        serde_json::Value::Object(fields) => {
            let is_row = fields.get("name").and_then(|n| n.as_str()).is_some_and(|n| n.ends_with(name));
            if is_row {
                return fields.get("total").and_then(nanos);
            }
            fields.values().find_map(|field| total_of(field, name))
        }
        serde_json::Value::Array(values) => values.iter().find_map(|value| total_of(value, name)),
        _ => None,
    }
}

/// A number, or a text such as `1.23 ms`.
fn nanos(value: &serde_json::Value) -> Option<f64> {
    if let Some(number) = value.as_f64() {
        return Some(number);
    }
    let (number, unit) = value.as_str()?.split_once(' ')?;
    let factor = match unit {
        "ns" => 1.0,
        "µs" | "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let (calls, times) = if quick { (20_000, 1) } else { (1_000_000, 7) };
    println!(
        "self time of a caller, ns per call, and its share of the truth: the median of {times} times {calls} calls\n"
    );
    println!(
        "{:>9}  {:>16}  {:>16}  {:>18}  {:>16}",
        "the truth", "perfkit", "perfkit, sampled", "hotpath", "not corrected"
    );
    for rounds in [40, 100, 400] {
        let (mut truths, mut exact, mut sampled, mut peers, mut raw) =
            (vec![], vec![], vec![], vec![], vec![]);
        for _ in 0..times {
            truths.push(truth(calls, rounds));
            let (own, all) = perfkit("every_call::caller", every_call::caller, calls, rounds);
            exact.push(own);
            sampled.push(perfkit("sampled::caller", sampled::caller, calls, rounds).0);
            peers.push(hotpath(calls / 10, rounds));
            truths.push(truth(calls, rounds));
            raw.push(all - truth(calls, rounds));
        }
        let truth = median(truths);
        let cell = |values| {
            let value = median(values);
            format!("{value:.1}  {:.2}", value / truth)
        };
        println!(
            "{truth:>9.1}  {:>16}  {:>16}  {:>18}  {:>16}",
            cell(exact),
            cell(sampled),
            cell(peers),
            cell(raw)
        );
    }
}
