//! A run of all benchmarks without the feature `bench`: nothing is saved, nothing is compared, and attributes alone say what holds.
//!
//! What would need the feature is said, and never passed over in silence.

use std::path::PathBuf;
use std::sync::Once;

use perf_runtime::session::complain;
use perf_runtime::show::table::Page;

use crate::driven::instructions::Counted;
use crate::driven::instructions_report::Earlier;
use crate::harness::arguments::Arguments;
use crate::registry::entry::BenchmarkEntry;
use crate::registry::settings::{NAME, Settings, package, places};
use crate::run::outcome::Outcome;

pub(crate) const HELP: &str = "
Saved results, baselines and `perfkit.toml` come with perfkit's feature `bench`.
";

/// How to have the feature.
const FEATURE: &str =
    "in Cargo.toml, under [dev-dependencies], write perfkit = { …, features = [\"bench\"] }";

/// Options of the command line that need the feature.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options;

impl Options {
    /// `None` if there is no such option with the feature either.
    #[allow(clippy::unused_self, reason = "the same with the feature")]
    #[inline]
    pub(crate) fn take(
        &mut self,
        name: &str,
        _value: &mut dyn FnMut() -> Result<String, String>,
    ) -> Option<Result<(), String>> {
        let known = [
            "--baseline",
            "--save-baseline",
            "--list-baselines",
            "--no-save",
            "--results",
            "--iterations",
            "--warmup",
            "--timeout",
            "--suite-timeout",
            "--strict",
            "--fail-above",
        ];
        known
            .contains(&name)
            .then(|| Err(format!("Option '{name}' needs perfkit's feature `bench`: {FEATURE}")))
    }
}

#[inline]
pub(crate) fn settings(entry: &BenchmarkEntry, _name: &str) -> Settings {
    Settings::of_attribute(entry)
}

/// What a test says before the first benchmark.
#[allow(clippy::unnecessary_wraps, reason = "the same with the feature")]
#[inline]
pub(crate) fn check() -> Result<(), String> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Some(file) = file() {
            complain(format_args!(
                "{} was not read, because perfkit's feature `bench` is off: {FEATURE}",
                file.display()
            ));
        }
    });
    Ok(())
}

/// The file that would be read with the feature.
#[inline]
fn file() -> Option<PathBuf> {
    places(&package()).into_iter().map(|place| place.join(NAME)).find(|file| file.is_file())
}

/// One run of all benchmarks.
pub(crate) struct Suite;

impl Suite {
    #[allow(clippy::unnecessary_wraps, reason = "the same with the feature")]
    #[inline]
    pub(crate) fn begin(_arguments: &Arguments) -> Result<Option<Self>, String> {
        check()?;
        Ok(Some(Suite))
    }

    /// Why no more is to be run.
    #[allow(clippy::unused_self, reason = "the same with the feature")]
    #[inline]
    pub(crate) fn over(&self) -> Option<String> {
        None
    }

    /// What fails the run beside its benchmarks.
    #[allow(clippy::unused_self, reason = "the same with the feature")]
    #[inline]
    pub(crate) fn end(&self, _outcomes: &[Outcome], _page: Option<Page>) -> Vec<String> {
        Vec::new()
    }

    /// Begins to count; with what was counted before, which is nothing.
    #[allow(clippy::unused_self, reason = "the same with the feature")]
    #[inline]
    pub(crate) fn begin_counting(&self) -> (Counting, Earlier) {
        (Counting, Earlier::default())
    }
}

/// One run of `--instructions`.
pub(crate) struct Counting;

impl Counting {
    /// What fails the run beside its benchmarks.
    #[allow(clippy::unused_self, reason = "the same with the feature")]
    #[inline]
    pub(crate) fn end(self, _all: &[Counted]) -> Vec<String> {
        Vec::new()
    }
}
