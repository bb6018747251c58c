//! What holds, of all that was said: the attribute, `perfkit.toml`, the environment, the command line, each above those before it.
//!
//! `[defaults]` of the file are below the attribute, since they are for those that say nothing. Read once for a process, because tests ask from many threads. Must
//! never lose a target: where the file has another than the attribute, whoever shows the target shows that.

use core::time::Duration;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::file::{DefaultTargets, File};
use super::options::Layer;
use crate::judge::Target;
use crate::judge::Thresholds;
use crate::registry::entry::BenchmarkEntry;
use crate::registry::settings::{NAME, Settings, package, places};
use crate::run::lock::target_directory;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// The package's directory.
    pub(super) package: PathBuf,
    pub(super) file: Option<File>,
    /// The environment, and the command line above it.
    above: Layer,
}

/// How long all benchmarks may take together.
const SUITE_TIMEOUT: Duration = Duration::from_secs(300);
/// Runs of a program that are kept.
const KEEP: usize = 100;
/// Runs that one is compared with.
const RUNS: usize = 10;

static CONFIG: OnceLock<Result<Config, String>> = OnceLock::new();

/// Reads all of it, with what the command line says.
pub(super) fn begin(command_line: Layer) -> Result<&'static Config, String> {
    CONFIG.get_or_init(|| Config::read(command_line)).as_ref().map_err(Clone::clone)
}

/// Whether all that was said is understood; what is not, as one message.
pub(crate) fn check() -> Result<(), String> {
    begin(Layer::default()).map(drop)
}

/// What holds for the case `name` of a benchmark. Where nothing is understood, whoever runs it has said so.
pub(crate) fn settings(entry: &BenchmarkEntry, name: &str) -> Settings {
    begin(Layer::default())
        .map_or_else(|_| Settings::of_attribute(entry), |config| config.settings(entry, name))
}

impl Config {
    fn read(command_line: Layer) -> Result<Self, String> {
        let environment = Layer::of_environment(&|name| std::env::var(name).ok())?;
        let package = package();
        Ok(Config { file: File::find(&places(&package))?, package, above: command_line.over(environment) })
    }

    /// The one place where all of it comes together.
    fn settings(&self, entry: &BenchmarkEntry, name: &str) -> Settings {
        let (file, above) = (self.file.as_ref(), &self.above);
        let Settings { target, iterations, warmup, timeout, .. } = Settings::of_attribute(entry);
        let timeout = above
            .timeout
            .or(entry.sets_timeout.then_some(timeout))
            .or(file.and_then(|file| file.timeout))
            .unwrap_or(timeout);
        let (target, target_from) = self.target(target, entry.name(), name);
        Settings {
            target,
            target_from,
            iterations: above.iterations.or(iterations).or(file.and_then(|file| file.iterations)),
            warmup: above.warmup.or(warmup).or(file.and_then(|file| file.warmup)),
            timeout,
        }
    }

    /// The target, and where it is from if not from the attribute: of the case, else of the benchmark.
    fn target(
        &self,
        attribute: Option<Target>,
        benchmark: &str,
        case: &str,
    ) -> (Option<Target>, Option<String>) {
        let of = |name: &str| {
            let targets = &self.file.as_ref()?.targets;
            targets.iter().find(|target| target.0 == name).map(|target| Target::Nanos(target.1))
        };
        match (of(case).or_else(|| of(benchmark)), attribute) {
            (Some(target), Some(attribute)) => {
                (Some(target), Some(format!("{NAME}, instead of {}", attribute.text())))
            }
            (Some(target), None) => (Some(target), Some(NAME.to_owned())),
            (None, None) if self.strict() => (
                Some(Target::Nanos(self.default_targets().complex_call)),
                Some("the default of strict mode".to_owned()),
            ),
            (None, attribute) => (attribute, None),
        }
    }

    pub(super) fn strict(&self) -> bool {
        self.above.strict.or(self.file.as_ref().and_then(|file| file.strict)).unwrap_or(false)
    }

    pub(super) fn suite_timeout(&self) -> Duration {
        let file = self.file.as_ref().and_then(|file| file.suite_timeout);
        self.above.suite_timeout.or(file).unwrap_or(SUITE_TIMEOUT)
    }

    /// Where results are saved: as said, or in the target directory.
    pub(super) fn results(&self) -> Option<PathBuf> {
        let said = self.above.results.clone().or_else(|| self.file.as_ref()?.results.clone());
        said.or_else(|| Some(target_directory(&std::env::current_exe().ok()?)?.join("perfkit")))
    }

    pub(super) fn keep(&self) -> usize {
        self.file.as_ref().and_then(|file| file.keep).unwrap_or(KEEP)
    }

    pub(super) fn saves(&self) -> bool {
        self.file.as_ref().and_then(|file| file.save).unwrap_or(true)
    }

    pub(super) fn runs(&self) -> usize {
        self.file.as_ref().and_then(|file| file.runs).unwrap_or(RUNS)
    }

    pub(super) fn thresholds(&self) -> Thresholds {
        self.file.as_ref().map_or(Thresholds::DEFAULT, |file| file.thresholds)
    }

    /// The share of instructions that may be more than in a baseline.
    pub(super) fn fail_above(&self) -> f64 {
        self.above.fail_above.unwrap_or(self.thresholds().instructions)
    }

    pub(super) fn default_targets(&self) -> DefaultTargets {
        self.file.as_ref().map_or(DefaultTargets::DEFAULT, |file| file.default_targets)
    }

    /// The names in the file's `[targets]` that can only be mistakes: of a crate whose benchmarks are here, and none of those.
    pub(super) fn targets_of_nobody<'a>(&'a self, benchmarks: &[&str]) -> Vec<&'a str> {
        let is_of = |target: &str, benchmark: &str| {
            target.strip_prefix(benchmark).is_some_and(|case| case.is_empty() || case.starts_with('/'))
        };
        let crate_of = |name: &str| name.split_once("::").map(|name| name.0.to_owned());
        let targets = self.file.iter().flat_map(|file| &file.targets).map(|target| target.0.as_str());
        targets
            .filter(|target| !benchmarks.iter().any(|benchmark| is_of(target, benchmark)))
            .filter(|target| {
                // Without a crate it may be the `name` of one in another program.
                crate_of(target).is_some_and(|krate| {
                    benchmarks.iter().any(|benchmark| crate_of(benchmark).as_ref() == Some(&krate))
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::registry::cases::Cases;

    const fn entry() -> BenchmarkEntry {
        BenchmarkEntry::new("app::parse", ("", 1, 1), || true, || Cases::one(|_| {}))
    }

    fn config(file: &str, above: Layer) -> Config {
        let file = File::parse(Path::new("perfkit.toml"), file).unwrap();
        Config { package: PathBuf::new(), file: Some(file), above }
    }

    const FILE: &str = "[defaults]\niterations = 50\nwarmup = 5\ntimeout = \"9s\"\n\
                        [targets]\n\"app::parse\" = \"2ms\"\n\"app::parse/large\" = \"7ms\"\n";

    #[test]
    fn each_stands_above_those_before_it() {
        static PLAIN: BenchmarkEntry = entry();
        static SAYS: BenchmarkEntry =
            entry().iterations(7).warmup(3).timeout(Duration::from_secs(30)).target(1e6);
        let below = config(FILE, Layer::default());
        let plain = below.settings(&PLAIN, "app::parse");
        assert_eq!((plain.iterations, plain.warmup, plain.timeout.as_secs()), (Some(50), Some(5), 9));
        assert_eq!(
            (plain.target, plain.target_from.as_deref()),
            (Some(Target::Nanos(2e6)), Some("perfkit.toml"))
        );
        // A default is for who says nothing; that the attribute says what is usual is saying it.
        let says = below.settings(&SAYS, "app::parse/large");
        assert_eq!((says.iterations, says.warmup, says.timeout.as_secs()), (Some(7), Some(3), 30));
        assert_eq!(says.target_from.as_deref(), Some("perfkit.toml, instead of 1.00 ms"));
        assert_eq!(says.target, Some(Target::Nanos(7e6)));
        assert_eq!(below.settings(&SAYS, "app::parse/small").target, Some(Target::Nanos(2e6)));
        let environment = Layer {
            iterations: Some(1),
            warmup: Some(1),
            timeout: Some(Duration::from_secs(1)),
            ..Layer::default()
        };
        let command_line = Layer { iterations: Some(2), ..Layer::default() };
        let above = config(FILE, command_line.over(environment)).settings(&SAYS, "app::parse");
        assert_eq!((above.iterations, above.warmup, above.timeout.as_secs()), (Some(2), Some(1), 1));
    }

    #[test]
    fn in_strict_mode_nothing_is_without_a_target() {
        static OTHER: BenchmarkEntry = entry().named("other");
        let strict = Layer { strict: Some(true), ..Layer::default() };
        let lax = config(FILE, Layer::default()).settings(&OTHER, "other");
        assert_eq!((lax.target, lax.target_from), (None, None));
        let held = config(FILE, strict).settings(&OTHER, "other");
        assert_eq!(
            (held.target, held.target_from.as_deref()),
            (Some(Target::Nanos(1e8)), Some("the default of strict mode"))
        );
        assert!(config("strict = true", Layer::default()).strict());
        assert!(!config("strict = true", Layer { strict: Some(false), ..Layer::default() }).strict());
    }

    #[test]
    fn targets_that_can_only_be_mistakes() {
        let config = config(
            "[targets]\n\"app::parse\" = \"1s\"\n\"app::parse/7\" = \"1s\"\n\"app::prase\" = \"1s\"\n\"lib::x\" = \"1s\"\nlabel = \"1s\"\n",
            Layer::default(),
        );
        assert_eq!(config.targets_of_nobody(&["app::parse", "app::sort"]), ["app::prase"]);
    }

    #[test]
    fn the_file_stands_beside_one_of_two_files() {
        // This package, and its workspace.
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = package.parent().unwrap();
        assert_eq!(places(package), [package, workspace]);
        assert_eq!(places(workspace), [workspace]);
    }
}
