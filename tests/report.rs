//! Reports as a reader sees them: what rows are called, and what their cells say.

use std::time::Duration;

use perfkit::{Report, cached, pooled, profile_block, profiled};

#[profiled(name = "db::users::load")]
fn load() {}

#[profiled(name = "GET /users/<id::x>")]
fn get() {}

#[cached(name = "parse<config::File>")]
fn parse(n: u32) -> u32 {
    n
}

#[pooled(name = "io::buffers::large")]
fn buffer() -> Vec<u8> {
    Vec::new()
}

#[profiled(name = "net::http::fetch")]
async fn fetch() {}

#[profiled]
fn outer() {
    let closure = || {
        #[profiled]
        fn in_closure() {}
        in_closure();
    };
    closure();
    profile_block!("step::one::two", {});
}

#[profiled(name = "a little of the run")]
fn little() {
    std::thread::sleep(Duration::from_millis(1));
}

/// The words of the row that begins with `name`.
#[track_caller]
fn row<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let mut rows = table.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix("  "));
    rows.next().unwrap_or_else(|| panic!("no row `{name}`\n{table}")).split_whitespace().collect()
}

#[tokio::test]
async fn labels_are_shown_as_they_were_written() {
    load();
    get();
    parse(1);
    drop(buffer());
    fetch().await;
    outer();
    let report: Report = perfkit::report();
    let table = report.to_table();
    for label in [
        "db::users::load",
        "GET /users/<id::x>",
        "parse<config::File>",
        "io::buffers::large",
        "net::http::fetch",
        "step::one::two",
        "outer::{closure}::in_closure",
    ] {
        row(&table, label);
    }
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    let is_label = |kind: &str, name: &str| {
        let rows = json[kind].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).map(|row| row["label"].as_bool().unwrap())
    };
    assert_eq!(is_label("functions", "db::users::load"), Some(true));
    assert_eq!(is_label("functions", "report::outer"), Some(false));
    assert_eq!(is_label("futures", "net::http::fetch"), Some(true));
    assert_eq!(is_label("caches", "parse<config::File>"), Some(true));
    assert_eq!(is_label("pools", "io::buffers::large"), Some(true));
}

#[test]
fn a_small_part_of_the_run_is_shown_as_one() {
    little();
    let row =
        |report: Report| report.functions.into_iter().find(|row| row.name == "a little of the run").unwrap();
    // However long the call really was, the run goes on until that is a small part of it.
    let mut report = perfkit::report();
    while report.wall < 20 * row(report.clone()).self_time {
        std::thread::sleep(Duration::from_millis(10));
        report = perfkit::report();
    }
    let share = row(report.clone()).share;
    assert!(share > 0.0 && share <= 0.05, "{share}");
    let shown = format!("{:.1}", share * 100.0);
    assert_eq!(self::row(&report.to_table(), "a little of the run")[3], shown, "{report}");
}

#[cached(name = "in the operation")]
fn kept(n: u32) -> u32 {
    n
}

#[profiled]
fn operated(n: u32) -> u32 {
    kept(n)
}

#[test]
fn an_operation_is_reported_by_itself() {
    operated(7);
    let (result, report) = perfkit::profile_operation(|| operated(7) + operated(8));
    assert_eq!(result, 15);
    let row = report.functions.iter().find(|row| row.name.ends_with("::operated")).unwrap();
    assert_eq!(row.calls, 2);
    assert!(row.total_time <= report.wall, "{row:?} in {:?}", report.wall);
    let cache = report.caches.iter().find(|row| row.name == "in the operation").unwrap();
    assert_eq!((cache.hits, cache.misses), (1, 1));
    // It took nothing away from the report of the whole run.
    let whole = perfkit::report();
    let row = whole.functions.iter().find(|row| row.name.ends_with("::operated")).unwrap();
    assert_eq!(row.calls, 3);
}
