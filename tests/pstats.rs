//! Who called whom, and Python's own reader of the file that says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use perfkit::{CallEdge, Report, profile_block, profiled};

fn spin(duration: Duration) {
    let start = Instant::now();
    while start.elapsed() < duration {
        std::hint::spin_loop();
    }
}

#[profiled]
fn leaf() {
    spin(Duration::from_micros(200));
}

#[profiled]
fn middle(n: u32) {
    for _ in 0..n {
        leaf();
    }
}

#[profiled]
fn even(n: u32) {
    spin(Duration::from_micros(100));
    if n > 0 {
        odd(n - 1);
    }
}

#[profiled]
fn odd(n: u32) {
    spin(Duration::from_micros(100));
    if n > 0 {
        even(n - 1);
    }
}

#[profiled]
fn countdown(n: u32) {
    spin(Duration::from_micros(50));
    if n > 0 {
        countdown(n - 1);
    }
}

#[profiled]
fn top() {
    middle(3);
    leaf();
    even(5);
    countdown(9);
    profile_block!("a \"block\", with ünïcode", { leaf() });
}

fn edge(edges: &[CallEdge], from: &str, to: &str) -> CallEdge {
    let is = |name: &str, end: &str| name == end || name.ends_with(&format!("::{end}"));
    let mut found = edges.iter().filter(|edge| is(&edge.caller.name, from) && is(&edge.callee.name, to));
    let edge = found.next().unwrap_or_else(|| panic!("no edge from {from} to {to}")).clone();
    assert!(found.next().is_none());
    edge
}

/// The workload on two threads, once in the process.
fn report() -> Report {
    perfkit::reset();
    for thread in [thread::spawn(top), thread::spawn(top)] {
        thread.join().unwrap();
    }
    perfkit::report()
}

/// What Python reads: `{"file:line(name)": [cc, nc, tt, ct, {caller: [nc, cc, tt, ct]}]}`, and what it prints.
fn read_by_python(file: &Path) -> (serde_json::Value, String) {
    let program = r#"
import json, pstats, sys
stats = pstats.Stats(sys.argv[1])
key = lambda function: "%s:%d(%s)" % function
print(json.dumps({
    key(function): [cc, nc, tt, ct, {key(caller): list(numbers) for caller, numbers in callers.items()}]
    for function, (cc, nc, tt, ct, callers) in stats.stats.items()
}))
stats.sort_stats("cumulative").print_stats().print_callers().print_callees()
"#;
    let output = Command::new("python3").args(["-c", program]).arg(file).output();
    let output = output.expect("python3, which scripts/setup.sh installs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    (serde_json::from_str(first).unwrap(), rest.to_owned())
}

fn temporary(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

#[test]
fn edges_are_exact_and_python_reads_the_same_figures() {
    let report = report();
    let edges = report.calls.edges();
    let calls = |caller, callee| {
        let edge = edge(&edges, caller, callee);
        (edge.calls, edge.primitive_calls)
    };
    assert_eq!(calls("top", "middle"), (2, 2));
    assert_eq!((calls("top", "leaf"), calls("middle", "leaf")), ((2, 2), (6, 6)));
    assert_eq!(calls("a \"block\", with ünïcode", "leaf"), (2, 2));
    // even(5) → odd(4) → even(3) → odd(2) → even(1) → odd(0)
    assert_eq!(calls("top", "even"), (2, 2));
    assert_eq!((calls("even", "odd"), calls("odd", "even")), ((6, 2), (4, 2)));
    assert_eq!((calls("top", "countdown"), calls("countdown", "countdown")), ((2, 2), (18, 0)));
    // A function's self time is that of the calls from all its callers.
    let leaf: Duration = report.callers("::leaf").iter().map(|edge| edge.self_time).sum();
    let row = report.functions.iter().find(|row| row.name.ends_with("::leaf")).unwrap();
    assert!(leaf.abs_diff(row.self_time) < Duration::from_micros(1), "{leaf:?} {row:?}");
    assert_eq!(report.callees("::top").len(), 5);

    let file = temporary("edges.pstats");
    fs::write(&file, report.to_pstats()).unwrap();
    let (stats, printed) = read_by_python(&file);
    assert_eq!(stats.as_object().unwrap().len(), report.functions.len());
    for row in &report.functions {
        let key = format!("{}:{}({})", row.location.file, row.location.line, row.name);
        let read = &stats[&key];
        assert_eq!((&read[0], &read[1]), (&row.primitive_calls.into(), &row.calls.into()), "{key}");
        assert_eq!(read[2].as_f64(), Some(seconds(row.self_time)));
        assert_eq!(read[3].as_f64(), Some(seconds(row.total_time)));
        let callers = report.calls.edges().into_iter().filter(|edge| edge.callee.name == row.name);
        let mut count = 0;
        for edge in callers {
            count += 1;
            let caller =
                format!("{}:{}({})", edge.caller.location.file, edge.caller.location.line, edge.caller.name);
            let read = &read[4][&caller];
            assert_eq!((&read[0], &read[1]), (&edge.calls.into(), &edge.primitive_calls.into()), "{caller}");
            assert_eq!(read[2].as_f64(), Some(seconds(edge.self_time)));
            assert_eq!(read[3].as_f64(), Some(seconds(edge.total_time)));
        }
        assert_eq!(read[4].as_object().unwrap().len(), count, "{key}");
    }
    // What Python calls a recursion, it prints as one.
    assert!(printed.contains("20/2") && printed.contains("pstats::countdown"), "{printed}");
}

#[profiled]
fn kept_in() {}

#[profiled]
fn kept_out() {
    kept_in();
}

#[test]
fn who_is_not_in_the_file_calls_nobody_in_it() {
    let ((), mut report) = perfkit::profile_operation(kept_out);
    let file = temporary("filtered.pstats");
    fs::write(&file, report.retain(|name| name.ends_with("kept_in")).to_pstats()).unwrap();
    let (stats, _) = read_by_python(&file);
    let stats = stats.as_object().unwrap();
    assert_eq!(stats.len(), 1);
    assert!(stats.values().all(|row| row[4].as_object().unwrap().is_empty()), "{stats:?}");
}

#[test]
fn numbers_beyond_thirty_one_bits_come_through() {
    let mut report = Report::default();
    for (name, calls) in [("a", u64::MAX), ("b", 1 << 31), ("c", (1 << 45) - 1), ("d", i32::MAX as u64)] {
        let mut row = perfkit::FunctionRow::default();
        row.name = perfkit::Name::path(name);
        row.calls = calls;
        row.total_time = Duration::from_secs(calls >> 20);
        report.functions.push(row);
    }
    let file = temporary("numbers.pstats");
    fs::write(&file, report.to_pstats()).unwrap();
    let (stats, _) = read_by_python(&file);
    for row in &report.functions {
        let read = &stats[format!(":0({})", row.name)];
        assert_eq!(read[1].as_u64(), Some(row.calls), "{}", row.name);
        assert_eq!(read[3].as_f64(), Some(seconds(row.total_time)));
    }
}
