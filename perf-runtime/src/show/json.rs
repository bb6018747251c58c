//! A report as JSON, for programs. Written by hand: the whole writer is shorter than what a serialisation framework costs to build.
//!
//! `"schema"` is raised when a field changes its meaning or goes; fields may be added without. Durations are whole nanoseconds, shares
//! and ratios are fractions of 1, what is not known is `null`.
//!
//! Since 2: `share` is of the run (`wall_ns`), where it was of all measured time; `latency` and `wall` are `null` where nothing ended.

use core::fmt::{Display, Write};
use core::time::Duration;

use crate::snapshot::{CacheRow, FunctionRow, FutureRow, Latency, Location, Name, PoolRow, Report, Requests};

/// The version of the layout.
const SCHEMA: u64 = 2;

/// The report as one JSON object, ending in a newline.
#[must_use]
pub fn to_json(report: &Report) -> String {
    let mut json = Writer::default();
    json.object(|json| {
        json.number("schema", SCHEMA);
        json.duration("wall_ns", report.wall);
        json.duration("overhead_ns", report.overhead);
        json.number("threads", report.threads);
        json.boolean("truncated", report.truncated);
        json.rows("functions", &report.functions, function);
        json.rows("futures", &report.futures, future);
        json.rows("caches", &report.caches, cache);
        json.rows("pools", &report.pools, pool);
    });
    json.0.push('\n');
    json.0
}

fn function(json: &mut Writer, row: &FunctionRow) {
    json.identity(&row.name, row.location);
    json.optional("cyclomatic", row.cyclomatic.map(f64::from));
    json.number("calls", row.calls);
    json.number("primitive_calls", row.primitive_calls);
    json.number("in_flight", row.in_flight);
    json.number("panics", row.panics);
    json.number("errors", row.errors);
    json.duration("self_ns", row.self_time);
    json.duration("total_ns", row.total_time);
    json.optional("share", Some(row.share));
    json.latency("latency", row.calls, &row.latency);
    json.key("estimate");
    match &row.estimate {
        None => json.null(),
        Some(estimate) => json.object(|json| {
            json.number("timed_calls", estimate.timed_calls);
            json.duration("self_error_ns", estimate.self_error);
            json.duration("total_error_ns", estimate.total_error);
        }),
    }
    json.key("memory");
    let Some(memory) = &row.memory else { return json.null() };
    json.object(|json| {
        json.key("own");
        json.object(|json| requests(json, &memory.own));
        json.key("total");
        json.object(|json| requests(json, &memory.total));
        json.number("peak_bytes", memory.peak_bytes);
    });
}

fn requests(json: &mut Writer, requests: &Requests) {
    json.number("allocations", requests.allocations);
    json.number("bytes", requests.bytes);
    json.number("net_bytes", requests.net_bytes);
}

fn future(json: &mut Writer, row: &FutureRow) {
    json.identity(&row.name, row.location);
    json.number("started", row.started);
    json.number("completed", row.completed);
    json.number("dropped", row.dropped);
    json.number("polls", row.polls);
    json.duration("busy_ns", row.busy);
    json.latency("wall", row.completed, &row.wall);
}

fn cache(json: &mut Writer, row: &CacheRow) {
    json.identity(&row.name, row.location);
    json.number("hits", row.hits);
    json.number("misses", row.misses);
    json.optional("hit_ratio", row.hit_ratio());
    json.number("waits", row.waits);
    json.number("loads", row.loads);
    json.number("load_errors", row.load_errors);
    json.duration("load_ns", row.load_time);
    json.duration("saved_ns", row.time_saved);
    json.number("evicted", row.evicted);
    json.number("evicted_for_memory", row.evicted_for_memory);
    json.number("expired", row.expired);
    json.number("invalidated", row.invalidated);
    json.number("len", row.len);
    json.number("max_size", row.max_size);
    if let Some(remote) = &row.remote {
        json.key("remote");
        json.object(|json| {
            json.text("backend", remote.backend);
            json.optional("hit_ratio", remote.hit_ratio());
            remote.counts().for_each(|(name, count)| json.number(name, count));
        });
    }
}

fn pool(json: &mut Writer, row: &PoolRow) {
    json.identity(&row.name, row.location);
    json.number("borrowed", row.borrowed);
    json.number("reused", row.reused);
    json.optional("hit_ratio", row.hit_ratio());
    json.number("created", row.created);
    json.number("returned", row.returned);
    json.number("discarded", row.discarded);
    json.number("taken", row.taken);
    json.number("idle", row.idle);
    json.number("in_use", row.in_use);
    json.number("peak_in_use", row.peak_in_use);
    json.number("max_size", row.max_size);
}

/// JSON so far. Writing to a string cannot fail, so results of `write!` are not looked at.
#[derive(Default)]
struct Writer(String);

impl Writer {
    fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.0.push('{');
        fields(self);
        self.0.push('}');
    }

    /// The name of the next field, after a comma unless it is the first.
    fn key(&mut self, key: &str) {
        if !self.0.ends_with('{') {
            self.0.push_str(", ");
        }
        self.string(key);
        self.0.push_str(": ");
    }

    fn null(&mut self) {
        self.0.push_str("null");
    }

    fn number(&mut self, key: &str, number: impl Display) {
        self.key(key);
        let _ = write!(self.0, "{number}");
    }

    fn boolean(&mut self, key: &str, value: bool) {
        self.key(key);
        let _ = write!(self.0, "{value}");
    }

    fn optional(&mut self, key: &str, number: Option<f64>) {
        self.key(key);
        match number.filter(|number| number.is_finite()) {
            Some(number) => _ = write!(self.0, "{number}"),
            None => self.null(),
        }
    }

    fn duration(&mut self, key: &str, duration: Duration) {
        self.key(key);
        let _ = write!(self.0, "{}", duration.as_nanos());
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.string(text);
    }

    fn identity(&mut self, name: &Name, location: Location) {
        self.text("name", name);
        self.boolean("label", name.is_label());
        self.text("file", location.file);
        self.number("line", u64::from(location.line));
        self.number("column", u64::from(location.column));
    }

    /// Of so many that ended.
    fn latency(&mut self, key: &str, ended: u64, latency: &Latency) {
        self.key(key);
        if ended == 0 {
            return self.null();
        }
        self.object(|json| {
            json.duration("min_ns", latency.min);
            json.duration("mean_ns", latency.mean);
            json.duration("p50_ns", latency.p50);
            json.duration("p95_ns", latency.p95);
            json.duration("p99_ns", latency.p99);
            json.duration("p999_ns", latency.p999);
            json.duration("max_ns", latency.max);
        });
    }

    /// An array of objects, one a line.
    fn rows<T>(&mut self, key: &str, rows: &[T], fields: fn(&mut Self, &T)) {
        self.key(key);
        self.0.push('[');
        for (index, row) in rows.iter().enumerate() {
            self.0.push_str(if index == 0 { "\n  " } else { ",\n  " });
            self.object(|json| fields(json, row));
        }
        self.0.push(']');
    }

    fn string(&mut self, text: &str) {
        self.0.push_str(&json_string(text));
    }
}

/// A text as JSON, with its quotes (RFC 8259, section 7).
///
/// ```
/// assert_eq!(perf_runtime::show::json_string("say \"ah\""), r#""say \"ah\"""#);
/// ```
#[must_use]
pub fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            control if control < ' ' => _ = write!(json, "\\u{:04x}", control as u32),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Estimate;

    #[test]
    fn a_parser_reads_back_what_was_written() {
        let name = "a \"quoted\"\\ \u{1} name\n<é::ü>\u{1F600}";
        let report = Report {
            wall: Duration::from_millis(1_500),
            overhead: Duration::from_micros(15),
            threads: 3,
            truncated: true,
            functions: vec![
                FunctionRow {
                    name: Name::label(name),
                    location: Location { file: "src/a.rs", line: 7, column: 4 },
                    cyclomatic: Some(12),
                    calls: u64::MAX,
                    primitive_calls: 2,
                    in_flight: 1,
                    panics: 4,
                    errors: 5,
                    self_time: Duration::from_nanos(6),
                    total_time: Duration::from_secs(7),
                    share: 0.25,
                    latency: Latency { p999: Duration::from_micros(8), ..Latency::default() },
                    estimate: Some(Estimate { timed_calls: 9, ..Estimate::default() }),
                    memory: None,
                },
                FunctionRow { share: f64::NAN, ..FunctionRow::default() },
            ],
            futures: vec![FutureRow { polls: 9, busy: Duration::from_nanos(10), ..FutureRow::default() }],
            caches: vec![CacheRow { hits: 3, misses: 1, ..CacheRow::default() }, CacheRow::default()],
            pools: vec![PoolRow { borrowed: 4, reused: 3, max_size: 11, ..PoolRow::default() }],
            ..Report::default()
        };
        let value: serde_json::Value = serde_json::from_str(&to_json(&report)).unwrap();
        assert_eq!(value["schema"], 2);
        assert_eq!((&value["wall_ns"], &value["overhead_ns"]), (&1_500_000_000_u64.into(), &15_000.into()));
        assert_eq!(value["truncated"], true);
        let function = &value["functions"][0];
        assert_eq!((&function["name"], &function["label"]), (&name.into(), &true.into()));
        assert_eq!(function["file"], "src/a.rs");
        assert_eq!(function["calls"], u64::MAX);
        assert_eq!(function["cyclomatic"], 12.0);
        assert_eq!(function["total_ns"], 7_000_000_000_u64);
        assert_eq!(function["share"], 0.25);
        assert_eq!(function["latency"]["p999_ns"], 8_000);
        assert_eq!(
            (&function["estimate"]["timed_calls"], &value["functions"][1]["estimate"]),
            (&9.into(), &().into())
        );
        assert!(value["functions"][1]["latency"].is_null() && value["futures"][0]["wall"].is_null());
        assert!(value["functions"][1]["share"].is_null() && value["functions"][1]["cyclomatic"].is_null());
        assert_eq!(value["futures"][0]["polls"], 9);
        assert_eq!(value["caches"][0]["label"], false);
        assert_eq!(value["caches"][0]["hit_ratio"], 0.75);
        assert!(value["caches"][1]["hit_ratio"].is_null());
        assert_eq!(value["pools"][0]["hit_ratio"], 0.75);
    }

    #[test]
    fn an_empty_report_is_an_object_too() {
        let value: serde_json::Value = serde_json::from_str(&to_json(&Report::default())).unwrap();
        assert_eq!(value["functions"], serde_json::json!([]));
    }
}
