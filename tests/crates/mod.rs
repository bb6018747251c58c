//! Crates outside of the workspace that depend on perfkit by its path, built and run by the real cargo and the real nextest.

#![allow(dead_code, reason = "none of the tests asks for all of it")]

pub(crate) mod run;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::run::{Run, command};

/// A crate that is like no other, in a directory of its own.
pub(crate) struct Crate(pub(crate) PathBuf);

impl Crate {
    pub(crate) fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let dependency = format!("perfkit = {{ path = {:?} }}", env!("CARGO_MANIFEST_DIR"));
        Crate::of_edition("2024", name, &dependency, files)
    }

    /// What is said of `Cargo.toml` follows what every manifest says; of two files with one path the last counts.
    pub(crate) fn of_edition(edition: &str, name: &str, dependency: &str, files: &[(&str, &str)]) -> Self {
        let directory = scratch().join(name);
        let _ = fs::remove_dir_all(&directory);
        let perfkit = env!("CARGO_MANIFEST_DIR");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n\n[workspace]\n\n[dependencies]\n\
             {dependency}\n"
        );
        let mut all = vec![("Cargo.toml", manifest)];
        for (path, text) in files {
            match *path {
                "Cargo.toml" => all[0].1.push_str(text),
                path => all.push((path, (*text).to_owned())),
            }
        }
        for (path, text) in all {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        // The versions that this workspace is tested with, which are on the machine.
        fs::copy(Path::new(perfkit).join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
        Crate(directory)
    }

    /// Runs cargo there, with the variables set.
    pub(crate) fn cargo(&self, arguments: &str, variables: &[(&str, &str)]) -> Run {
        Run::of(arguments, self.command(arguments, variables).output().unwrap())
    }

    /// Results are saved there, too.
    pub(crate) fn command(&self, arguments: &str, variables: &[(&str, &str)]) -> Command {
        let mut command = command(env!("CARGO"));
        command.current_dir(&self.0).args(arguments.split_whitespace());
        command
            .env("CARGO_TARGET_DIR", scratch().join("target"))
            .env("PERFKIT_RESULTS", self.0.join("saved"));
        command.envs(variables.iter().copied());
        command
    }

    /// Builds the bench target `speed`, and tells where its program is.
    pub(crate) fn program(&self) -> PathBuf {
        let built = self.cargo("bench --bench speed --no-run --message-format=json", &[]).exits_with(0);
        let mut messages =
            built.stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let program = messages.find(|message| message["target"]["name"] == "speed").unwrap();
        PathBuf::from(program["executable"].as_str().unwrap())
    }
}

fn scratch() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("new-crates")
}
