//! The programs that are measured: built by cargo, started as often as it takes.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// One that was built.
#[derive(Clone, Debug)]
pub(crate) struct Program(PathBuf);

impl Program {
    /// The target of this package that is chosen by `--bench` or `--test` and its name, optimised.
    pub(crate) fn build(kind: &str, name: &str) -> Option<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let arguments =
            ["build", "--release", "--quiet", "--package", "perfkit-trust", "--message-format=json"];
        let output = Command::new(cargo)
            .args(arguments)
            .args([kind, name])
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| eprintln!("trust: cargo cannot be run: {error}"))
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let of_it = format!("\"name\":\"{name}\"");
        let line = text.lines().find(|line| line.contains(&of_it) && line.contains("\"executable\":\""));
        let Some((_, path)) = line.and_then(|line| line.split_once("\"executable\":\"")) else {
            eprintln!("trust: cargo has not built {kind} {name}");
            return None;
        };
        Some(Program(PathBuf::from(path.split('"').next()?)))
    }

    /// Runs it, and gives what it printed. How it ended is for the caller to look at.
    pub(crate) fn run(&self, arguments: &[&str], variables: &[(&str, String)]) -> Option<Output> {
        let mut command = Command::new(&self.0);
        command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
        command.output().map_err(|error| eprintln!("trust: {} cannot be run: {error}", self.0.display())).ok()
    }
}

/// The number behind a name in a line of JSON.
pub(crate) fn number(line: &str, name: &str) -> Option<f64> {
    let (_, rest) = line.split_once(&format!("\"{name}\": "))?;
    rest.split([',', ' ', '}']).next()?.parse().ok()
}

/// Something that keeps a processor busy until it is dropped.
#[derive(Debug)]
pub(crate) struct Busy(std::process::Child);

impl Busy {
    pub(crate) fn begin() -> Option<Self> {
        Command::new("sh").args(["-c", "while :; do :; done"]).spawn().ok().map(Busy)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
