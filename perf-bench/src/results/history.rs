//! How each benchmark did over commits, as a chart for a terminal: what `cargo perfkit history` prints.
//!
//! Drawing is pure: from records to text. Runs of one commit are one line, of which the run with the middle median is shown. Only one machine and profile at a time, since times
//! of two cannot be compared: those of the newest run.

use std::collections::BTreeMap;

use perf_runtime::show::table::Page;
use perf_runtime::show::units::nanos;

use super::record::{Benchmark, Mode, Record};

/// Commits of a benchmark that are shown: the last.
const MOST_COMMITS: usize = 30;
/// Characters of the line of medians and intervals, where there is room.
const CHART: usize = 40;
/// What the whole height or width of a chart stands for at least, as a share of the most: what differs by less looks like little.
const LEAST_HEIGHT: f64 = 0.1;
/// What stands to the left of it: marks, commit, date, median, change.
const LEFT: usize = 47;

/// The chart of each benchmark whose name contains one of the filters, or of all, ending in a newline.
///
/// ```
/// use perf_bench::results::{Store, history};
///
/// let store = Store::at("target/perfkit");
/// for program in store.programs().unwrap() {
///     let (runs, errors) = store.newest(&program, usize::MAX, &|_| true);
///     print!("{}", history(&runs, &[], Default::default()));
///     errors.iter().for_each(|error| eprintln!("{error}"));
/// }
/// ```
#[must_use]
pub fn history(runs: &[Record], filters: &[String], page: Page) -> String {
    let mut runs: Vec<&Record> = runs.iter().filter(|run| run.mode == Mode::Measure).collect();
    runs.sort_by_key(|run| run.unix_ms);
    let Some(newest) = runs.last().copied() else {
        return String::from("no runs: `cargo bench` with perfkit's feature `bench` saves them\n");
    };
    let all = runs.len();
    runs.retain(|run| run.machine.is(&newest.machine) && run.build.profile == newest.build.profile);
    let mut lines = vec![format!("{}, {}", newest.program, newest.machine.line())];
    if runs.len() < all {
        let others = all - runs.len();
        let are = if others == 1 { "run is" } else { "runs are" };
        lines.push(format!("{others} {are} of another machine or profile, and not shown"));
    }
    let names = names(&runs);
    let mut chosen = names
        .into_iter()
        .filter(|name| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str())))
        .peekable();
    if chosen.peek().is_none() {
        lines.push(format!("no benchmark of them is called {}", filters.join(" or ")));
    }
    for name in chosen {
        lines.push(String::new());
        lines.extend(chart(name, &points(&runs, name), page));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// In the order of the newest run, and then those that only older ones have.
fn names<'r>(runs: &[&'r Record]) -> Vec<&'r str> {
    let mut names: Vec<&str> = Vec::new();
    for run in runs.iter().rev() {
        for benchmark in &run.benchmarks {
            if !names.contains(&benchmark.name.as_str()) {
                names.push(&benchmark.name);
            }
        }
    }
    names
}

/// One line: a benchmark at a commit.
struct Point<'r> {
    commit: String,
    unix_ms: u64,
    runs: usize,
    benchmark: &'r Benchmark,
}

/// By commit, in the order in which each was first measured. Runs without a commit are one each.
fn points<'r>(runs: &[&'r Record], name: &str) -> Vec<Point<'r>> {
    let mut order: Vec<String> = Vec::new();
    let mut by_commit: BTreeMap<String, Vec<(&Record, &Benchmark)>> = BTreeMap::new();
    for run in runs {
        let Some(benchmark) = run.benchmarks.iter().find(|benchmark| benchmark.name == name) else {
            continue;
        };
        let commit = run.commit.as_ref();
        let key =
            commit.map_or_else(|| run.unix_ms.to_string(), |commit| format!("{}{}", commit.id, commit.dirty));
        if !by_commit.contains_key(&key) {
            order.push(key.clone());
        }
        by_commit.entry(key).or_default().push((run, benchmark));
    }
    let point = |key: &String| {
        let mut runs = by_commit.remove(key)?;
        let count = runs.len();
        let unix_ms = runs.last()?.0.unix_ms;
        runs.sort_by(|a, b| a.1.summary.median.total_cmp(&b.1.summary.median));
        let (run, benchmark) = runs[(count - 1) / 2];
        let commit = run.commit.as_ref().map_or_else(|| String::from("-"), super::Commit::short);
        Some(Point { commit, unix_ms, runs: count, benchmark })
    };
    let points: Vec<Point<'_>> = order.iter().filter_map(point).collect();
    let first = points.len().saturating_sub(MOST_COMMITS);
    points.into_iter().skip(first).collect()
}

/// The lines of one benchmark.
fn chart(name: &str, points: &[Point<'_>], page: Page) -> Vec<String> {
    let medians: Vec<f64> = points.iter().map(|point| point.benchmark.summary.median).collect();
    let low = points.iter().map(|point| point.benchmark.summary.low).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|point| point.benchmark.summary.high).fold(0.0, f64::max);
    let missing = (high * LEAST_HEIGHT - (high - low)).max(0.0) / 2.0;
    let (low, high) = (low - missing, high + missing);
    let runs: usize = points.iter().map(|point| point.runs).sum();
    let width = page.width.map_or(CHART, |width| width.saturating_sub(LEFT).min(CHART));
    let (commits, runs) = (counted(points.len(), "commit"), counted(runs, "run"));
    let mut lines = vec![format!("{name}  {}  {commits}, {runs}", sparkline(&medians))];
    let mut before: Option<f64> = None;
    for point in points {
        let summary = &point.benchmark.summary;
        let change = before
            .filter(|before| *before > 0.0)
            .map_or_else(String::new, |before| format!("{:+.1} %", (summary.median / before - 1.0) * 100.0));
        before = Some(summary.median);
        lines.push(format!(
            "  {:<8}  {}  {:>9}  {change:>10}  {}",
            point.commit,
            date(point.unix_ms),
            nanos(summary.median),
            interval((summary.low, summary.median, summary.high), (low, high), width),
        ));
    }
    lines.push(format!("{:LEFT$}{}", "", axis(low, high, width)));
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `▁▂█▇` of the medians.
fn sparkline(values: &[f64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    let height = (most - least).max(most * LEAST_HEIGHT);
    values
        .iter()
        .map(|value| {
            let share = if height > 0.0 { (value - least) / height } else { 0.0 };
            BLOCKS[((share * 7.0).round() as usize).min(7)]
        })
        .collect()
}

/// `├──●─┤` from the low to the high end, the median marked, on a line of that width from `low` to `high`.
fn interval((low, median, high): (f64, f64, f64), (from, to): (f64, f64), width: usize) -> String {
    if width < 3 {
        return String::new();
    }
    let place = |value: f64| {
        let share = if to > from { (value - from) / (to - from) } else { 0.5 };
        ((share * (width - 1) as f64).round() as usize).min(width - 1)
    };
    let (left, middle, right) = (place(low), place(median), place(high));
    (0..width)
        .map(|column| match column {
            _ if column == middle => '●',
            _ if column == left => '├',
            _ if column == right => '┤',
            _ if (left..right).contains(&column) => '─',
            _ => ' ',
        })
        .collect()
}

/// What the ends of the line mean.
fn axis(from: f64, to: f64, width: usize) -> String {
    let (from, to) = (nanos(from), nanos(to));
    let used = from.chars().count() + to.chars().count();
    if width <= used { String::new() } else { format!("{from}{}{to}", " ".repeat(width - used)) }
}

/// `2025-11-28`, of the world's time.
fn date(unix_ms: u64) -> String {
    // Days since 1970 to a date of the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms", 2013).
    let days = unix_ms / 86_400_000 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::record::Commit;

    const DAY: u64 = 86_400_000;

    fn run(day: u64, commit: &str, medians: &[(&str, f64)]) -> Record {
        let commit = (!commit.is_empty()).then(|| Commit { id: commit.repeat(40), dirty: commit == "d" });
        Record { commit, ..Record::for_tests(1_764_288_000_000 + day * DAY, medians) }
    }

    #[test]
    fn a_line_for_each_commit() {
        let runs = [
            run(0, "a", &[("app::parse", 1_000.0), ("app::gone", 5.0)]),
            run(1, "b", &[("app::parse", 900.0)]),
            run(2, "b", &[("app::parse", 1_000.0)]),
            run(2, "b", &[("app::parse", 1_300.0)]),
            run(3, "d", &[("app::parse", 1_500.0)]),
        ];
        let page = Page { width: Some(100), colour: false };
        let shown = history(&runs, &["parse".to_owned()], page);
        let expected = "\
app-speed, Z80, 1 core, linux x86_64, host 1234

app::parse  ▁▁█  3 commits, 5 runs
  aaaaaaa   2025-11-28    1.00 µs              ├●
  bbbbbbb   2025-11-30    1.00 µs      +0.0 %  ├●
  ddddddd*  2025-12-01    1.50 µs     +50.0 %                                       ├●┤
                                               990 ns                           1.51 µs
";
        assert_eq!(shown, expected);
        assert!(history(&runs, &[], page).contains("app::gone"), "{shown}");
        assert!(
            history(&runs, &["nothing".to_owned()], page).contains("no benchmark of them is called nothing")
        );
        assert!(history(&[], &[], page).starts_with("no runs"));
        assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
    }

    #[test]
    fn another_machine_is_not_shown() {
        let mut other = run(0, "a", &[("app::parse", 1.0)]);
        other.machine.host = "other".to_owned();
        let shown = history(&[other, run(1, "b", &[("app::parse", 2.0)])], &[], Page::default());
        assert!(shown.contains("1 run is of another machine") && !shown.contains("aaaaaaa"), "{shown}");
    }

    #[test]
    fn no_more_than_fit_and_one_without_a_commit() {
        let mut runs: Vec<Record> = (0..50).map(|day| run(day, "", &[("app::parse", 1.0)])).collect();
        for run in &mut runs {
            run.commit = None;
        }
        let shown = history(&runs, &[], Page::default());
        assert!(shown.contains("30 commits"), "{shown}");
        let narrow = history(&runs, &[], Page { width: Some(30), colour: false });
        assert!(!narrow.contains('●'), "{narrow}");
    }

    #[test]
    fn days_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(951_782_400_000), "2000-02-29");
        assert_eq!(date(1_764_288_000_000), "2025-11-28");
        assert_eq!(date(4_107_542_400_000), "2100-03-01");
    }

    #[test]
    fn blocks_by_height() {
        assert_eq!(sparkline(&[1.0, 2.0, 3.0]), "▁▅█");
        // A difference of a percent is none to speak of.
        assert_eq!(sparkline(&[100.0, 101.0]), "▁▂");
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
    }
}
