//! What the environment and the command line say of a whole run, both with the same words.

use core::time::Duration;
use std::path::PathBuf;

use super::units;

pub(crate) const HELP: &str = "
Results are saved under target/perfkit and compared with the last runs on this machine:

    --save-baseline NAME   keep this run under a name
    --baseline NAME        compare with that run
    --fail-above PERCENT   fail where so many more instructions than in the baseline are counted (1%)
    --list-baselines       print the names, and run nothing
    --no-save              do not keep this run
    --results DIR          instead of target/perfkit

More, above what attributes and perfkit.toml say; each is a variable of the environment, too (PERFKIT_ITERATIONS=50):

    --iterations N         samples of a benchmark
    --warmup N             calls before the first sample
    --timeout TIME         of a benchmark, such as 30s
    --suite-timeout TIME   of all of them (300s); those that are left then fail
    --strict               each benchmark has a target, default targets hold, warnings are failures
";

/// What is said above the file. `None` where nothing is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layer {
    pub(super) iterations: Option<u64>,
    pub(super) warmup: Option<u64>,
    pub(super) timeout: Option<Duration>,
    pub(super) suite_timeout: Option<Duration>,
    pub(super) strict: Option<bool>,
    pub(super) results: Option<PathBuf>,
    /// A share.
    pub(super) fail_above: Option<f64>,
}

impl Layer {
    /// This, and what `below` says where this says nothing.
    pub(super) fn over(self, below: Layer) -> Layer {
        Layer {
            iterations: self.iterations.or(below.iterations),
            warmup: self.warmup.or(below.warmup),
            timeout: self.timeout.or(below.timeout),
            suite_timeout: self.suite_timeout.or(below.suite_timeout),
            strict: self.strict.or(below.strict),
            results: self.results.or(below.results),
            fail_above: self.fail_above.or(below.fail_above),
        }
    }

    /// Takes the value of the option `word` (`suite-timeout`, say); `None` if there is none of that name.
    fn set(&mut self, word: &str, value: &str) -> Option<Result<(), &'static str>> {
        fn put<T>(place: &mut Option<T>, value: Option<T>, what: &'static str) -> Result<(), &'static str> {
            let value = value.ok_or(what)?;
            *place = Some(value);
            Ok(())
        }
        let count = || value.parse::<u64>().ok();
        let path = || (!value.is_empty()).then(|| PathBuf::from(value));
        Some(match word {
            "iterations" => {
                put(&mut self.iterations, count().filter(|count| *count > 0), "a whole number from 1")
            }
            "warmup" => put(&mut self.warmup, count(), "a whole number from 0"),
            "timeout" => put(&mut self.timeout, units::duration(value), "a duration such as 30s"),
            "suite-timeout" => {
                put(&mut self.suite_timeout, units::duration(value), "a duration such as 300s")
            }
            "results" => put(&mut self.results, path(), "a directory"),
            "fail-above" => put(&mut self.fail_above, units::percent(value), "a percentage such as 5%"),
            "strict" => {
                let strict = match value {
                    "1" | "true" => Some(true),
                    "0" | "false" => Some(false),
                    _ => None,
                };
                put(&mut self.strict, strict, "1 or 0")
            }
            _ => return None,
        })
    }

    /// Of the environment, which `get` asks.
    pub(super) fn of_environment(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut layer = Layer::default();
        for word in ["iterations", "warmup", "timeout", "suite-timeout", "strict", "results", "fail-above"] {
            let variable = format!("PERFKIT_{}", word.to_uppercase().replace('-', "_"));
            let Some(value) = get(&variable).filter(|value| !value.is_empty()) else { continue };
            if let Some(Err(what)) = layer.set(word, &value) {
                return Err(format!("{variable} is {what}, and not `{value}`"));
            }
        }
        Ok(layer)
    }
}

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Options {
    pub(super) layer: Layer,
    pub(super) save_baseline: Option<String>,
    pub(super) baseline: Option<String>,
    pub(super) list_baselines: bool,
    pub(super) no_save: bool,
}

impl Options {
    /// Takes an option; `None` if there is none of that name.
    pub(crate) fn take(
        &mut self,
        name: &str,
        value: &mut dyn FnMut() -> Result<String, String>,
    ) -> Option<Result<(), String>> {
        Some(match name {
            "--list-baselines" => {
                self.list_baselines = true;
                Ok(())
            }
            "--no-save" => {
                self.no_save = true;
                Ok(())
            }
            "--strict" => {
                self.layer.strict = Some(true);
                Ok(())
            }
            "--save-baseline" => value().map(|name| self.save_baseline = Some(name)),
            "--baseline" => value().map(|name| self.baseline = Some(name)),
            "--results" | "--iterations" | "--warmup" | "--timeout" | "--suite-timeout" | "--fail-above" => {
                value().and_then(|value| match self.layer.set(name.trim_start_matches('-'), &value) {
                    Some(Err(what)) => Err(format!("Option '{name}' takes {what} (was '{value}')")),
                    _ => Ok(()),
                })
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(name: &str, given: &str) -> Result<Options, String> {
        let mut options = Options::default();
        let mut value = || Ok(given.to_owned());
        options.take(name, &mut value).unwrap_or_else(|| panic!("{name} is known")).map(|()| options)
    }

    #[test]
    fn words_of_the_command_line() {
        assert_eq!(take("--save-baseline", "main").unwrap().save_baseline.as_deref(), Some("main"));
        assert_eq!(take("--timeout", "250ms").unwrap().layer.timeout, Some(Duration::from_millis(250)));
        assert_eq!(take("--warmup", "0").unwrap().layer.warmup, Some(0));
        assert!(take("--list-baselines", "").unwrap().list_baselines);
        assert_eq!(
            take("--iterations", "0").unwrap_err(),
            "Option '--iterations' takes a whole number from 1 (was '0')"
        );
        assert_eq!(take("--fail-above", "0.5%").unwrap().layer.fail_above, Some(0.005));
        assert!(take("--fail-above", "0.05").unwrap_err().contains("a percentage such as 5%"));
        assert!(take("--suite-timeout", "soon").unwrap_err().contains("a duration such as 300s"));
        assert!(Options::default().take("--other", &mut || Ok(String::new())).is_none());
        // All that there are are told of, and without the feature are known to need it.
        let bare = include_str!("../suite_bare.rs");
        for option in HELP.split_whitespace().filter(|word| word.starts_with("--")) {
            assert!(bare.contains(&format!("\"{option}\"")), "{option}");
        }
    }

    #[test]
    fn words_of_the_environment() {
        let layer = |name: &'static str, value: &'static str| {
            Layer::of_environment(&|asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(layer("PERFKIT_SUITE_TIMEOUT", "2m").unwrap().suite_timeout, Some(Duration::from_mins(2)));
        assert_eq!(layer("PERFKIT_STRICT", "1").unwrap().strict, Some(true));
        assert_eq!(layer("PERFKIT_STRICT", "").unwrap(), Layer::default());
        assert_eq!(layer("PERFKIT_STRICT", "yes").unwrap_err(), "PERFKIT_STRICT is 1 or 0, and not `yes`");
    }
}
