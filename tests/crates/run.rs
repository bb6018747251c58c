//! A command that knows nothing of the test that starts it, and what came of it.

#![allow(dead_code, reason = "none of the tests asks for all of it")]

use std::process::{Command, Output};

/// A command to which nothing is said of what this test's own cargo and nextest say to it, nor of colours and the machine of a CI.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let is_foreign = ["CARGO_", "NEXTEST", "RUST_", "PERFKIT", "RUSTFLAGS", "CLICOLOR", "GITHUB_"]
            .iter()
            .any(|start| name.starts_with(start));
        if is_foreign && name != "CARGO_HOME" {
            command.env_remove(name);
        }
    }
    command
}

/// What a run said.
pub(crate) struct Run {
    what: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    code: Option<i32>,
}

impl Run {
    pub(crate) fn of(what: &str, output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("cargo prints Unicode");
        Run {
            what: what.to_owned(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code(),
        }
    }

    #[track_caller]
    pub(crate) fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.all());
        self
    }

    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            let found = self.stdout.contains(text) || self.stderr.contains(text);
            assert!(found, "{text:?} is not in what it said.\n{}", self.all());
        }
        self
    }

    #[track_caller]
    pub(crate) fn says_not(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "{text:?}\n{}", self.all());
        self
    }

    pub(crate) fn all(&self) -> String {
        let Run { what, stdout, stderr, code } = self;
        format!("cargo {what} ({code:?})\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }

    /// The words of the row that begins with this.
    #[track_caller]
    pub(crate) fn row(&self, name: &str) -> Vec<&str> {
        let mut lines = self.stdout.lines().chain(self.stderr.lines());
        let row = lines.find(|line| line.split_whitespace().next() == Some(name));
        row.unwrap_or_else(|| panic!("no row `{name}`\n{}", self.all())).split_whitespace().collect()
    }
}
