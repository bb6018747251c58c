//! What `perfkit.toml` says. The page for users is at [`perf_bench::configuration`](crate::configuration).
//!
//! All that is wrong in it is told at once, each with its line and column; nothing in it is passed over in silence.

use core::fmt::Display;
use core::time::Duration;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use perf_runtime::spelling::nearest;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::units;
use crate::judge::Thresholds;
use crate::registry::settings::NAME;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct File {
    /// Where it stands.
    pub(super) path: PathBuf,
    pub(super) strict: Option<bool>,
    /// What attributes do not say.
    pub(super) iterations: Option<u64>,
    pub(super) warmup: Option<u64>,
    pub(super) timeout: Option<Duration>,
    /// By the benchmark's name, in nanoseconds per call.
    pub(super) targets: Vec<(String, f64)>,
    pub(super) default_targets: DefaultTargets,
    pub(super) suite_timeout: Option<Duration>,
    pub(super) results: Option<PathBuf>,
    pub(super) keep: Option<usize>,
    pub(super) save: Option<bool>,
    pub(super) thresholds: Thresholds,
    /// How many runs a run is compared with.
    pub(super) runs: Option<usize>,
}

/// What is to hold where nobody says otherwise. Times are nanoseconds per call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DefaultTargets {
    pub(super) start_up: f64,
    pub(super) simple_call: f64,
    pub(super) complex_call: f64,
    /// What the throughput allows a call to take.
    pub(super) throughput: f64,
    pub(super) memory_idle: u64,
    pub(super) memory_peak: u64,
    pub(super) cache_hit_ratio: f64,
}

impl DefaultTargets {
    pub(super) const DEFAULT: Self = DefaultTargets {
        start_up: 1e9,
        simple_call: 1e6,
        complex_call: 1e8,
        throughput: 1e5,
        memory_idle: 50_000_000,
        memory_peak: 500_000_000,
        cache_hit_ratio: 0.85,
    };
    /// Those that a benchmark's target can name.
    const NAMES: [&'static str; 4] = ["start_up", "simple_call", "complex_call", "throughput"];

    fn of(&self, name: &str) -> Option<f64> {
        match name {
            "start_up" => Some(self.start_up),
            "simple_call" => Some(self.simple_call),
            "complex_call" => Some(self.complex_call),
            "throughput" => Some(self.throughput),
            _ => None,
        }
    }
}

impl File {
    fn empty(path: &Path) -> Self {
        File {
            path: path.to_owned(),
            strict: None,
            iterations: None,
            warmup: None,
            timeout: None,
            targets: Vec::new(),
            default_targets: DefaultTargets::DEFAULT,
            suite_timeout: None,
            results: None,
            keep: None,
            save: None,
            thresholds: Thresholds::DEFAULT,
            runs: None,
        }
    }

    /// The first of them that is there.
    pub(super) fn find(places: &[PathBuf]) -> Result<Option<Self>, String> {
        for place in places {
            let path = place.join(NAME);
            match fs::read_to_string(&path) {
                Ok(text) => return File::parse(&path, &text).map(Some),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{} cannot be read: {error}", path.display())),
            }
        }
        Ok(None)
    }

    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, String> {
        let mut reader = Reader { path, text, errors: Vec::new() };
        let file = match DeTable::parse(text) {
            Ok(table) => reader.file(table.get_ref()),
            Err(error) => {
                reader.error(error.span().map_or(0, |span| span.start), error.message());
                File::empty(path)
            }
        };
        if reader.errors.is_empty() {
            return Ok(file);
        }
        // A table knows its keys in their order by name.
        reader.errors.sort_by_key(|error| error.0);
        let errors: Vec<String> = reader.errors.into_iter().map(|error| error.1).collect();
        Err(errors.join("\n"))
    }
}

type Key<'t> = Spanned<DeString<'t>>;
type Value<'t> = Spanned<DeValue<'t>>;

/// Takes values out of the parsed text, and notes what is wrong.
struct Reader<'t> {
    path: &'t Path,
    text: &'t str,
    /// Each with the place where it begins.
    errors: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn file(&mut self, root: &DeTable<'_>) -> File {
        let mut file = File::empty(self.path);
        // Targets may name default targets, which may stand below them.
        let mut targets = Vec::new();
        for (key, value) in root {
            match &**key.get_ref() {
                "strict" => file.strict = self.boolean(key, value),
                "defaults" => self.section(key, value, |reader, key, value| {
                    reader.defaults(key, value, &mut file);
                }),
                "targets" => self.section(key, value, |_, key, value| targets.push((key, value))),
                "default_targets" => {
                    self.section(key, value, |reader, key, value| {
                        reader.default_target(key, value, &mut file.default_targets);
                    });
                }
                "suite" => self.section(key, value, |reader, key, value| match &**key.get_ref() {
                    "timeout" => file.suite_timeout = reader.duration(key, value),
                    _ => reader.unknown(key, &["timeout"]),
                }),
                "results" => self.section(key, value, |reader, key, value| {
                    reader.results(key, value, &mut file);
                }),
                "baseline" => self.section(key, value, |reader, key, value| {
                    reader.baseline(key, value, &mut file);
                }),
                _ => self.unknown(
                    key,
                    &["strict", "defaults", "targets", "default_targets", "suite", "results", "baseline"],
                ),
            }
        }
        for (key, value) in targets {
            let target = self.target(key, value, &file.default_targets);
            file.targets.extend(target.map(|target| (key.get_ref().to_string(), target)));
        }
        file
    }

    fn defaults(&mut self, key: &Key<'_>, value: &Value<'_>, file: &mut File) {
        match &**key.get_ref() {
            "iterations" => file.iterations = self.count(key, value, 1),
            "warmup" => file.warmup = self.count(key, value, 0),
            "timeout" => file.timeout = self.duration(key, value),
            _ => self.unknown(key, &["iterations", "warmup", "timeout"]),
        }
    }

    fn results(&mut self, key: &Key<'_>, value: &Value<'_>, file: &mut File) {
        match &**key.get_ref() {
            "directory" => match value.get_ref().as_str() {
                // Below the file, wherever cargo was called.
                Some(text) if !text.is_empty() => {
                    file.results = Some(self.path.parent().unwrap_or(Path::new("")).join(text));
                }
                _ => self.wants(key, value, "a path", "\"target/perfkit\""),
            },
            "keep" => {
                file.keep = self.count(key, value, 1).map(|keep| usize::try_from(keep).unwrap_or(usize::MAX));
            }
            "save" => file.save = self.boolean(key, value),
            _ => self.unknown(key, &["directory", "keep", "save"]),
        }
    }

    fn baseline(&mut self, key: &Key<'_>, value: &Value<'_>, file: &mut File) {
        let thresholds = &mut file.thresholds;
        let place = match &**key.get_ref() {
            "regression" => &mut thresholds.regression,
            "high_regression" => &mut thresholds.high_regression,
            "improvement" => &mut thresholds.improvement,
            "outside" => &mut thresholds.outside,
            "instructions" => &mut thresholds.instructions,
            "runs" => {
                file.runs = self.count(key, value, 1).map(|runs| usize::try_from(runs).unwrap_or(usize::MAX));
                return;
            }
            _ => {
                return self.unknown(
                    key,
                    &["regression", "high_regression", "improvement", "outside", "instructions", "runs"],
                );
            }
        };
        match number(value.get_ref()) {
            Some(percent) if (0.0..=10_000.0).contains(&percent) => *place = percent / 100.0,
            _ => self.wants(key, value, "per cent, from 0", "20"),
        }
    }

    fn default_target(&mut self, key: &Key<'_>, value: &Value<'_>, targets: &mut DefaultTargets) {
        let time = match &**key.get_ref() {
            "start_up" => &mut targets.start_up,
            "simple_call" => &mut targets.simple_call,
            "complex_call" => &mut targets.complex_call,
            "throughput" => match number(value.get_ref()) {
                Some(rate) if rate > 0.0 && rate < 1e18 => {
                    targets.throughput = 1e9 / rate;
                    return;
                }
                _ => return self.wants(key, value, "calls in a second", "10_000"),
            },
            "cache_hit_ratio" => match number(value.get_ref()) {
                Some(ratio) if (0.0..=1.0).contains(&ratio) => {
                    targets.cache_hit_ratio = ratio;
                    return;
                }
                _ => return self.wants(key, value, "a ratio from 0 to 1", "0.85"),
            },
            name @ ("memory_idle" | "memory_peak") => {
                let place =
                    if name == "memory_idle" { &mut targets.memory_idle } else { &mut targets.memory_peak };
                match value.get_ref().as_str().and_then(units::bytes) {
                    Some(bytes) => *place = bytes,
                    None => self.wants(key, value, "a size with its unit", "\"50MB\""),
                }
                return;
            }
            _ => {
                return self.unknown(
                    key,
                    &[
                        "start_up",
                        "simple_call",
                        "complex_call",
                        "throughput",
                        "memory_idle",
                        "memory_peak",
                        "cache_hit_ratio",
                    ],
                );
            }
        };
        match value.get_ref().as_str().and_then(units::nanos) {
            Some(nanos) => *time = nanos,
            None => self.wants(key, value, "a time with its unit", "\"1 ms\""),
        }
    }

    /// A time, or the name of a default target.
    fn target(&mut self, key: &Key<'_>, value: &Value<'_>, defaults: &DefaultTargets) -> Option<f64> {
        let text = value.get_ref().as_str();
        let target = text.and_then(|text| defaults.of(text).or_else(|| units::nanos(text)));
        if target.is_none() {
            let guess = text.and_then(|text| nearest(text, &mut DefaultTargets::NAMES.into_iter()));
            let guess = guess.map_or_else(String::new, |guess| format!("; did you mean \"{guess}\"?"));
            self.error(
                value.span().start,
                format_args!(
                    "the target of `{}` is how long a call may take, such as \"2 ms\", or the name of a default target ({}){guess}",
                    key.get_ref(),
                    DefaultTargets::NAMES.join(", ")
                ),
            );
        }
        target
    }

    fn section<'v, 't>(
        &mut self,
        key: &Key<'_>,
        value: &'v Value<'t>,
        mut each: impl FnMut(&mut Self, &'v Key<'t>, &'v Value<'t>),
    ) {
        match value.get_ref().as_table() {
            Some(table) => table.iter().for_each(|(key, value)| each(self, key, value)),
            None => self.error(
                value.span().start,
                format_args!(
                    "`{0}` is a section; write `[{0}]`, and what belongs to it below",
                    key.get_ref()
                ),
            ),
        }
    }

    fn boolean(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<bool> {
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            self.wants(key, value, "true or false", "true");
        }
        boolean
    }

    fn count(&mut self, key: &Key<'_>, value: &Value<'_>, least: u64) -> Option<u64> {
        let count = integer(value.get_ref()).filter(|count| *count >= least);
        if count.is_none() {
            self.wants(key, value, format_args!("a whole number from {least}"), "100");
        }
        count
    }

    fn duration(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<Duration> {
        let duration = match value.get_ref() {
            DeValue::String(text) => units::duration(text),
            other => number(other).and_then(|seconds| units::duration(&seconds.to_string())),
        };
        if duration.is_none() {
            self.wants(key, value, "a duration: seconds, or a number with its unit", "\"30s\"");
        }
        duration
    }

    fn wants(&mut self, key: &Key<'_>, value: &Value<'_>, what: impl Display, example: &str) {
        let key = key.get_ref();
        self.error(
            value.span().start,
            format_args!("`{key}` takes {what}; write for example `{key} = {example}`"),
        );
    }

    fn unknown(&mut self, key: &Key<'_>, known: &[&str]) {
        let written = key.get_ref();
        let guess = nearest(written, &mut known.iter().copied());
        let guess = guess.map_or_else(String::new, |guess| format!("; did you mean `{guess}`?"));
        self.error(
            key.span().start,
            format_args!("there is no `{written}` here{guess} (known: {})", known.join(", ")),
        );
    }

    fn error(&mut self, at: usize, message: impl Display) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        self.errors.push((at, format!("{}:{line}:{column}: {message}", self.path.display())));
    }
}

fn integer(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let float = value.as_float().and_then(|float| float.as_str().parse().ok());
    float.or_else(|| integer(value).map(|integer| integer as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<File, String> {
        File::parse(Path::new("/app/perfkit.toml"), text)
    }

    #[test]
    fn all_that_there_is() {
        let file = parse(
            r#"
strict = true

[defaults]
iterations = 50
warmup = 0
timeout = "10s"

[targets]
"app::parse" = "1.5 ms"
"app::sort/1000" = "40us"
start = "start_up"
many = "throughput"

[default_targets]
start_up = "2s"
simple_call = "1ms"
complex_call = "100ms"
throughput = 20_000
memory_idle = "60MB"
memory_peak = "1GiB"
cache_hit_ratio = 0.9

[suite]
timeout = 600

[results]
directory = "bench"
keep = 20
save = false

[baseline]
regression = 30
high_regression = 60.5
improvement = 15
outside = 5
instructions = 0.5
runs = 7
"#,
        )
        .unwrap();
        let expected = File {
            strict: Some(true),
            iterations: Some(50),
            warmup: Some(0),
            timeout: Some(Duration::from_secs(10)),
            targets: [("app::parse", 1.5e6), ("app::sort/1000", 4e4), ("many", 5e4), ("start", 2e9)]
                .map(|(name, target)| (name.to_owned(), target))
                .to_vec(),
            default_targets: DefaultTargets {
                start_up: 2e9,
                throughput: 5e4,
                memory_idle: 60_000_000,
                memory_peak: 1 << 30,
                cache_hit_ratio: 0.9,
                ..DefaultTargets::DEFAULT
            },
            suite_timeout: Some(Duration::from_mins(10)),
            results: Some(PathBuf::from("/app/bench")),
            keep: Some(20),
            save: Some(false),
            thresholds: Thresholds {
                regression: 0.3,
                high_regression: 0.605,
                improvement: 0.15,
                outside: 0.05,
                instructions: 0.005,
            },
            runs: Some(7),
            ..File::empty(Path::new("/app/perfkit.toml"))
        };
        assert_eq!(file, expected);
        assert_eq!(parse("").unwrap(), File::empty(Path::new("/app/perfkit.toml")));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_all_at_once() {
        let errors = parse(
            "strikt = true\ndefaults = 7\n[target]\n[baseline]\n  regresion = 2\nruns = 0\n[defaults2]\n[suite]\ntimeout = \"soon\"\n\
             [targets]\na = \"2 parsecs\"\nb = 3\nc = \"startup\"\n[results]\ndirectory = \"\"\nkeep = -1\nsave = 1\n",
        )
        .unwrap_err();
        let errors: Vec<_> =
            errors.lines().map(|line| line.strip_prefix("/app/perfkit.toml:").unwrap()).collect();
        let expected = [
            "1:1: there is no `strikt` here; did you mean `strict`?",
            "2:12: `defaults` is a section; write `[defaults]`, and what belongs to it below",
            "3:2: there is no `target` here; did you mean `targets`?",
            "5:3: there is no `regresion` here; did you mean `regression`?",
            "6:8: `runs` takes a whole number from 1; write for example `runs = 100`",
            "7:2: there is no `defaults2` here; did you mean `defaults`?",
            "9:11: `timeout` takes a duration: seconds, or a number with its unit; write for example `timeout = \"30s\"`",
            "11:5: the target of `a` is how long a call may take, such as \"2 ms\", or the name of a default target",
            "12:5: the target of `b` is how long",
            "13:5: the target of `c` is how long a call may take, such as \"2 ms\", or the name of a default target (start_up, \
             simple_call, complex_call, throughput); did you mean \"start_up\"?",
            "15:13: `directory` takes a path",
            "16:8: `keep` takes a whole number from 1",
            "17:8: `save` takes true or false",
        ];
        assert_eq!(errors.len(), expected.len(), "{errors:#?}");
        for (error, expected) in errors.iter().zip(expected) {
            assert!(error.starts_with(expected), "{error}\n{expected}");
        }
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_place() {
        let error = parse("[defaults]\niterations = \n").unwrap_err();
        assert!(error.starts_with("/app/perfkit.toml:2:"), "{error}");
        let twice = parse("strict = true\nstrict = false\n").unwrap_err();
        assert!(twice.starts_with("/app/perfkit.toml:2:"), "{twice}");
    }
}
