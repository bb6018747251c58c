//! The benchmarks of the program: what `#[benchmark]` submits, in whatever crate of it, and the cases of each.
//!
//! To name a benchmark's cases, its `args` have to be evaluated, which is somebody's code. What goes wrong there is the failure of that benchmark, and
//! must never be in the way of the others.

use core::fmt::{self, Write as _};
use core::time::Duration;

use perf_runtime::order;
use perf_runtime::snapshot::Name;

use crate::bencher::Bencher;
use crate::own_thread::{self, Ended};
use crate::settings::Settings;
use crate::suite;

/// One function with `#[benchmark]`. Built by generated code in a `static`.
pub struct BenchmarkEntry {
    path: &'static str,
    name: Option<&'static str>,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// Whether the function was compiled with optimisation.
    pub(crate) optimised: fn() -> bool,
    cases: fn() -> Cases,
    /// Nanoseconds per call.
    pub(crate) target: Option<f64>,
    pub(crate) iterations: Option<u64>,
    pub(crate) warmup: Option<u64>,
    pub(crate) timeout: Duration,
    /// Whether that is what the attribute says, and not just what is usual.
    #[cfg_attr(
        not(feature = "bench"),
        allow(dead_code, reason = "what is read where something else may say it")
    )]
    pub(crate) sets_timeout: bool,
    /// Left out unless asked for: why, or an empty text.
    pub(crate) ignored: Option<&'static str>,
}

inventory::collect!(&'static BenchmarkEntry);

/// The `timeout` of a benchmark that sets none: when it is given up.
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
        optimised: fn() -> bool,
        cases: fn() -> Cases,
    ) -> Self {
        BenchmarkEntry {
            path,
            name: None,
            file,
            line,
            column,
            optimised,
            cases,
            target: None,
            iterations: None,
            warmup: None,
            timeout: DEFAULT_TIMEOUT,
            sets_timeout: false,
            ignored: None,
        }
    }

    /// The same, called `name` instead of its path.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// The same, promising that a call takes at most so many nanoseconds.
    #[must_use]
    pub const fn target(mut self, nanos: f64) -> Self {
        self.target = Some(nanos);
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
        self.sets_timeout = true;
        self
    }

    /// The same, run only where that is asked for; the reason may be empty.
    #[must_use]
    pub const fn ignored(mut self, reason: &'static str) -> Self {
        self.ignored = Some(reason);
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

    /// What it is sorted by: its place, and its path where one macro made two at one place.
    pub(crate) fn order(&self) -> (&'static str, &'static str, u32, u32, &'static str) {
        let krate = self.path.split("::").next().unwrap_or("");
        (krate, self.file, self.line, self.column, self.path)
    }
}

/// What runs one case.
type Body = Box<dyn FnOnce(&mut Bencher<'_>) + Send>;

/// The cases of a benchmark, as its own code makes them.
#[doc(hidden)]
pub struct Cases(Vec<(Option<String>, Body)>);

impl fmt::Debug for Cases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Cases {
    /// A benchmark without `args`.
    #[must_use]
    pub fn one(run: impl FnOnce(&mut Bencher<'_>) + Send + 'static) -> Self {
        Cases(vec![(None, Box::new(run))])
    }

    /// One case for each of `args`, which are evaluated here and never again.
    #[must_use]
    pub fn each<T: fmt::Debug + Send + 'static>(
        args: impl IntoIterator<Item = T>,
        run: impl FnOnce(&mut Bencher<'_>, &T) + Copy + Send + 'static,
    ) -> Self {
        let case = |argument: T| -> (Option<String>, Body) {
            (Some(case_name(&argument)), Box::new(move |bencher| run(bencher, &argument)))
        };
        // One more than may be, so that there are too many and yet an end.
        Cases(args.into_iter().take(MOST_CASES + 1).map(case).collect())
    }
}

/// Calls a closure of `setup` with an argument whose type is known by then.
#[doc(hidden)]
pub fn set_up<T, R>(argument: T, setup: impl FnOnce(T) -> R) -> R {
    setup(argument)
}

/// More than anybody looks at; `args = 0..` has no end.
const MOST_CASES: usize = 10_000;
/// Characters of an argument in the name of its case.
const LONGEST_ARGUMENT: usize = 60;

/// One thing to run: a benchmark, or one case of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) entry: &'static BenchmarkEntry,
    /// Among the `args`.
    pub(crate) index: usize,
    /// `path` or `path/argument`.
    pub(crate) name: String,
    pub(crate) settings: Settings,
}

impl Case {
    fn new(entry: &'static BenchmarkEntry, index: usize, name: String) -> Self {
        Case { settings: suite::settings(entry, &name), entry, index, name }
    }

    /// Its name for a table, which cuts a path and leaves `name = "…"` alone.
    pub(crate) fn label_or_path(&self) -> Name {
        let name = self.name.clone();
        if self.entry.name.is_some() { Name::label(name) } else { Name::path(name) }
    }
}

/// A case and what runs it, or why nothing can.
pub(crate) struct Job {
    pub(crate) case: Case,
    pub(crate) body: Result<Body, String>,
}

/// The cases of one benchmark; a single one that says what is wrong where its `args` cannot be used.
pub(crate) fn jobs_of(entry: &'static BenchmarkEntry) -> Vec<Job> {
    let timeout = suite::settings(entry, entry.name()).timeout;
    let named = match own_thread::run(entry.name(), timeout, entry.cases) {
        Ok(cases) => named(cases),
        Err(Ended::Panicked(message)) => Err(format!("panicked in its `args`: {message}")),
        Err(Ended::TimedOut) => Err(format!(
            "did not end within {timeout:?} in its `args`; make fewer or smaller ones, or what is large in `setup`",
        )),
        Err(Ended::NotBegun(reason)) => Err(reason),
    };
    match named {
        Ok(cases) => cases
            .into_iter()
            .enumerate()
            .map(|(index, (argument, body))| {
                let name = argument.map_or_else(
                    || entry.name().to_owned(),
                    |argument| format!("{}/{argument}", entry.name()),
                );
                Job { case: Case::new(entry, index, name), body: Ok(body) }
            })
            .collect(),
        Err(reason) => {
            vec![Job { case: Case::new(entry, 0, entry.name().to_owned()), body: Err(reason) }]
        }
    }
}

/// Cases with names that are one line, not too long, and each of its own.
fn named(Cases(cases): Cases) -> Result<Vec<(Option<String>, Body)>, String> {
    if cases.is_empty() {
        return Err(String::from("has no case, because its `args` are empty; give it at least one argument"));
    }
    if cases.len() > MOST_CASES {
        return Err(format!("has more than {MOST_CASES} `args`; write an end, such as `.take(10)`"));
    }
    let mut taken = std::collections::HashSet::new();
    cases
        .into_iter()
        .enumerate()
        .map(|(index, (name, body))| {
            let Some(mut name) = name else { return Ok((None, body)) };
            if let Some(control) = name.chars().find(|character| character.is_control()) {
                return Err(format!(
                    "has an argument (number {index} of `args`, from 0) whose `Debug` cannot be part of a name, which is one line: \
                     it has {control:?} in it; write a `Debug` without, or make the value in `setup`"
                ));
            }
            if !taken.insert(name.clone()) {
                name = format!("{name} #{index}");
                taken.insert(name.clone());
            }
            Ok((Some(name), body))
        })
        .collect()
}

/// The start of what `Debug` writes. What is large takes long to write, and nobody reads it.
struct Start(String);

impl fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Two more for quotes, and one to see that there is more.
        let left = (LONGEST_ARGUMENT + 3).saturating_sub(self.0.chars().count());
        self.0.extend(text.chars().take(left));
        if text.chars().nth(left).is_some() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The text that stands for an argument in the name of its case, without the quotes of a string.
fn case_name(argument: &dyn fmt::Debug) -> String {
    let mut debug = Start(String::new());
    // What was written before an error is the start.
    let _ = write!(debug, "{argument:?}");
    let Start(text) = debug;
    let text = text.strip_prefix('"').map_or(text.as_str(), |text| text.strip_suffix('"').unwrap_or(text));
    match text.char_indices().nth(LONGEST_ARGUMENT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// All benchmarks that were linked into the program, in the order of their crates, files and lines.
pub(crate) fn entries() -> Vec<&'static BenchmarkEntry> {
    let mut entries: Vec<_> = inventory::iter::<&'static BenchmarkEntry>().copied().collect();
    order::sort(&mut entries, |a, b| a.order().cmp(&b.order()));
    entries
}

#[cfg(test)]
mod tests {
    use perf_runtime::show::names::shorten;

    use super::*;

    const fn entry(cases: fn() -> Cases) -> BenchmarkEntry {
        BenchmarkEntry::new("app::parse::words", ("", 1, 1), || true, cases)
    }

    fn names(entry: &'static BenchmarkEntry) -> Vec<String> {
        jobs_of(entry).into_iter().map(|job| job.case.name).collect()
    }

    /// The one case that is left, and why it cannot be run.
    fn reason(entry: &'static BenchmarkEntry) -> String {
        let mut jobs = jobs_of(entry);
        assert_eq!((jobs.len(), jobs[0].case.name.as_str()), (1, "app::parse::words"));
        jobs.remove(0).body.err().expect("it cannot be run")
    }

    #[test]
    fn a_table_cuts_paths_and_neither_labels_nor_arguments() {
        static ENTRY: BenchmarkEntry = entry(|| Cases::each(["a::b::c"], |_, _| {}));
        static LABELLED: BenchmarkEntry = entry(|| Cases::one(|_| {})).named("a::b::c");
        let jobs = [&ENTRY, &LABELLED].into_iter().flat_map(jobs_of);
        let names: Vec<_> = jobs.map(|job| job.case.label_or_path()).collect();
        assert_eq!(shorten(&mut names.iter()), ["parse::words/a::b::c", "a::b::c"]);
    }

    #[test]
    fn a_name_is_one_line_and_of_one_case() {
        static TEXTS: BenchmarkEntry = entry(|| Cases::each(["small", "two\nlines", ""], |_, _| {}));
        assert_eq!(
            names(&TEXTS),
            ["app::parse::words/small", "app::parse::words/two\\nlines", "app::parse::words/"]
        );
        assert_eq!(case_name(&"\"quoted\""), "\\\"quoted\\\"");
        assert_eq!(case_name(&"x".repeat(LONGEST_ARGUMENT)), "x".repeat(LONGEST_ARGUMENT));
        assert_eq!(case_name(&(1, Some(2))), "(1, Some(2))");
        static TWICE: BenchmarkEntry = entry(|| Cases::each([7, 8, 7, 7], |_, _| {}));
        let twice = ["7", "8", "7 #2", "7 #3"].map(|name| format!("app::parse::words/{name}"));
        assert_eq!(names(&TWICE), twice);
        static LONG: BenchmarkEntry = entry(|| Cases::each([vec!['ä'; 1000], vec!['ä'; 1001]], |_, _| {}));
        let long = names(&LONG);
        assert_eq!(long[0].chars().count(), "app::parse::words/".len() + LONGEST_ARGUMENT + 1);
        assert_eq!(long[1], format!("{} #1", long[0]));
    }

    #[test]
    fn args_that_cannot_be_used_are_the_benchmarks_own_failure() {
        struct TwoLines;
        impl fmt::Debug for TwoLines {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a\nb")
            }
        }
        static LINES: BenchmarkEntry = entry(|| Cases::each([TwoLines], |_, _| {}));
        assert!(reason(&LINES).contains("it has '\\n' in it"), "{}", reason(&LINES));
        static EMPTY: BenchmarkEntry = entry(|| Cases::each([0_u8; 0], |_, _| {}));
        assert!(reason(&EMPTY).contains("`args` are empty"));
        static ENDLESS: BenchmarkEntry = entry(|| Cases::each(0_u64.., |_, _| {}));
        assert!(reason(&ENDLESS).contains("more than 10000 `args`"));
        static PANICS: BenchmarkEntry = entry(|| Cases::each([1, 0].map(|n| 10 / n), |_, _| {}));
        assert!(reason(&PANICS).starts_with("panicked in its `args`: attempt to divide by zero"));
    }

    #[test]
    fn args_are_evaluated_once() {
        use std::sync::atomic::{AtomicU32, Ordering};
        static TIMES: AtomicU32 = AtomicU32::new(0);
        static ENTRY: BenchmarkEntry = entry(|| {
            let numbers = [10, 20].map(|n| n + TIMES.fetch_add(1, Ordering::Relaxed));
            Cases::each(numbers, |_, n| assert!([10, 21].contains(n)))
        });
        let plan = crate::measure::Plan::for_tests();
        for job in jobs_of(&ENTRY) {
            job.body.unwrap()(&mut Bencher::new(&plan));
        }
        assert_eq!(TIMES.load(Ordering::Relaxed), 2);
    }
}
