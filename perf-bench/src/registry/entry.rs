//! The benchmarks of the program: what `#[benchmark]` submits, in whatever crate of it, and the cases of each.
//!
//! To name a benchmark's cases, its `args` have to be evaluated, which is somebody's code. What goes wrong there is the failure of that benchmark, and
//! must never be in the way of the others.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use perf_runtime::order;
use perf_runtime::snapshot::Name;

use crate::judge::{Class, Cost, Promise, Target};
use crate::registry::cases::{Body, Cases, MOST_CASES, Made};
use crate::registry::settings::Settings;
use crate::run::own_thread::{self, Ended};
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
    pub(crate) target: Option<Target>,
    group: &'static str,
    /// How the time of its calls may grow with the size of its `args`.
    complexity: Option<Class>,
    /// And their memory.
    memory_complexity: Option<Class>,
    /// Of its memory.
    pub(crate) promise: Promise,
    /// Whether calls may keep memory.
    pub(crate) may_grow: bool,
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
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BenchmarkEntry").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Making one. Of `static`s, so all of it is `const`.
impl BenchmarkEntry {
    /// The benchmark of the function at `path` (crate, modules, function), whose name stands at the place given.
    #[must_use]
    #[inline]
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
            group: "",
            complexity: None,
            memory_complexity: None,
            promise: Promise { allocations: None, bytes: None },
            may_grow: false,
            iterations: None,
            warmup: None,
            timeout: DEFAULT_TIMEOUT,
            sets_timeout: false,
            ignored: None,
        }
    }

    /// The same, called `name` instead of its path.
    #[must_use]
    #[inline]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// The same, promising that a call takes at most so many nanoseconds.
    #[must_use]
    #[inline]
    pub const fn target(mut self, nanos: f64) -> Self {
        self.target = Some(Target::Nanos(nanos));
        self
    }

    /// The same, promising that so many calls, or items where those are counted, are done in a second.
    #[must_use]
    #[inline]
    pub const fn target_throughput(mut self, per_second: f64) -> Self {
        self.target = Some(Target::PerSecond(per_second));
        self
    }

    /// The same, listed with others of that group.
    #[must_use]
    #[inline]
    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// The same, promising that over its `args` the time of a call grows no faster than that.
    #[must_use]
    #[inline]
    pub const fn complexity(mut self, class: Class) -> Self {
        self.complexity = Some(class);
        self
    }

    /// The same, promising that over its `args` the memory of a call grows no faster than that.
    #[must_use]
    #[inline]
    pub const fn memory_complexity(mut self, class: Class) -> Self {
        self.memory_complexity = Some(class);
        self
    }

    /// The same, promising that a call allocates at most so many times.
    #[must_use]
    #[inline]
    pub const fn target_allocations(mut self, allocations: u64) -> Self {
        self.promise.allocations = Some(allocations);
        self
    }

    /// The same, promising that a call adds at most so many bytes to those that live.
    #[must_use]
    #[inline]
    pub const fn target_bytes(mut self, bytes: u64) -> Self {
        self.promise.bytes = Some(bytes);
        self
    }

    /// The same, whose calls may keep memory.
    #[must_use]
    #[inline]
    pub const fn may_grow(mut self) -> Self {
        self.may_grow = true;
        self
    }

    /// The same, with that many samples where it is measured.
    #[must_use]
    #[inline]
    pub const fn iterations(mut self, iterations: u64) -> Self {
        self.iterations = Some(iterations);
        self
    }

    /// The same, with that many calls before the first sample.
    #[must_use]
    #[inline]
    pub const fn warmup(mut self, warmup: u64) -> Self {
        self.warmup = Some(warmup);
        self
    }

    /// The same, given up after `timeout`.
    #[must_use]
    #[inline]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self.sets_timeout = true;
        self
    }

    /// The same, run only where that is asked for; the reason may be empty.
    #[must_use]
    #[inline]
    pub const fn ignored(mut self, reason: &'static str) -> Self {
        self.ignored = Some(reason);
        self
    }
}

impl BenchmarkEntry {
    /// What it is called.
    #[inline]
    pub(crate) fn name(&self) -> &'static str {
        self.name.unwrap_or(self.path)
    }

    /// The name of it or of a case for a table, which cuts a path and leaves `name = "…"` alone.
    #[inline]
    pub(crate) fn label_or_path(&self, name: String) -> Name {
        if self.name.is_some() { Name::label(name) } else { Name::path(name) }
    }

    /// `file:line`.
    #[inline]
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// What it is sorted by: its group and place, and its path where one macro made two at one place.
    #[inline]
    pub(crate) fn order(&self) -> (&'static str, &'static str, &'static str, u32, u32, &'static str) {
        let krate = self.path.split("::").next().unwrap_or("");
        (krate, self.group, self.file, self.line, self.column, self.path)
    }

    /// Whether that may be the name of a case of it, as far as is known before its `args` are evaluated.
    #[inline]
    pub(crate) fn may_have(&self, case: &str) -> bool {
        case.strip_prefix(self.name()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// What it promises of how its calls grow, each with the word that stands for an argument in the name of what judges it.
    #[inline]
    fn growths(&self) -> [(&'static str, Cost, Option<Class>); 2] {
        [("complexity", Cost::Time, self.complexity), ("memory", Cost::Memory, self.memory_complexity)]
    }

    /// Whether an argument of that name would be taken for one of those.
    #[inline]
    fn has_growth_named(&self, argument: &str) -> bool {
        self.growths().iter().any(|(word, _, class)| class.is_some() && *word == argument)
    }
}

/// One thing to run: a benchmark, or one case of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) entry: &'static BenchmarkEntry,
    /// Among the cases of the benchmark.
    pub(crate) index: usize,
    /// What those that differ in nothing but their argument are called together: `path`, or with an instance and threads.
    pub(crate) series: Arc<str>,
    /// Of its argument.
    pub(crate) size: Option<u64>,
    /// `path`, `path/argument`, `path/complexity` or `path/memory`.
    pub(crate) name: String,
    pub(crate) settings: Settings,
}

impl Case {
    #[inline]
    fn new(
        entry: &'static BenchmarkEntry,
        index: usize,
        series: Arc<str>,
        size: Option<u64>,
        name: String,
    ) -> Self {
        Case { settings: suite::settings(entry, &name), entry, index, series, size, name }
    }

    /// Its name for a table.
    #[inline]
    pub(crate) fn label_or_path(&self) -> Name {
        self.entry.label_or_path(self.name.clone())
    }
}

/// A case and what runs it, or why nothing can.
pub(crate) struct Job {
    pub(crate) case: Case,
    pub(crate) task: Result<Task, String>,
}

/// What is to be run.
pub(crate) enum Task {
    Case(Body),
    /// All cases that have a size, to see how that cost grows with it.
    Growth(Cost, Class, Vec<(u64, Body)>),
}

/// The cases of one benchmark; a single one that says what is wrong where its `args` cannot be used.
#[inline]
pub(crate) fn jobs_of(entry: &'static BenchmarkEntry) -> Vec<Job> {
    let timeout = suite::settings(entry, entry.name()).timeout;
    let named = match own_thread::run(entry.name(), timeout, entry.cases) {
        Ok(cases) => named(entry, cases),
        Err(Ended::Panicked(message)) => Err(format!("panicked in its `args`: {message}")),
        Err(Ended::TimedOut) => Err(format!(
            "did not end within {timeout:?} in its `args`; make fewer or smaller ones, or what is large in `setup`",
        )),
        Err(Ended::Interrupted) => Err(String::from("was interrupted in its `args`")),
        Err(Ended::NotBegun(reason)) => Err(reason),
    };
    let whole = |rest: Option<&str>| match rest {
        None => entry.name().to_owned(),
        Some(rest) => format!("{}/{rest}", entry.name()),
    };
    let cases = match named {
        Ok(cases) => cases,
        Err(reason) => {
            let case = Case::new(entry, 0, entry.name().into(), None, whole(None));
            return vec![Job { case, task: Err(reason) }];
        }
    };
    let mut jobs = Vec::new();
    // Promised for all sizes together, so that it is something of its own to run; but of each instance, and on so many threads, by itself.
    let mut growths: Vec<Growths> = Vec::new();
    for (index, (name, made)) in cases.into_iter().enumerate() {
        let place = growths.iter().position(|growths| growths.first.is_like(&made)).unwrap_or(growths.len());
        let (body, size) = (made.body.clone(), made.size);
        if place == growths.len() {
            growths.push(Growths {
                series: whole(made.name(None).as_deref()).into(),
                first: made,
                sizes: Vec::new(),
            });
        }
        let Growths { series, sizes, .. } = &mut growths[place];
        sizes.extend(size.map(|size| (size, body.clone())));
        let case = Case::new(entry, index, Arc::clone(series), size, whole(name.as_deref()));
        jobs.push(Job { case, task: Ok(Task::Case(body)) });
    }
    for (word, cost, class) in entry.growths() {
        let Some(class) = class else { continue };
        for Growths { first, series, sizes } in &growths {
            let name = whole(first.name(Some(word)).as_deref());
            let case = Case::new(entry, jobs.len(), Arc::clone(series), None, name);
            jobs.push(Job { case, task: Ok(Task::Growth(cost, class, sizes.clone())) });
        }
    }
    jobs
}

/// Cases that differ in nothing but their argument.
struct Growths {
    first: Made,
    series: Arc<str>,
    sizes: Vec<(u64, Body)>,
}

/// Cases with names that are one line, not too long, and each of its own.
#[inline]
fn named(entry: &BenchmarkEntry, Cases(cases): Cases) -> Result<Vec<(Option<String>, Made)>, String> {
    if cases.is_empty() {
        return Err(String::from(
            "has no case, because its `args` are empty, or its `threads`; give it at least one",
        ));
    }
    if cases.len() > MOST_CASES {
        return Err(format!("has more than {MOST_CASES} `args`; write an end, such as `.take(10)`"));
    }
    let mut taken: Vec<String> = Vec::new();
    let mut named = Vec::new();
    for (index, made) in cases.into_iter().enumerate() {
        let Some(mut name) = made.name(made.argument.as_deref()) else {
            named.push((None, made));
            continue;
        };
        if let Some(control) = name.chars().find(|character| character.is_control()) {
            return Err(format!(
                "has an argument (number {index} of `args`, from 0) whose `Debug` cannot be part of a name, which is one line: \
                 it has {control:?} in it; write a `Debug` without, or make the value in `setup`"
            ));
        }
        if made.argument.as_deref().is_some_and(|argument| entry.has_growth_named(argument)) {
            name = format!("{name} #{index}");
        }
        // Sorted, so that many are looked up soon. One that is made so may be that of an argument.
        while taken.binary_search(&name).is_ok() {
            name = format!("{name} #{index}");
        }
        if let Err(place) = taken.binary_search(&name) {
            taken.insert(place, name.clone());
        }
        named.push((Some(name), made));
    }
    Ok(named)
}

/// All benchmarks that were linked into the program, in the order of their crates, files and lines.
#[inline]
pub(crate) fn entries() -> Vec<&'static BenchmarkEntry> {
    let mut entries: Vec<_> = inventory::iter::<&'static BenchmarkEntry>().copied().collect();
    order::sort(&mut entries, |a, b| a.order().cmp(&b.order()));
    entries
}

/// The jobs of those that pass a test, in their order. The others are not asked for their cases, since making the arguments may take long.
#[inline]
pub(crate) fn jobs(test: &dyn Fn(&BenchmarkEntry) -> bool) -> Vec<Job> {
    let mut jobs = Vec::new();
    for entry in entries() {
        if test(entry) {
            jobs.append(&mut jobs_of(entry));
        }
    }
    refuse_namesakes(&mut jobs);
    jobs
}

/// Of two cases of one name, neither a filter nor what is saved tells which is meant: the later one is not run.
#[inline]
fn refuse_namesakes(jobs: &mut [Job]) {
    let mut by_name: Vec<usize> = (0..jobs.len()).collect();
    order::sort(&mut by_name, |a, b| (&jobs[*a].case.name, a).cmp(&(&jobs[*b].case.name, b)));
    for places in by_name.windows(2) {
        if jobs[places[0]].case.name == jobs[places[1]].case.name {
            let other = jobs[places[0]].case.entry.place();
            jobs[places[1]].task = Err(format!(
                "is called as the one at {other}, so that nobody can say which is meant; give one of the two another `name` or `group`"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use perf_runtime::show::names::shorten;

    use super::*;
    use crate::measure::plan::Plan;
    use crate::registry::cases::{LONGEST_ARGUMENT, case_name};

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
        jobs.remove(0).task.err().expect("it cannot be run")
    }

    #[test]
    fn a_table_cuts_paths_and_neither_labels_nor_arguments() {
        static ENTRY: BenchmarkEntry = entry(|| Cases::each(["a::b::c"], |_, _| {}, |_| None));
        static LABELLED: BenchmarkEntry = entry(|| Cases::one(|_| {})).named("a::b::c");
        let jobs = [&ENTRY, &LABELLED].into_iter().flat_map(jobs_of);
        let names: Vec<_> = jobs.map(|job| job.case.label_or_path()).collect();
        assert_eq!(shorten(&mut names.iter()), ["parse::words/a::b::c", "a::b::c"]);
    }

    #[test]
    fn a_name_is_one_line_and_of_one_case() {
        static TEXTS: BenchmarkEntry =
            entry(|| Cases::each(["small", "two\nlines", ""], |_, _| {}, |_| None));
        assert_eq!(
            names(&TEXTS),
            ["app::parse::words/small", "app::parse::words/two\\nlines", "app::parse::words/"]
        );
        assert_eq!(case_name(&"\"quoted\""), "\\\"quoted\\\"");
        assert_eq!(case_name(&"x".repeat(LONGEST_ARGUMENT)), "x".repeat(LONGEST_ARGUMENT));
        assert_eq!(case_name(&(1, Some(2))), "(1, Some(2))");
        static TWICE: BenchmarkEntry = entry(|| Cases::each([7, 8, 7, 7], |_, _| {}, |_| None));
        let twice = ["7", "8", "7 #2", "7 #3"].map(|name| format!("app::parse::words/{name}"));
        assert_eq!(names(&TWICE), twice);
        // One may be called as another would be.
        static MADE: BenchmarkEntry =
            entry(|| Cases::each(["7", "7 #2", "7", "7 #2", "7 #2 #2"], |_, _| {}, |_| None));
        let made =
            ["7", "7 #2", "7 #2 #2", "7 #2 #3", "7 #2 #2 #4"].map(|name| format!("app::parse::words/{name}"));
        assert_eq!(names(&MADE), made);
        static LONG: BenchmarkEntry =
            entry(|| Cases::each([vec!['ä'; 1000], vec!['ä'; 1001]], |_, _| {}, |_| None));
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
        static LINES: BenchmarkEntry = entry(|| Cases::each([TwoLines], |_, _| {}, |_| None));
        assert!(reason(&LINES).contains("it has '\\n' in it"), "{}", reason(&LINES));
        static EMPTY: BenchmarkEntry = entry(|| Cases::each([0_u8; 0], |_, _| {}, |_| None));
        assert!(reason(&EMPTY).contains("`args` are empty"));
        static ENDLESS: BenchmarkEntry = entry(|| Cases::each(0_u64.., |_, _| {}, |_| None));
        assert!(reason(&ENDLESS).contains("more than 10000 `args`"));
        static PANICS: BenchmarkEntry = entry(|| Cases::each([1, 0].map(|n| 10 / n), |_, _| {}, |_| None));
        assert!(reason(&PANICS).starts_with("panicked in its `args`: attempt to divide by zero"));
    }

    #[test]
    fn of_two_with_one_name_the_later_one_is_refused() {
        static CASES: BenchmarkEntry = entry(|| Cases::each([1, 2], |_, _| {}, |_| None)).named("a");
        static OTHER: BenchmarkEntry = entry(|| Cases::one(|_| {})).named("a/2");
        let mut jobs: Vec<Job> = [&OTHER, &CASES].into_iter().flat_map(jobs_of).collect();
        refuse_namesakes(&mut jobs);
        let refused: Vec<_> =
            jobs.iter().map(|job| job.task.as_ref().err().map(|reason| &reason[..12])).collect();
        assert_eq!(refused, [None, None, Some("is called as")]);
    }

    #[test]
    fn a_series_is_called_by_all_but_its_arguments() {
        static ENTRY: BenchmarkEntry =
            entry(|| Cases::each_together([1, 2], [8, 16], |_, _| {}, |size| Some(*size)).of(&"u8"))
                .complexity(Class::Linear);
        let jobs = jobs_of(&ENTRY);
        let series: Vec<&str> = jobs.iter().map(|job| &*job.case.series).collect();
        let (one, two) = ("app::parse::words/u8/1 thread", "app::parse::words/u8/2 threads");
        assert_eq!(series, [one, two, one, two, one, two]);
        let sizes = |job: &Job| match &job.task {
            Ok(Task::Growth(_, _, sizes)) => sizes.iter().map(|size| size.0).collect(),
            _ => Vec::new(),
        };
        assert_eq!((sizes(&jobs[3]), sizes(&jobs[4]), sizes(&jobs[5])), (vec![], vec![8, 16], vec![8, 16]));
        assert_eq!(jobs[5].case.name, "app::parse::words/u8/complexity/2 threads");
    }

    #[test]
    fn each_promise_of_growth_has_a_name_that_no_argument_has() {
        static BOTH: BenchmarkEntry =
            entry(|| Cases::each(["memory", "complexity"], |_, _| {}, |text| Some(text.len() as u64)))
                .complexity(Class::Linear)
                .memory_complexity(Class::Constant);
        let both = ["memory #0", "complexity #1", "complexity", "memory"];
        assert_eq!(names(&BOTH), both.map(|name| format!("app::parse::words/{name}")));
        let costs: Vec<_> = jobs_of(&BOTH)
            .iter()
            .filter_map(|job| match job.task {
                Ok(Task::Growth(cost, class, _)) => Some((cost, class)),
                _ => None,
            })
            .collect();
        assert_eq!(costs, [(Cost::Time, Class::Linear), (Cost::Memory, Class::Constant)]);
        static NEITHER: BenchmarkEntry = entry(|| Cases::each(["memory"], |_, _| {}, |_| None));
        assert_eq!(names(&NEITHER), ["app::parse::words/memory"]);
    }

    #[test]
    fn args_are_evaluated_once() {
        use std::sync::atomic::{AtomicU32, Ordering};
        static TIMES: AtomicU32 = AtomicU32::new(0);
        static ENTRY: BenchmarkEntry = entry(|| {
            let numbers = [10, 20].map(|n| n + TIMES.fetch_add(1, Ordering::Relaxed));
            Cases::each(numbers, |_, n| assert!([10, 21].contains(n)), |_| None)
        });
        let plan = Plan::for_tests();
        for job in jobs_of(&ENTRY) {
            let Task::Case(body) = job.task.unwrap() else { panic!("no complexity was promised") };
            assert!(body.run(&plan).is_ok());
        }
        assert_eq!(TIMES.load(Ordering::Relaxed), 2);
    }
}
