//! A saved run, as it stands in its file. [The module above](super) documents it; members are only ever added within a version.

use serde::{Deserialize, Serialize};

use crate::judge::Verdict;
use crate::registry::entry::Case;
use crate::run::outcome::{End, Outcome};
use crate::stats::Summary;

/// The version of the schema that is written, and the newest that is read.
pub const SCHEMA: u32 = 1;
/// What tells such a file from any other JSON.
pub(super) const FORMAT: &str = "perfkit-run";

/// One run of a program of benchmarks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What kind of file it is.
    pub format: String,
    /// The version of the schema.
    pub schema: u32,
    /// The version of perfkit.
    pub perfkit: String,
    /// When the run ended, in milliseconds since 1970.
    pub unix_ms: u64,
    /// What ran: the package and the benchmark target.
    pub program: String,
    /// What the run was for.
    pub mode: Mode,
    /// Where it ran.
    pub machine: Machine,
    /// How it was built.
    pub build: Build,
    /// What `git` says of the sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// All that were measured.
    pub benchmarks: Vec<Benchmark>,
}

/// What a run was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// To know how long it takes: `cargo bench`.
    Measure,
    /// To judge targets: `cargo test`.
    Test,
    /// To count instructions: `--instructions`.
    Instructions,
}

/// What tells one machine from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The model of its processor.
    pub cpu: String,
    /// How many threads it runs at once.
    pub cores: usize,
    /// The operating system and the kind of processor.
    pub os: String,
    /// The version of the kernel.
    #[serde(default)]
    pub kernel: String,
    /// A hash of the machine's own number or name.
    #[serde(default)]
    pub host: String,
}

impl Record {
    /// A run of this program on this machine.
    pub(crate) fn new(
        unix_ms: u64,
        program: &str,
        mode: Mode,
        commit: Option<Commit>,
        benchmarks: Vec<Benchmark>,
    ) -> Self {
        Record {
            format: FORMAT.to_owned(),
            schema: SCHEMA,
            perfkit: env!("CARGO_PKG_VERSION").to_owned(),
            unix_ms,
            program: program.to_owned(),
            mode,
            machine: Machine::this(),
            build: Build::this(),
            commit,
            benchmarks,
        }
    }
}

impl Machine {
    /// Whether times of the two can be compared. A new kernel is the same machine.
    #[must_use]
    pub fn is(&self, other: &Machine) -> bool {
        self.cpu == other.cpu && self.cores == other.cores && self.os == other.os && self.host == other.host
    }

    /// Whether counts of the two can be compared. What a call takes is by the kind of processor, for which the C library chooses its code, and not by which of
    /// them it is.
    #[must_use]
    pub fn counts_as(&self, other: &Machine) -> bool {
        self.cpu == other.cpu && self.os == other.os
    }
}

/// How the program was built, as far as it can know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// What the compiler says of its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rustc: Option<String>,
    /// The folder of the profile in the target directory, such as `release`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// What `git` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The whole id.
    pub id: String,
    /// Whether tracked files differ from it.
    pub dirty: bool,
}

impl Commit {
    /// Seven characters of the id, and a `*` where files differ from it.
    #[must_use]
    pub fn short(&self) -> String {
        let id: String = self.id.chars().take(7).collect();
        if self.dirty { id + "*" } else { id }
    }
}

/// One benchmark, or one case of it. Times are nanoseconds per call, and there are none where instructions were counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Benchmark {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub file: String,
    /// Where it stands.
    pub line: u32,
    /// Calls in each sample.
    #[serde(default, skip_serializing_if = "is_none")]
    pub calls: u64,
    /// Each sample.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<f64>,
    /// Of each sample, how long its thread waited for a processor; empty where none did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waited: Vec<f64>,
    /// The samples in short.
    #[serde(default, skip_serializing_if = "Short::is_empty")]
    pub summary: Short,
    /// How long a call may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// What became of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Allocations of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<f64>,
    /// Bytes allocated by a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<f64>,
    /// Instructions of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<f64>,
    /// In a baseline, runs before it on that machine, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Past>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_none(calls: &u64) -> bool {
    *calls == 0
}

/// Samples in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Short {
    /// How many.
    pub samples: usize,
    /// The middle one.
    pub median: f64,
    /// Where the 95 % interval of the median begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    /// The least.
    pub best: f64,
    /// What 95 % did not exceed.
    pub p95: f64,
}

/// What is remembered of a run that is past.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// Its median.
    pub median: f64,
    /// Its best sample.
    pub best: f64,
}

impl Benchmark {
    /// What was measured of it; `None` where nothing was.
    pub(crate) fn of(outcome: &Outcome) -> Option<Self> {
        let (End::Measured(figures, verdict), case) = (&outcome.end, &outcome.case) else { return None };
        let (summary, usage) = (&figures.summary, figures.summary.memory.usage);
        let waited: Vec<f64> = outcome.samples.iter().map(|sample| rounded(sample.waited)).collect();
        Some(Benchmark {
            name: case.name.clone(),
            file: case.entry.file.to_owned(),
            line: case.entry.line,
            calls: summary.calls,
            samples: outcome.samples.iter().map(|sample| rounded(sample.nanos)).collect(),
            waited: if waited.iter().any(|waited| *waited > 0.0) { waited } else { Vec::new() },
            summary: Short::of(summary),
            target: figures.limit,
            verdict: word(*verdict).map(str::to_owned),
            allocations: usage.map(|usage| usage.allocations as f64),
            bytes: usage.map(|usage| usage.bytes as f64),
            instructions: None,
            earlier: Vec::new(),
        })
    }

    /// What was counted of it: the instructions of a call.
    pub(crate) fn counted(case: &Case, instructions: f64) -> Self {
        Benchmark {
            name: case.name.clone(),
            file: case.entry.file.to_owned(),
            line: case.entry.line,
            calls: 0,
            samples: Vec::new(),
            waited: Vec::new(),
            summary: Short::default(),
            target: None,
            verdict: None,
            allocations: None,
            bytes: None,
            instructions: Some(rounded(instructions)),
            earlier: Vec::new(),
        }
    }

    /// What is remembered of it when it is past.
    #[must_use]
    pub fn past(&self) -> Past {
        Past { median: self.summary.median, best: self.summary.best }
    }
}

impl Short {
    fn is_empty(&self) -> bool {
        self.samples == 0
    }

    fn of(summary: &Summary) -> Self {
        Short {
            samples: summary.samples,
            median: rounded(summary.median),
            low: rounded(summary.interval.0),
            high: rounded(summary.interval.1),
            best: rounded(summary.best),
            p95: rounded(summary.p95),
        }
    }
}

fn word(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Met => Some("met"),
        Verdict::Inconclusive => Some("inconclusive"),
        Verdict::Missed => Some("missed"),
        Verdict::NotJudged => Some("not judged"),
        Verdict::NoTarget => None,
    }
}

/// Six figures, which is more than any clock tells, and a third of the file.
fn rounded(nanos: f64) -> f64 {
    format!("{nanos:.5e}").parse().unwrap_or(nanos)
}

#[cfg(test)]
impl Record {
    /// A run in which benchmarks took so long.
    pub(crate) fn for_tests(unix_ms: u64, medians: &[(&str, f64)]) -> Self {
        let benchmarks = medians.iter().map(|(name, median)| {
            let summary = Short {
                samples: 3,
                median: *median,
                low: rounded(median * 0.99),
                high: rounded(median * 1.01),
                best: rounded(median * 0.98),
                p95: rounded(median * 1.1),
            };
            Benchmark {
                name: (*name).to_owned(),
                file: "src/lib.rs".to_owned(),
                line: 7,
                calls: 10,
                samples: vec![summary.best, *median, summary.p95],
                waited: Vec::new(),
                summary,
                target: None,
                verdict: None,
                allocations: None,
                bytes: None,
                instructions: None,
                earlier: Vec::new(),
            }
        });
        Record {
            format: FORMAT.to_owned(),
            schema: SCHEMA,
            perfkit: "0.1.0".to_owned(),
            unix_ms,
            program: "app-speed".to_owned(),
            mode: Mode::Measure,
            machine: Machine {
                cpu: "Z80".to_owned(),
                cores: 1,
                os: "linux x86_64".to_owned(),
                kernel: "6.1".to_owned(),
                host: "1234".to_owned(),
            },
            build: Build::default(),
            commit: Some(Commit { id: format!("{unix_ms:040x}"), dirty: false }),
            benchmarks: benchmarks.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file that is checked in stands for all that were written by the first version.
    #[test]
    fn what_version_1_wrote_is_read() {
        let text = include_str!("../../tests/data/run-v1.json");
        let record: Record = serde_json::from_str(text).unwrap();
        assert_eq!((record.format.as_str(), record.schema, record.mode), (FORMAT, 1, Mode::Measure));
        assert_eq!(record.commit.as_ref().map(Commit::short).as_deref(), Some("ea4a8fc*"));
        let [first, second] = record.benchmarks.as_slice() else { panic!("{record:?}") };
        assert_eq!((first.name.as_str(), first.samples.len(), first.target), ("app::parse", 6, Some(1e6)));
        assert_eq!((second.target, second.earlier.len(), second.instructions), (None, 2, Some(5_120.5)));
        // What it has that nobody knows is skipped, and what is written again is the same but for that.
        assert!(text.contains("\"added_later\""));
        let again: Record = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(again, record);
    }

    #[test]
    fn six_figures_are_kept() {
        let numbers = [0.0, 0.617_283_4, 1_234_567.89, 3.0].map(|number| rounded(number).to_string());
        assert_eq!(numbers, ["0", "0.617283", "1234570", "3"]);
    }

    #[test]
    fn a_new_kernel_is_the_same_machine() {
        let this = Record::for_tests(1, &[]).machine;
        assert!(this.is(&Machine { kernel: "7.0".into(), ..this.clone() }));
        assert!(!this.is(&Machine { host: "99".into(), ..this.clone() }));
        assert!(!this.is(&Machine { cores: 2, ..this.clone() }));
        // Counts are by the kind of it.
        assert!(this.counts_as(&Machine { host: "99".into(), cores: 2, ..this.clone() }));
        assert!(!this.counts_as(&Machine { cpu: "Z8000".into(), ..this.clone() }));
    }

    #[test]
    fn what_was_counted_has_no_times() {
        let mut record = Record::for_tests(1, &[("app::parse", 100.0)]);
        let benchmark = &mut record.benchmarks[0];
        (benchmark.calls, benchmark.samples, benchmark.summary) = (0, Vec::new(), Short::default());
        benchmark.instructions = Some(5_120.5);
        let text = serde_json::to_string(&record).unwrap();
        assert!(!text.contains("samples") && !text.contains("calls") && !text.contains("summary"), "{text}");
        let again: Record = serde_json::from_str(&text).unwrap();
        assert_eq!(again, record);
    }
}
