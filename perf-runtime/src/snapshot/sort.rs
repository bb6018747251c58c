//! Which rows of a report are shown, and in what order: the keys and restrictions of Python's `pstats`.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use super::{FunctionRow, Report};
use crate::order;

/// What rows of functions can be sorted by: numbers from the largest, words and places from the first.
///
/// ```
/// use perf_runtime::snapshot::SortBy;
///
/// assert_eq!("cumtime".parse(), Ok(SortBy::TotalTime));
/// assert_eq!("self".parse(), Ok(SortBy::SelfTime));
/// assert_eq!("tim".parse::<SortBy>().unwrap_err().to_string(), "no column is called `tim`; known: \
///     name, file, line, nfl, calls, pcalls, self, total, mean, p95, max, cc");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the columns")]
pub enum SortBy {
    Name,
    File,
    Line,
    /// By name, then file, then line.
    NameFileLine,
    Calls,
    PrimitiveCalls,
    SelfTime,
    TotalTime,
    Mean,
    P95,
    Max,
    Cyclomatic,
}

/// What each is called: our word first, then those of `pstats`.
const WORDS: [(SortBy, &[&str]); 12] = [
    (SortBy::Name, &["name"]),
    (SortBy::File, &["file", "filename", "module"]),
    (SortBy::Line, &["line"]),
    (SortBy::NameFileLine, &["nfl", "stdname"]),
    (SortBy::Calls, &["calls", "ncalls"]),
    (SortBy::PrimitiveCalls, &["pcalls"]),
    (SortBy::SelfTime, &["self", "time", "tottime"]),
    (SortBy::TotalTime, &["total", "cumulative", "cumtime"]),
    (SortBy::Mean, &["mean"]),
    (SortBy::P95, &["p95"]),
    (SortBy::Max, &["max"]),
    (SortBy::Cyclomatic, &["cc", "cyclomatic"]),
];

/// No column has that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownColumn(String);

impl fmt::Display for UnknownColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = order::join(&mut WORDS.iter().map(|(_, words)| words[0]), ", ");
        write!(f, "no column is called `{}`; known: {known}", self.0)
    }
}

impl std::error::Error for UnknownColumn {}

impl FromStr for SortBy {
    type Err = UnknownColumn;

    fn from_str(word: &str) -> Result<Self, UnknownColumn> {
        let found = WORDS.iter().find(|(_, words)| words.contains(&word));
        found.map(|(column, _)| *column).ok_or_else(|| UnknownColumn(word.to_owned()))
    }
}

impl SortBy {
    fn compare(self, a: &FunctionRow, b: &FunctionRow) -> Ordering {
        let (here, there) = (a.location, b.location);
        match self {
            SortBy::Name => a.name.cmp(&b.name),
            SortBy::File => here.file.cmp(there.file),
            SortBy::Line => here.line.cmp(&there.line),
            SortBy::NameFileLine => (&a.name, here).cmp(&(&b.name, there)),
            SortBy::Calls => b.calls.cmp(&a.calls),
            SortBy::PrimitiveCalls => b.primitive_calls.cmp(&a.primitive_calls),
            SortBy::SelfTime => b.self_time.cmp(&a.self_time),
            SortBy::TotalTime => b.total_time.cmp(&a.total_time),
            SortBy::Mean => b.latency.mean.cmp(&a.latency.mean),
            SortBy::P95 => b.latency.p95.cmp(&a.latency.p95),
            SortBy::Max => b.latency.max.cmp(&a.latency.max),
            SortBy::Cyclomatic => b.cyclomatic.cmp(&a.cyclomatic),
        }
    }
}

impl Report {
    /// Sorts the functions by a column; those that are equal in it by name.
    pub fn sort_by(&mut self, column: SortBy) -> &mut Self {
        self.sort_by_all(&[column])
    }

    /// Sorts the functions by the first column, those that are equal in it by the next, and so on; at last by name.
    pub fn sort_by_all(&mut self, columns: &[SortBy]) -> &mut Self {
        order::sort(&mut self.functions, |a, b| {
            let compared = columns.iter().map(|column| column.compare(a, b)).find(|order| order.is_ne());
            compared.unwrap_or_else(|| a.name.cmp(&b.name))
        });
        self
    }

    /// Keeps the rows, of every kind, whose name contains `part`.
    pub fn filter(&mut self, part: &str) -> &mut Self {
        self.retain_rows(&|name| name.contains(part))
    }

    /// Keeps the rows, of every kind, whose name `keep` says yes to: a regular expression's `is_match`, for example.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) -> &mut Self {
        self.retain_rows(&keep)
    }

    fn retain_rows(&mut self, keep: &dyn Fn(&str) -> bool) -> &mut Self {
        self.functions.retain(|row| keep(&row.name));
        self.futures.retain(|row| keep(&row.name));
        self.caches.retain(|row| keep(&row.name));
        self.pools.retain(|row| keep(&row.name));
        self
    }

    /// Keeps the first `rows` of each kind.
    pub fn limit(&mut self, rows: usize) -> &mut Self {
        self.functions.truncate(rows);
        self.futures.truncate(rows);
        self.caches.truncate(rows);
        self.pools.truncate(rows);
        self
    }

    /// Keeps that part of the rows of each kind, from the first: 0.1 for a tenth, rounded to the nearest.
    pub fn limit_to(&mut self, fraction: f64) -> &mut Self {
        let part = |rows: usize| (rows as f64 * fraction + 0.5).max(0.0) as usize;
        self.functions.truncate(part(self.functions.len()));
        self.futures.truncate(part(self.futures.len()));
        self.caches.truncate(part(self.caches.len()));
        self.pools.truncate(part(self.pools.len()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Location, Name};

    fn row(name: &'static str, line: u32, calls: u64) -> FunctionRow {
        FunctionRow {
            name: Name::path(name),
            location: Location { file: "a.rs", line, column: 1 },
            calls,
            ..FunctionRow::default()
        }
    }

    fn names(report: &Report) -> Vec<&str> {
        report.functions.iter().map(|row| &*row.name).collect()
    }

    #[test]
    fn equal_rows_are_sorted_by_the_next_column() {
        let functions = vec![row("c", 1, 5), row("b", 3, 9), row("a", 2, 5), row("d", 0, 5)];
        let mut report = Report { functions, ..Report::default() };
        assert_eq!(names(report.sort_by(SortBy::Calls)), ["b", "a", "c", "d"]);
        assert_eq!(names(report.sort_by_all(&[SortBy::Calls, SortBy::Line])), ["b", "d", "c", "a"]);
        assert_eq!(names(report.sort_by(SortBy::NameFileLine)), ["a", "b", "c", "d"]);
        assert_eq!(names(report.clone().limit_to(0.5)), ["a", "b"]);
        assert_eq!(names(report.clone().limit_to(0.0)), [""; 0]);
        assert_eq!(names(report.clone().limit_to(9.0)), ["a", "b", "c", "d"]);
        assert_eq!(names(report.retain(|name| name > "b").limit(1)), ["c"]);
    }

    #[test]
    fn every_word_of_pstats_is_known() {
        let words =
            "calls ncalls pcalls cumulative cumtime file filename module line name nfl stdname time tottime";
        for word in words.split(' ') {
            word.parse::<SortBy>().unwrap();
        }
    }
}
