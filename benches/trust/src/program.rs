//! The programs that are counted: built by cargo, started as often as it takes, and read line by line.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// One that was built.
#[derive(Clone, Debug)]
pub(crate) struct Program(PathBuf);

impl Program {
    /// What cargo builds with these words, the last of which is the name of the target.
    pub(crate) fn build(words: &[&str]) -> Result<Self, String> {
        let name = words.last().copied().unwrap_or_default();
        let mut cargo = cargo(words);
        cargo.args(["--quiet", "--message-format=json-render-diagnostics"]).stderr(Stdio::inherit());
        let output = cargo.output().map_err(|error| format!("cargo cannot be run: {error}"))?;
        // The package's other programs are told of, too.
        let path = events(&output.stdout).find_map(|message| {
            let path = message["executable"].as_str().filter(|_| message["target"]["name"] == name)?;
            Some(PathBuf::from(path))
        });
        path.map(Program).ok_or_else(|| format!("cargo {} built no `{name}`", words.join(" ")))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Runs it, and gives what it printed. How it ended is for the caller to look at. Whoever started this program, that one is none of nextest's.
    pub(crate) fn run(&self, arguments: &[&str], variables: &[(&str, String)]) -> Result<Output, String> {
        let mut command = Command::new(&self.0);
        command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
        command.env_remove("NEXTEST");
        command.output().map_err(|error| format!("{} cannot be run: {error}", self.0.display()))
    }

    /// What it prints, if it ends well.
    pub(crate) fn says(&self, arguments: &[&str], variables: &[(&str, String)]) -> Result<String, String> {
        let output = self.run(arguments, variables)?;
        let [text, errors] =
            [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        if output.status.success() {
            Ok(text)
        } else {
            Err(format!("{} {}\n{text}\n{errors}", self.0.display(), arguments.join(" ")))
        }
    }
}

/// Cargo in the folder of this package.
fn cargo(words: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(words).current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

/// The lines that are JSON.
pub(crate) fn events(lines: &[u8]) -> impl Iterator<Item = Value> {
    lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}

/// Something that keeps a processor busy until it is dropped.
#[derive(Debug)]
pub(crate) struct Busy(Child);

impl Busy {
    pub(crate) fn begin() -> Result<Self, String> {
        let busy = Command::new("sh").args(["-c", "while :; do :; done"]).spawn();
        busy.map(Busy).map_err(|error| format!("sh cannot be run: {error}"))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
