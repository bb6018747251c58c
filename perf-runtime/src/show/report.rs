//! The tables of a report: functions, futures, caches, pools.

use core::fmt::{self, Write};
use core::time::Duration;

use super::json::to_json;
use super::names::shorten;
use super::pstats::to_pstats;
use super::table::{Cell, Column, Page, Table, Tone};
use super::units::{bytes, count, duration, nanos, percent};
use crate::order;
use crate::snapshot::{CacheRow, FunctionRow, FutureRow, Latency, MemoryUse, PoolRow, Report};

impl Report {
    /// The tables as plain text of any width, long ones cut to thirty rows. [`Display`](fmt::Display) prints the same.
    ///
    /// The first line says how long the run is ([`wall`](Report::wall)), how much time was measured on how many threads (the sum of all self times), and what measuring
    /// took ([`overhead`](Report::overhead)). `% of run` is
    /// [`share`](FunctionRow::share).
    #[must_use]
    pub fn to_table(&self) -> String {
        tables(self, Page::default(), AllRows::No)
    }

    /// The same with every row.
    #[must_use]
    pub fn to_full_table(&self) -> String {
        tables(self, Page::default(), AllRows::Yes)
    }

    /// The functions and who called them as a file of Python's profiler: `python -m pstats`, snakeviz, tuna and `gprof2dot -f pstats` open it.
    #[must_use]
    pub fn to_pstats(&self) -> Vec<u8> {
        to_pstats(self)
    }

    /// The report as JSON: a versioned layout, durations in whole nanoseconds.
    #[must_use]
    pub fn to_json(&self) -> String {
        to_json(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_table())
    }
}

/// Whether a long table is shown whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AllRows {
    /// The first thirty rows, and how many there are more.
    #[default]
    No,
    /// Every row.
    Yes,
}

/// Rows of a table that is not shown whole.
const ROWS: usize = 30;

/// All tables that have a row, under a line about the run.
#[must_use]
pub fn tables(report: &Report, page: Page, all: AllRows) -> String {
    let limit = if all == AllRows::Yes { usize::MAX } else { ROWS };
    let tables = [
        (!report.functions.is_empty()).then(|| functions(report, limit)),
        report.functions.iter().any(|row| row.memory.is_some()).then(|| memory(&report.functions, limit)),
        (!report.futures.is_empty()).then(|| futures(&report.futures, limit)),
        (!report.caches.is_empty()).then(|| caches(&report.caches, limit)),
        report.caches.iter().any(|row| row.remote.is_some()).then(|| remotes(&report.caches, limit)),
        (!report.pools.is_empty()).then(|| pools(&report.pools, limit)),
    ];
    let mut output = String::new();
    for table in tables.into_iter().flatten() {
        output.push('\n');
        output.push_str(&table.render(page));
    }
    if output.is_empty() {
        return String::from(
            "perfkit: nothing was measured: no #[profiled], #[cached] or #[pooled] function ran, or measuring was off (PERFKIT=off)\n",
        );
    }
    heading(report) + &output
}

fn heading(report: &Report) -> String {
    let measured: Duration = report.functions.iter().map(|row| row.self_time).sum();
    let mut line = format!("perfkit: run {}", duration(report.wall));
    if measured > Duration::ZERO {
        // Writing to a string cannot fail.
        let _ = write!(line, ", measured {}", duration(measured));
        let _ = match report.threads {
            1 => write!(line, " on 1 thread"),
            threads => write!(line, " on {} threads", count(threads)),
        };
        if report.overhead > Duration::ZERO {
            let _ = write!(line, ", measuring took {}", duration(report.overhead));
        }
    }
    line.push('\n');
    line
}

/// `1.24 ms`, or `~1.24 ms ±3 %` where it is an estimate.
fn estimated(time: Duration, error: Option<Duration>) -> String {
    match error.filter(|error| !error.is_zero()) {
        None => duration(time),
        Some(_) if time.is_zero() => String::from("~0"),
        Some(error) => {
            let percent = 100.0 * error.as_secs_f64() / time.as_secs_f64();
            let digits = usize::from(percent < 9.95);
            format!("~{} ±{percent:.digits$} %", duration(time))
        }
    }
}

/// `12`, or `30/2` where calls of the function came from itself.
fn calls(row: &FunctionRow) -> String {
    if row.calls == row.primitive_calls {
        count(row.calls)
    } else {
        format!("{}/{}", count(row.calls), count(row.primitive_calls))
    }
}

/// The grades of McCabe's number: up to 10 simple, to 20 moderate, to 50 complex, beyond that untestable.
fn cyclomatic(number: Option<u32>) -> Cell {
    match number {
        None => Cell::none(),
        Some(n @ ..=10) => n.to_string().into(),
        Some(n @ 11..=50) => Cell::toned(n.to_string(), Tone::Warning),
        Some(n) => Cell::toned(n.to_string(), Tone::Bad),
    }
}

/// The columns from the mean to the maximum, of so many that ended.
fn latencies(ended: u64, latency: &Latency) -> [Cell; 5] {
    [latency.mean, latency.p50, latency.p95, latency.p99, latency.max]
        .map(|time| if ended > 0 { duration(time).into() } else { Cell::none() })
}

/// A number that is best at zero.
fn trouble(number: u64) -> Cell {
    if number == 0 { Cell::toned("0", Tone::Faint) } else { Cell::toned(count(number), Tone::Warning) }
}

/// Reads one count of a row.
type Field = fn(&FunctionRow) -> u64;

fn functions(report: &Report, limit: usize) -> Table {
    let rows = &report.functions;
    let any = |field: Field| rows.iter().any(|row| field(row) > 0);
    let outcomes: [(&str, Field); 3] =
        [("errors", |row| row.errors), ("panics", |row| row.panics), ("in flight", |row| row.in_flight)];
    let outcomes: Vec<_> = outcomes.into_iter().filter(|(_, field)| any(*field)).collect();

    let mut columns = vec![
        Column::name("function"),
        Column::number("calls", 9),
        Column::number("self", 10),
        Column::number("% of run", 8),
        Column::number("total", 9),
        Column::number("mean", 5),
        Column::number("p50", 4),
        Column::number("p95", 6),
        Column::number("p99", 3),
        Column::number("max", 5),
        Column::number("cc", 2),
    ];
    columns.extend(outcomes.iter().map(|(header, _)| Column::number(header, 7)));
    let mut table = Table::new("Functions", columns);
    let names = shorten(&mut rows.iter().map(|row| &row.name));
    let (called, never): (Vec<_>, Vec<_>) =
        rows.iter().zip(names).partition(|(row, _)| row.calls > 0 || row.in_flight > 0);
    let shown = called.len();
    for (row, name) in called.into_iter().take(limit) {
        let mut cells = vec![
            name.into(),
            calls(row).into(),
            estimated(row.self_time, row.estimate.map(|estimate| estimate.self_error)).into(),
            percent(row.share).into(),
            estimated(row.total_time, row.estimate.map(|estimate| estimate.total_error)).into(),
        ];
        cells.extend(latencies(row.calls, &row.latency));
        cells.push(cyclomatic(row.cyclomatic));
        cells.extend(outcomes.iter().map(|(_, field)| trouble(field(row))));
        table.row(cells);
    }
    more(&mut table, shown, limit);
    if !never.is_empty() {
        table.note(never_called(never.into_iter().map(|(_, name)| name).collect(), limit));
    }
    if report.truncated {
        table.note(
            "(truncated): some threads took more distinct call paths than are kept apart; the rest are merged per function, \
             their calls and self times exact, their totals not",
        );
    }
    table
}

/// The names in one line, in the order of the alphabet.
fn never_called(mut names: Vec<String>, limit: usize) -> String {
    order::sort(&mut names, Ord::cmp);
    let count = names.len();
    names.truncate(limit);
    let rest = if count > names.len() { format!(" and {} more", count - names.len()) } else { String::new() };
    let names = order::join(&mut names.iter().map(String::as_str), ", ");
    format!("never called: {names}{rest}")
}

/// What functions allocated, those first that allocated most themselves.
fn memory(rows: &[FunctionRow], limit: usize) -> Table {
    let mut table = Table::new(
        "Memory",
        vec![
            Column::name("function"),
            Column::number("allocations", 7),
            Column::number("bytes", 9),
            Column::number("net", 10),
            Column::number("total allocations", 3),
            Column::number("total bytes", 5),
            Column::number("total net", 6),
            Column::number("peak", 8),
        ],
    );
    let names = shorten(&mut rows.iter().map(|row| &row.name));
    let mut used: Vec<(MemoryUse, String)> = rows
        .iter()
        .zip(names)
        .filter_map(|(row, name)| Some((row.memory?, name)))
        .filter(|(memory, _)| memory.total.allocations > 0 || memory.total.net_bytes != 0)
        .collect();
    order::sort(&mut used, |(a, _), (b, _)| (b.own.bytes, b.total.bytes).cmp(&(a.own.bytes, a.total.bytes)));
    let size = |size: u64| bytes(i64::try_from(size).unwrap_or(i64::MAX));
    let shown = used.len();
    for (memory, name) in used.into_iter().take(limit) {
        let MemoryUse { own, total, peak_bytes } = memory;
        table.row(vec![
            name.into(),
            count(own.allocations).into(),
            size(own.bytes).into(),
            bytes(own.net_bytes).into(),
            count(total.allocations).into(),
            size(total.bytes).into(),
            bytes(total.net_bytes).into(),
            size(peak_bytes).into(),
        ]);
    }
    more(&mut table, shown, limit);
    table
}

fn futures(rows: &[FutureRow], limit: usize) -> Table {
    let mut table = Table::new(
        "Futures",
        vec![
            Column::name("function"),
            Column::number("started", 7),
            Column::number("completed", 8),
            Column::number("dropped", 8),
            Column::number("polls", 7),
            Column::number("busy", 9),
            Column::number("wall mean", 9),
            Column::number("p50", 4),
            Column::number("p95", 6),
            Column::number("p99", 3),
            Column::number("max", 5),
        ],
    );
    let names = shorten(&mut rows.iter().map(|row| &row.name));
    for (row, name) in rows.iter().zip(names).take(limit) {
        let mut cells = vec![
            name.into(),
            count(row.started).into(),
            count(row.completed).into(),
            trouble(row.dropped),
            count(row.polls).into(),
            duration(row.busy).into(),
        ];
        cells.extend(latencies(row.completed, &row.wall));
        table.row(cells);
    }
    more(&mut table, rows.len(), limit);
    table
}

/// Why entries left a cache, other than that it was full: columns that are there where some did.
const CAUSES: [(&str, OfCache); 3] = [
    ("for memory", |row| row.evicted_for_memory),
    ("expired", |row| row.expired),
    ("invalidated", |row| row.invalidated),
];

type OfCache = fn(&CacheRow) -> u64;

fn caches(rows: &[CacheRow], limit: usize) -> Table {
    let causes = CAUSES.into_iter().filter(|(_, of)| rows.iter().take(limit).any(|row| of(row) > 0));
    let causes: Vec<_> = causes.collect();
    let mut columns = vec![
        Column::name("cache"),
        Column::number("hits", 9),
        Column::number("misses", 8),
        Column::number("hit rate", 10),
        Column::number("waits", 2),
        Column::number("loads", 3),
        Column::number("not kept", 3),
        Column::number("load mean", 6),
        Column::number("saved", 9),
        Column::number("evicted", 5),
    ];
    columns.extend(causes.iter().map(|(header, _)| Column::number(header, 4)));
    columns.extend([Column::number("size", 7), Column::number("of", 6)]);
    let mut table = Table::new("Caches", columns);
    let names = shorten(&mut rows.iter().map(|row| &row.name));
    for (row, name) in rows.iter().zip(names).take(limit) {
        let mean = row.load_time.as_nanos() as f64 / row.loads as f64;
        let mut cells = vec![
            name.into(),
            count(row.hits).into(),
            count(row.misses).into(),
            ratio(row.hit_ratio()),
            count(row.waits).into(),
            count(row.loads).into(),
            trouble(row.load_errors),
            if row.loads > 0 { nanos(mean).into() } else { Cell::none() },
            duration(row.time_saved).into(),
            count(row.evicted).into(),
        ];
        cells.extend(causes.iter().map(|(_, of)| count(of(row)).into()));
        cells.extend([count(row.len).into(), count(row.max_size).into()]);
        table.row(cells);
    }
    more(&mut table, rows.len(), limit);
    table
}

/// What the caches among these met that are shared between processes, or kept on disk.
fn remotes(rows: &[CacheRow], limit: usize) -> Table {
    let mut table = Table::new(
        "Caches behind those: shared between processes, or on disk",
        vec![
            Column::name("cache"),
            Column::name("backend"),
            Column::number("hits", 9),
            Column::number("misses", 8),
            Column::number("hit rate", 10),
            Column::number("stored", 5),
            Column::number("waits", 2),
            Column::number("errors", 7),
            Column::number("timeouts", 6),
            Column::number("skipped", 4),
            Column::number("unreadable", 3),
            Column::number("unfit", 1),
        ],
    );
    let names = shorten(&mut rows.iter().map(|row| &row.name));
    let rows: Vec<_> = rows.iter().zip(names).filter_map(|(row, name)| Some((row.remote?, name))).collect();
    let all = rows.len();
    for (row, name) in rows.into_iter().take(limit) {
        table.row(vec![
            name.into(),
            row.backend.into(),
            count(row.hits).into(),
            count(row.misses).into(),
            ratio(row.hit_ratio()),
            count(row.stores).into(),
            count(row.lease_waits).into(),
            trouble(row.errors),
            trouble(row.timeouts),
            trouble(row.skipped),
            trouble(row.foreign + row.corrupt),
            trouble(row.too_large + row.unencodable),
        ]);
    }
    more(&mut table, all, limit);
    table
}

fn pools(rows: &[PoolRow], limit: usize) -> Table {
    let mut table = Table::new(
        "Pools",
        vec![
            Column::name("pool"),
            Column::number("borrowed", 9),
            Column::number("created", 8),
            Column::number("hit rate", 10),
            Column::number("returned", 4),
            Column::number("discarded", 6),
            Column::number("taken", 3),
            Column::number("idle", 7),
            Column::number("in use", 7),
            Column::number("peak", 5),
            Column::number("of", 4),
        ],
    );
    let names = shorten(&mut rows.iter().map(|row| &row.name));
    for (row, name) in rows.iter().zip(names).take(limit) {
        table.row(vec![
            name.into(),
            count(row.borrowed).into(),
            count(row.created).into(),
            ratio(row.hit_ratio()),
            count(row.returned).into(),
            trouble(row.discarded),
            count(row.taken).into(),
            count(row.idle).into(),
            count(row.in_use).into(),
            count(row.peak_in_use).into(),
            count(row.max_size).into(),
        ]);
    }
    more(&mut table, rows.len(), limit);
    table
}

fn ratio(ratio: Option<f64>) -> Cell {
    match ratio {
        None => Cell::none(),
        Some(ratio) if ratio < 0.5 => Cell::toned(percent(ratio), Tone::Warning),
        Some(ratio) => percent(ratio).into(),
    }
}

fn more(table: &mut Table, rows: usize, limit: usize) {
    if rows > limit {
        table.note(format!(
            "… and {} more (shown by PERFKIT=table:all, and by `to_full_table` in code)",
            rows - limit
        ));
    }
}

#[cfg(test)]
mod tests {
    use tabled::grid::util::string::get_line_width;

    use super::*;
    use crate::snapshot::{Estimate, Location, Name, Requests};

    fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    fn function(name: &str, calls: u64, self_time: Duration, share: f64) -> FunctionRow {
        FunctionRow {
            name: Name::path(name.to_owned()),
            location: Location { file: "src/main.rs", line: 3, column: 4 },
            cyclomatic: Some(4),
            calls,
            primitive_calls: calls,
            self_time,
            total_time: self_time * 2,
            share,
            latency: Latency {
                min: micros(1),
                mean: micros(2),
                p50: micros(2),
                p95: micros(3),
                p99: micros(4),
                p999: micros(5),
                max: micros(6),
            },
            ..FunctionRow::default()
        }
    }

    fn example() -> Report {
        let mut recursive = function("app::walk", 30, micros(250), 0.25);
        recursive.primitive_calls = 2;
        recursive.panics = 1;
        recursive.cyclomatic = Some(77);
        Report {
            wall: Duration::from_millis(12),
            overhead: micros(30),
            threads: 2,
            functions: vec![
                function("app::parse::Lexer<app::Token>::next", 1_234_567, micros(750), 0.75),
                recursive,
            ],
            futures: vec![FutureRow {
                name: Name::path("app::fetch"),
                started: 3,
                completed: 2,
                dropped: 1,
                polls: 9,
                ..FutureRow::default()
            }],
            caches: vec![CacheRow {
                name: Name::path("app::lookup"),
                hits: 9,
                misses: 1,
                loads: 1,
                load_time: micros(80),
                max_size: 10_000,
                len: 1,
                ..CacheRow::default()
            }],
            pools: vec![PoolRow {
                name: Name::path("app::buffer"),
                borrowed: 100,
                reused: 98,
                created: 2,
                idle: 2,
                max_size: 1_000,
                ..PoolRow::default()
            }],
            ..Report::default()
        }
    }

    #[test]
    fn the_tables_as_they_are_printed() {
        let expected = "\
perfkit: run 12.0 ms, measured 1.00 ms on 2 threads, measuring took 30.0 µs

Functions
function                 calls    self  % of run    total     mean      p50      p95      p99      max  cc  panics
─────────────────────  ───────  ──────  ────────  ───────  ───────  ───────  ───────  ───────  ───────  ──  ──────
Lexer<Token>::next   1 234 567  750 µs    75.0 %  1.50 ms  2.00 µs  2.00 µs  3.00 µs  4.00 µs  6.00 µs   4       0
";
        let text = tables(&example(), Page::default(), AllRows::No);
        for line in ["Functions", "Futures", "Caches", "Pools"] {
            assert!(text.contains(&format!("\n{line}\n")), "{text}");
        }
        let first: Vec<&str> = text.lines().take(6).collect();
        let wanted: Vec<&str> = expected.lines().collect();
        // The words of each line; their columns are checked below.
        for (line, wanted) in first.iter().zip(&wanted).filter(|(line, _)| !line.contains('─')) {
            assert_eq!(
                line.split_whitespace().collect::<Vec<_>>(),
                wanted.split_whitespace().collect::<Vec<_>>()
            );
        }
        assert!(text.contains("30/2"), "{text}");
    }

    #[test]
    fn numbers_end_in_the_column_of_their_header() {
        let text = tables(&example(), Page::default(), AllRows::No);
        let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        let header = lines.iter().position(|line| line.starts_with(&['f', 'u', 'n'])).unwrap();
        let rule = &lines[header + 1];
        let ends: Vec<usize> =
            (0..rule.len()).filter(|i| rule[*i] == '─' && rule.get(i + 1) != Some(&'─')).collect();
        for row in [header, header + 2, header + 3] {
            for end in &ends[1..] {
                assert!(!lines[row][*end].is_whitespace(), "{text}");
                assert!(lines[row].get(end + 1).is_none_or(|c| *c == ' '), "{text}");
            }
        }
    }

    #[test]
    fn wide_characters_keep_the_columns_straight() {
        let report = Report {
            functions: vec![
                function("app::数える関数の長い名前をここに書きます試験用の名前", 5, micros(1), 0.1),
                function("app::f", 5, micros(1), 0.1),
            ],
            ..Report::default()
        };
        for width in 40..=80 {
            let text = tables(&report, Page { width: Some(width), colour: false }, AllRows::No);
            let columns = |start: &str| {
                let row = text.lines().find(|line| line.starts_with(start)).unwrap();
                get_line_width(&row[..row.rfind(" µs").unwrap()])
            };
            assert_eq!(columns("…"), columns("app::f"), "{width}\n{text}");
        }
    }

    #[test]
    fn what_has_not_ended_has_no_mean() {
        let running = FunctionRow {
            calls: 0,
            primitive_calls: 0,
            in_flight: 1,
            ..function("app::f", 1, micros(9), 1.0)
        };
        let report = Report {
            functions: vec![running],
            futures: vec![FutureRow { name: Name::path("app::g"), started: 1, ..FutureRow::default() }],
            caches: vec![CacheRow { name: Name::path("app::h"), hits: 1, ..CacheRow::default() }],
            ..Report::default()
        };
        let text = report.to_table();
        let row = |name: &str| {
            let row = text.lines().find(|line| line.starts_with(name)).unwrap();
            row.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(row("app::f"), "0 9.00 µs 100.0 % 18.0 µs - - - - - 4 1");
        assert_eq!(row("app::g"), "1 0 0 0 0 - - - - -");
        assert_eq!(row("app::h"), "1 0 100.0 % 0 0 0 - 0 0 0 0");
    }

    #[test]
    fn causes_that_no_entry_left_by_take_no_room() {
        let mut report = Report {
            caches: vec![
                CacheRow {
                    name: Name::path("app::g"),
                    evicted: 3,
                    len: 7,
                    max_size: 8,
                    ..CacheRow::default()
                },
                CacheRow { name: Name::path("app::h"), ..CacheRow::default() },
            ],
            ..Report::default()
        };
        let end_of = |report: &Report, name: &str| {
            let text = report.to_table();
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            let from = words.len() - if name == "cache" { 3 } else { 5 }.min(words.len());
            words[from..].join(" ")
        };
        assert_eq!(end_of(&report, "cache"), "evicted size of");
        assert!(end_of(&report, "app::g").ends_with("3 7 8"), "{report}");
        report.caches[1].invalidated = 5;
        report.caches[1].evicted_for_memory = 6;
        let text = report.to_table();
        assert!(
            text.contains("  for memory  invalidated  size  of\n") && !text.contains("expired"),
            "{text}"
        );
        assert!(end_of(&report, "app::h").ends_with("0 6 5 0 0"), "{text}");
    }

    #[test]
    fn an_estimate_says_so_and_how_sure_it_is() {
        let mut report = example();
        report.functions.truncate(2);
        report.functions[0].estimate =
            Some(Estimate { timed_calls: 40, self_error: micros(15), total_error: micros(0) });
        report.functions[1].estimate =
            Some(Estimate { timed_calls: 40, self_error: micros(250), total_error: micros(1) });
        let text = report.to_table();
        assert!(text.contains("  ~750 µs ±2.0 %    75.0 %         1.50 ms  "), "{text}");
        assert!(text.contains("  ~250 µs ±100 %    25.0 %  ~500 µs ±0.2 %  "), "{text}");
    }

    #[test]
    fn memory_is_shown_where_an_allocator_tells() {
        assert!(!example().to_table().contains("\nMemory\n"));
        let mut report = example();
        let own = Requests { allocations: 1_200, bytes: 3 << 20, net_bytes: -512 };
        let total = Requests { allocations: 1_300, bytes: 4 << 20, net_bytes: 0 };
        report.functions[1].memory = Some(MemoryUse { own, total, peak_bytes: 1_536 });
        report.functions[0].memory = Some(MemoryUse::default());
        let text = report.to_table();
        let table = text.split("\n\n").find(|table| table.starts_with("Memory\n")).unwrap();
        assert_eq!(
            table,
            "\
Memory
function   allocations     bytes     net  total allocations  total bytes  total net      peak
─────────  ───────────  ────────  ──────  ─────────────────  ───────────  ─────────  ────────
app::walk        1 200  3.00 MiB  -512 B              1 300     4.00 MiB          0  1.50 KiB"
        );
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(json["functions"][1]["memory"]["own"]["net_bytes"], -512);
        assert_eq!(json["functions"][1]["memory"]["peak_bytes"], 1_536);
        assert!(json["functions"][0]["memory"]["total"].is_object());
        assert!(serde_json::from_str::<serde_json::Value>(&example().to_json()).unwrap()["functions"][0]["memory"].is_null());
    }

    #[test]
    fn a_narrow_page_loses_columns_and_says_which() {
        for width in [200, 120, 100, 80, 60, 40] {
            let text = tables(&example(), Page { width: Some(width), colour: false }, AllRows::No);
            let table = text.split("\n\n").nth(1).unwrap();
            for line in table.lines().filter(|line| !line.starts_with("no room for")) {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            assert!(table.contains("calls") && table.contains("Token>::next"), "{table}");
            assert_eq!(table.contains("no room for: "), width < 110, "{width}\n{table}");
            if width == 60 {
                // In the order of the columns.
                assert!(table.ends_with("\nno room for: mean, p50, p95, p99, max, cc, panics"), "{table}");
            }
        }
    }

    #[test]
    fn colours_only_where_asked_for() {
        assert!(!tables(&example(), Page::default(), AllRows::No).contains('\u{1b}'));
        let coloured = tables(&example(), Page { width: None, colour: true }, AllRows::No);
        assert!(coloured.contains("\u{1b}[31m77\u{1b}[0m"), "{coloured:?}");
        // Taking the colours out gives the plain table.
        let mut plain = String::new();
        let mut inside = false;
        for character in coloured.chars() {
            match character {
                '\u{1b}' => inside = true,
                'm' if inside => inside = false,
                c if !inside => plain.push(c),
                _ => {}
            }
        }
        let trimmed: Vec<&str> = plain.lines().map(str::trim_end).collect();
        let expected = tables(&example(), Page::default(), AllRows::No);
        assert_eq!(trimmed, expected.lines().collect::<Vec<_>>());
    }

    #[test]
    fn a_long_table_is_cut_and_says_so() {
        let report = Report {
            functions: (0..45).map(|i| function(&format!("app::f{i}"), 1, micros(1), 0.1)).collect(),
            ..Report::default()
        };
        assert!(
            report
                .to_table()
                .contains("\n… and 15 more (shown by PERFKIT=table:all, and by `to_full_table` in code)\n")
        );
        assert!(report.to_full_table().contains("app::f44"));
    }

    #[test]
    fn nothing_measured_is_said() {
        assert!(Report::default().to_table().starts_with("perfkit: nothing was measured: no #[profiled]"));
    }
}
