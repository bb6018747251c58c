//! The benchmarks of the program: what `#[benchmark]` submits, in whatever crate of it.

use core::fmt;
use core::time::Duration;

use perf_runtime::snapshot::Name;

use crate::bencher::Bencher;

/// One function with `#[benchmark]`. Built by generated code in a `static`.
pub struct BenchmarkEntry {
    path: &'static str,
    name: Option<&'static str>,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// Whether the function was compiled with optimisation, as far as `debug_assertions` tell.
    pub(crate) optimised: bool,
    /// The names of its cases; none where it has no `args`.
    pub(crate) cases: fn() -> Vec<String>,
    /// Runs one case.
    pub(crate) run: fn(&mut Bencher<'_>, usize),
    pub(crate) target: Option<Duration>,
    pub(crate) iterations: Option<u64>,
    pub(crate) warmup: Option<u64>,
    pub(crate) timeout: Duration,
    pub(crate) ignored: bool,
}

inventory::collect!(BenchmarkEntry);

/// The `timeout` of a benchmark that sets none.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

impl fmt::Debug for BenchmarkEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BenchmarkEntry").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Making one. Of `static`s, so all of it is `const`.
impl BenchmarkEntry {
    /// The benchmark of the function at `path` (crate, modules, function), whose name stands at the place given.
    #[must_use]
    pub const fn new(
        path: &'static str,
        (file, line, column): (&'static str, u32, u32),
        optimised: bool,
        cases: fn() -> Vec<String>,
        run: fn(&mut Bencher<'_>, usize),
    ) -> Self {
        BenchmarkEntry {
            path,
            name: None,
            file,
            line,
            column,
            optimised,
            cases,
            run,
            target: None,
            iterations: None,
            warmup: None,
            timeout: DEFAULT_TIMEOUT,
            ignored: false,
        }
    }

    /// The same, called `name` instead of its path.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// The same, promising that a call takes at most `target`.
    #[must_use]
    pub const fn target(mut self, target: Duration) -> Self {
        self.target = Some(target);
        self
    }

    /// The same, with that many samples where it is measured.
    #[must_use]
    pub const fn iterations(mut self, iterations: u64) -> Self {
        self.iterations = Some(iterations);
        self
    }

    /// The same, with that many calls before the first sample.
    #[must_use]
    pub const fn warmup(mut self, warmup: u64) -> Self {
        self.warmup = Some(warmup);
        self
    }

    /// The same, given up after `timeout`.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same, run only where that is asked for.
    #[must_use]
    pub const fn ignored(mut self) -> Self {
        self.ignored = true;
        self
    }
}

impl BenchmarkEntry {
    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        self.name.unwrap_or(self.path)
    }

    /// `file:line`.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// One thing to run: a benchmark, or one case of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) entry: &'static BenchmarkEntry,
    /// Among the `args`.
    pub(crate) index: usize,
    /// `path` or `path/case`.
    pub(crate) name: String,
}

impl Case {
    /// Its name for a table, which cuts a path and leaves `name = "…"` alone.
    pub(crate) fn label_or_path(&self) -> Name {
        let name = self.name.clone();
        if self.entry.name.is_some() { Name::label(name) } else { Name::path(name) }
    }
}

/// The cases of one benchmark.
pub(crate) fn cases_of(entry: &'static BenchmarkEntry) -> Vec<Case> {
    let names = (entry.cases)();
    if names.is_empty() {
        return vec![Case { entry, index: 0, name: entry.name().to_owned() }];
    }
    let cases = names.into_iter().enumerate();
    cases.map(|(index, name)| Case { entry, index, name: format!("{}/{name}", entry.name()) }).collect()
}

/// All benchmarks that were linked into the program, in the order of their crates, files and lines.
pub(crate) fn entries() -> Vec<&'static BenchmarkEntry> {
    let mut entries: Vec<_> = inventory::iter::<BenchmarkEntry>().collect();
    let krate = |entry: &BenchmarkEntry| entry.path.split("::").next().unwrap_or("");
    entries.sort_by(|a, b| (krate(a), a.file, a.line, a.column).cmp(&(krate(b), b.file, b.line, b.column)));
    entries
}

/// The text that stands for an argument in the name of its case.
///
/// ```
/// assert_eq!(perf_bench::case_name(&"small"), "small");
/// assert_eq!(perf_bench::case_name(&(1, Some(2))), "(1, Some(2))");
/// ```
#[must_use]
pub fn case_name(argument: &impl fmt::Debug) -> String {
    let text = format!("{argument:?}");
    let unquoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&text);
    // A name is one line.
    unquoted.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// One of `args`.
///
/// # Panics
/// If there are fewer than when they were counted, which ends this case.
#[must_use]
pub fn argument<T>(args: impl IntoIterator<Item = T>, case: usize) -> T {
    match args.into_iter().nth(case) {
        Some(argument) => argument,
        None => panic!(
            "`args` has {case} values now, and had more when they were counted: they have to be the same every time"
        ),
    }
}

#[cfg(test)]
mod tests {
    use perf_runtime::show::names::shorten;

    use super::*;

    static ENTRY: BenchmarkEntry =
        BenchmarkEntry::new("app::parse::words", ("", 1, 1), true, || vec!["a::b::c".into()], |_, _| {});
    static LABELLED: BenchmarkEntry =
        BenchmarkEntry::new("app::parse::words", ("", 1, 1), true, Vec::new, |_, _| {}).named("a::b::c");

    #[test]
    fn a_table_cuts_paths_and_neither_labels_nor_arguments() {
        let names: Vec<_> =
            [&ENTRY, &LABELLED].into_iter().flat_map(cases_of).map(|case| case.label_or_path()).collect();
        assert_eq!(shorten(&names), ["parse::words/a::b::c", "a::b::c"]);
    }
}
