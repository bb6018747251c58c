//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// What cargo calls: `cargo perfkit …` is `cargo-perfkit perfkit …`.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", disable_help_subcommand = true)]
pub(crate) enum Cargo {
    /// Tools for the benchmarks of perfkit
    #[command(subcommand, version, arg_required_else_help = true)]
    Perfkit(Command),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compare the benchmarks of another revision and of the working tree
    #[command(long_about = ABOUT, after_long_help = AFTER)]
    Compare(Box<Compare>),
    /// Draw each benchmark over commits, from the runs that were saved
    History(History),
}

#[derive(Args, Debug)]
pub(crate) struct History {
    /// Only benchmarks whose names contain one of these
    #[arg(value_name = "FILTERS")]
    pub(crate) filters: Vec<String>,

    /// Where runs are saved, instead of target/perfkit
    #[arg(long, value_name = "DIR")]
    pub(crate) results: Option<PathBuf>,
}

const ABOUT: &str = "\
Compare the benchmarks of another revision and of the working tree.

Builds the other revision in a worktree of its own, starts the bench targets of both (those with `harness = false` and `perfkit::bench_main!()`), and has \
them run in turn on one processor, half a millisecond each. Both programs are started anew again and again, until the interval of the ratio is on \
one side of the threshold, or the time is up.";

const AFTER: &str = "\
Verdicts:
  slower     the whole interval is above the threshold
  faster     the whole interval is below it
  same       the whole interval is within it
  undecided  the time was up before; `--max-time` gives it more
Where valgrind is installed, the instructions of a call are counted on both sides when the time differs. If they are the same, and so are misses of caches and \
branches, the code only lies elsewhere: \"same instructions: code layout, not your change\". That never fails.

All verdicts of a comparison together are wrong in at most 1 % of comparisons.

Exit codes: 0; 1 where something is slower than `--fail-above`; 2 where something could not be compared.

Markdown is appended to the file that GITHUB_STEP_SUMMARY names, where it is set.";

#[derive(Args, Debug)]
pub(crate) struct Compare {
    /// What to compare with: a branch, a tag, a commit, `HEAD~1`
    #[arg(value_name = "REV", required_unless_present = "executables")]
    pub(crate) revision: Option<String>,

    /// Only benchmarks whose names contain one of these
    #[arg(last = true, value_name = "FILTERS")]
    pub(crate) filters: Vec<String>,

    /// Filters are whole names
    #[arg(long)]
    pub(crate) exact: bool,

    /// Exit with 1 if a benchmark is slower by more than this, as the whole interval says
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) fail_above: Option<f64>,

    /// A difference up to this is none
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "1%")]
    pub(crate) threshold: f64,

    /// Seconds for each benchmark, at most
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub(crate) max_time: Duration,

    /// Do not count instructions where times differ
    #[arg(long)]
    pub(crate) no_instructions: bool,

    /// Write the table as Markdown to a file, or to standard output (-)
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,

    /// Write all figures as JSON to a file, or to standard output (-)
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) build: Build,

    /// Two programs instead of two revisions
    #[arg(long, num_args = 2, value_names = ["BASE", "NEW"], hide = true, conflicts_with = "revision")]
    pub(crate) executables: Option<Vec<PathBuf>>,

    /// A variable that only the new side is told
    #[arg(long, value_name = "NAME=VALUE", hide = true, value_parser = variable)]
    pub(crate) new_env: Vec<(String, String)>,
}

/// What cargo is told, on both sides.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Build")]
pub(crate) struct Build {
    /// Packages whose bench targets to compare
    #[arg(short, long, value_name = "SPEC")]
    pub(crate) package: Vec<String>,
    /// Bench targets to compare, instead of all
    #[arg(long, value_name = "NAME")]
    pub(crate) bench: Vec<String>,
    /// Features to switch on
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub(crate) features: Vec<String>,
    #[arg(long, help = "Switch on all features")]
    pub(crate) all_features: bool,
    #[arg(long, help = "Switch off the default features")]
    pub(crate) no_default_features: bool,
    /// Profile to build with, instead of `bench`
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    match number {
        Some(number) if number.is_finite() && number > 0.0 => Ok(number / 100.0),
        Some(_) => Err(String::from("it has to be more than 0 %")),
        None => Err(String::from("write a percentage, such as `5%`")),
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| String::from("write `NAME=VALUE`"))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: Option<f64> = text.strip_suffix('s').unwrap_or(text).trim().parse().ok();
    number
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .filter(|time| !time.is_zero())
        .ok_or_else(|| String::from("write seconds, such as `60`"))
}

impl Compare {
    /// Whether a benchmark of this name is meant.
    pub(crate) fn selects(&self, name: &str) -> bool {
        let matches =
            |filter: &String| if self.exact { name == filter } else { name.contains(filter.as_str()) };
        self.filters.is_empty() || self.filters.iter().any(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cargo::command().debug_assert();
    }

    #[test]
    fn what_is_typed() {
        let parse = |line: &str| {
            let Cargo::Perfkit(command) = Cargo::try_parse_from(line.split(' '))?;
            let Command::Compare(options) = command else { panic!("{command:?}") };
            Ok::<_, clap::Error>(options)
        };
        let options = parse("cargo perfkit compare main --fail-above 5% -- sort parse").unwrap();
        assert_eq!((options.revision.as_deref(), options.fail_above), (Some("main"), Some(0.05)));
        assert!(options.selects("app::sort/10") && !options.selects("hash"));
        assert_eq!((options.threshold, options.max_time), (0.01, Duration::from_secs(60)));
        assert!(
            parse("cargo perfkit compare main --fail-above 0.05")
                .unwrap_err()
                .to_string()
                .contains("such as `5%`")
        );
        assert!(parse("cargo perfkit compare").is_err());
        assert!(parse("cargo perfkit compare main --max-time 0").is_err());
        assert!(parse("cargo perfkit compare --executables a b").is_ok());
    }
}
