//! A comparison from end to end: two sides are built, their benchmarks matched by name, each pair launched until its verdict is final, and the result shown.
//!
//! What goes wrong in one benchmark is told in its row, and must never keep the others from being compared.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use perf_runtime::session::{complain, page_of_stdout};

use crate::affinity::Processors;
use crate::interrupt;
use crate::launch::{Failed, Launch, Pair, SIDES, launch, start};
use crate::options::Compare;
use crate::programs::{Program, Workspace, no_bench_target};
use crate::random::Random;
use crate::report::{Measured, Report, Row};
use crate::revision::Revision;
use crate::verdict::{Cause, Counts, ERROR, Judged, Rule, Verdict, cause, judge, look};
use crate::worker::{Worker, is_installed};

/// Parts of the time for a benchmark that one launch may take, so that there are enough of them.
const PARTS: u32 = 20;
/// Valgrind needs a hundred times as long as a processor.
const PATIENCE_WITH_VALGRIND: Duration = Duration::from_secs(300);

/// Compares, prints and writes what was asked for.
pub(crate) fn compare(options: &Compare) -> Result<Report, String> {
    let sides = match options.executables.as_deref() {
        Some([base, new]) => Sides::of_executables(base, new)?,
        _ => Sides::of_revision(options)?,
    };
    let report = Comparison::new(options, &sides).run()?;
    // The worktree is no longer needed, whatever comes of writing.
    drop(sides);
    write(options, &report)?;
    Ok(report)
}

/// What is compared: base and new.
#[derive(Debug)]
struct Sides {
    names: [String; 2],
    programs: [Vec<Program>; 2],
    _revision: Option<Revision>,
}

impl Sides {
    fn of_executables(base: &Path, new: &Path) -> Result<Self, String> {
        let program = |path: &Path| {
            let path = path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?;
            Ok::<_, String>(vec![Program { target: String::from("executable"), path }])
        };
        let names = [base, new].map(|path| path.display().to_string());
        Ok(Sides { names, programs: [program(base)?, program(new)?], _revision: None })
    }

    fn of_revision(options: &Compare) -> Result<Self, String> {
        let name = options.revision.as_deref().unwrap_or("HEAD");
        let here = Workspace::of(Path::new("."))?;
        let folder = here.target_directory().join("perfkit").join("compare");
        let revision = Revision::check_out(name, &folder)?;
        revision.share_lock_file(&here.root());
        let label = if revision.commit.starts_with(name) {
            name.to_owned()
        } else {
            format!("{name} ({})", revision.commit)
        };
        complain(format_args!("building {label}"));
        let base = Workspace::of(&revision.directory)
            .map_err(|error| format!("{name} cannot be built: {error}{}", here.outside()))?
            .build(&options.build, &folder.join("base"), name)?;
        check_interrupted()?;
        complain("building the working tree");
        let new = here.build(&options.build, &folder.join("new"), "the working tree")?;
        check_interrupted()?;
        Ok(Sides {
            names: [label, String::from("working tree")],
            programs: [base, new],
            _revision: Some(revision),
        })
    }
}

fn check_interrupted() -> Result<(), String> {
    if interrupt::is_wanted() { Err(String::from("interrupted")) } else { Ok(()) }
}

/// One benchmark, and where it is: `None` on a side that lacks it.
#[derive(Debug)]
struct Benchmark {
    name: String,
    programs: [Option<PathBuf>; 2],
    is_single: bool,
}

/// What stays the same for all benchmarks.
struct Comparison<'a> {
    options: &'a Compare,
    sides: &'a Sides,
    processors: Processors,
    /// Whether instructions can be counted.
    has_valgrind: bool,
}

impl<'a> Comparison<'a> {
    fn new(options: &'a Compare, sides: &'a Sides) -> Self {
        let has_valgrind = !options.no_instructions && is_installed("valgrind");
        Comparison { options, sides, processors: Processors::of_this_program(), has_valgrind }
    }

    fn run(&self) -> Result<Report, String> {
        let mut notes = Vec::new();
        let benchmarks = self.benchmarks(&mut notes)?;
        let in_both =
            benchmarks.iter().filter(|benchmark| benchmark.programs.iter().all(Option::is_some)).count();
        let rule = Rule {
            threshold: self.options.threshold,
            fail_above: self.options.fail_above,
            error: ERROR / in_both.max(1) as f64,
        };
        let mut random = Random::new();
        let mut rows = Vec::new();
        let mut only_in = [Vec::new(), Vec::new()];
        for benchmark in benchmarks {
            let [base, new] = &benchmark.programs;
            let (Some(base), Some(new)) = (base, new) else {
                only_in[usize::from(base.is_none())].push(benchmark.name);
                continue;
            };
            let progress = Progress::new(&benchmark.name, rows.len() + 1, in_both);
            let pair = Pair {
                programs: [base, new],
                name: &benchmark.name,
                is_single: benchmark.is_single,
                variables: &self.options.new_env,
            };
            let result = self.measure(&pair, &rule, &progress, &mut random);
            // One that failed because the user wants to end is no failure.
            check_interrupted()?;
            rows.push(Row { result, name: benchmark.name.clone() });
        }
        if !self.processors.can_be_chosen() && in_both > 0 {
            notes.push(String::from(
                "programs cannot be held to one processor on this system, so intervals are wider",
            ));
        }
        let differs = |row: &Row| row.result.as_ref().is_ok_and(Measured::differs);
        if !self.has_valgrind && !self.options.no_instructions && rows.iter().any(differs) {
            notes.push(String::from(
                "valgrind is not installed (`apt-get install valgrind` on Debian and Ubuntu), so that code that only lies elsewhere is not told from \
                 more work",
            ));
        }
        Ok(Report {
            sides: self.sides.names.clone(),
            rows,
            only_in,
            notes,
            threshold: self.options.threshold,
            fail_above: self.options.fail_above,
        })
    }

    /// All that are selected, in the order of the new side.
    fn benchmarks(&self, notes: &mut Vec<String>) -> Result<Vec<Benchmark>, String> {
        let mut all: Vec<(String, Benchmark)> = Vec::new();
        let mut any_worker = [false, false];
        // The new side first, for its order.
        for side in SIDES.into_iter().rev() {
            for program in &self.sides.programs[side] {
                let mut worker = Worker::start(&program.path, self.options.max_time)?;
                if let Err(error) = worker.greet() {
                    check_interrupted()?;
                    notes.push(format!(
                        "the bench target `{}` of {} cannot be compared: it is none of `perfkit::bench_main!`, or of a perfkit before `compare`; it {}",
                        program.target,
                        self.sides.names[side],
                        error.lines().next().unwrap_or_default()
                    ));
                    continue;
                }
                any_worker[side] = true;
                let names = worker.list().map_err(|error| {
                    format!("the bench target `{}` of {} {error}", program.target, self.sides.names[side])
                })?;
                for (threads, name) in names.into_iter().filter(|(_, name)| self.options.selects(name)) {
                    let known = all
                        .iter_mut()
                        .find(|(target, known)| *target == program.target && known.name == name);
                    if let Some((_, known)) = known {
                        known.programs[side] = Some(program.path.clone());
                        known.is_single &= threads == 1;
                    } else {
                        let mut programs = [None, None];
                        programs[side] = Some(program.path.clone());
                        all.push((
                            program.target.clone(),
                            Benchmark { name, programs, is_single: threads == 1 },
                        ));
                    }
                }
            }
        }
        for side in SIDES {
            if !any_worker[side] {
                let notes: String = notes.iter().flat_map(|note| ["\n", note]).collect();
                let name = &self.sides.names[side];
                return Err(format!("{}{notes}", no_bench_target(name, &self.options.build)));
            }
        }
        if all.is_empty() {
            return Err(if self.options.filters.is_empty() {
                String::from("there are no benchmarks on either side")
            } else {
                format!("no benchmark is selected by {}", self.options.filters.join(", "))
            });
        }
        Ok(all.into_iter().map(|(_, benchmark)| benchmark).collect())
    }

    /// Launches until the verdict is final or the time is up.
    fn measure(
        &self,
        pair: &Pair<'_>,
        rule: &Rule,
        progress: &Progress<'_>,
        random: &mut Random,
    ) -> Result<Measured, Failed> {
        let time = self.options.max_time;
        let begun = Instant::now();
        let mut launches: Vec<Launch> = Vec::new();
        let mut ratios: Vec<f64> = Vec::new();
        let mut looks = 0;
        let judged = loop {
            progress.tell(launches.len());
            let launch = launch(pair, &self.processors, time / PARTS, time, random)?;
            launches.push(launch);
            ratios.push(launch.log_ratio);
            let spent = begun.elapsed();
            let is_last = spent + spent / launches.len() as u32 > time;
            if is_last || look(launches.len()).is_some() {
                let judged = judge(&ratios, looks, rule);
                looks += 1;
                if judged.is_final || is_last {
                    break judged;
                }
            }
        };
        let witness = self.witness(pair, &judged, random);
        Ok(Measured::new(&launches, judged, witness, begun.elapsed()))
    }

    /// Counts instructions on both sides, where times differ.
    fn witness(&self, pair: &Pair<'_>, judged: &Judged, random: &mut Random) -> Option<([Counts; 2], Cause)> {
        if !self.has_valgrind || !matches!(judged.verdict, Verdict::Slower | Verdict::Faster) {
            return None;
        }
        let mut workers = start(pair, &self.processors, PATIENCE_WITH_VALGRIND, random).ok()?;
        let mut count = |side| workers.on(side, |worker| worker.instructions(pair.name)).ok();
        let [base, new] = [count(0)?, count(1)?];
        Some(([base, new], cause(&base, &new, self.options.threshold)))
    }
}

/// Tells on standard error what is going on.
struct Progress<'a> {
    name: &'a str,
    number: usize,
    of: usize,
    overwrites: bool,
}

impl<'a> Progress<'a> {
    fn new(name: &'a str, number: usize, of: usize) -> Self {
        let overwrites = io::stderr().is_terminal();
        if !overwrites {
            complain(format_args!("comparing {name} ({number} of {of})"));
        }
        Progress { name, number, of, overwrites }
    }

    fn tell(&self, launches: usize) {
        if self.overwrites {
            let Progress { name, number, of, .. } = self;
            // When nobody sees it, there is nobody to tell.
            let _ = write!(
                io::stderr(),
                "\r\u{1b}[Kperfkit: comparing {name} ({number} of {of}, {launches} launches)"
            );
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.overwrites {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

/// Everywhere it is to go.
fn write(options: &Compare, report: &Report) -> Result<(), String> {
    let is_stdout = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
    if !is_stdout(&options.markdown) && !is_stdout(&options.json) {
        print(&report.table(page_of_stdout()));
    }
    for (path, text) in [(&options.markdown, report.markdown()), (&options.json, report.json())] {
        match path {
            Some(_) if is_stdout(path) => print(&text),
            Some(path) => std::fs::write(path, text).map_err(|error| not_written(path, &error))?,
            None => {}
        }
    }
    if let Some(summary) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(summary);
        let file = File::options().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(report.markdown().as_bytes()))
            .map_err(|error| not_written(&path, &error))?;
    }
    Ok(())
}

fn not_written(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be written: {error}", path.display())
}

/// When nobody reads it, there is nobody to tell.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
