//! The bench targets of one side, built by cargo, with the same flags on both.
//!
//! Functions begin at multiples of 64 bytes. Without that, code that was not touched runs up to a third faster or slower because other code before it has
//! another length.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::options::Build;

/// The flag for rustc.
const ALIGNED: &str = "-Cllvm-args=-align-all-functions=6";

/// One bench target, built.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    /// Its name in Cargo.toml.
    pub(crate) target: String,
    pub(crate) path: PathBuf,
}

/// A workspace, as cargo describes it.
#[derive(Debug)]
pub(crate) struct Workspace {
    directory: PathBuf,
    metadata: Value,
}

impl Workspace {
    /// The one that `directory` is in.
    pub(crate) fn of(directory: &Path) -> Result<Self, String> {
        let mut command = cargo(directory);
        command.args(["metadata", "--format-version=1", "--no-deps"]);
        let output = command.output().map_err(|error| format!("cargo cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("cargo's description of the workspace is no JSON: {error}"))?;
        Ok(Workspace { directory: directory.to_owned(), metadata })
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(self.metadata[name].as_str().unwrap_or("."))
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.path("workspace_root")
    }

    pub(crate) fn target_directory(&self) -> PathBuf {
        self.path("target_directory")
    }

    /// The packages that cargo would choose here, or those named.
    fn packages(&self, build: &Build) -> Vec<&Value> {
        let all = list(&self.metadata["packages"]);
        if !build.package.is_empty() {
            let is_named =
                |package: &&Value| build.package.iter().any(|name| package["name"] == name.as_str());
            return all.iter().filter(is_named).collect();
        }
        let here = fs::canonicalize(&self.directory).unwrap_or_else(|_| self.directory.clone());
        let of_here = all.iter().filter_map(|package| {
            let directory = Path::new(package["manifest_path"].as_str()?).parent()?;
            let directory = fs::canonicalize(directory).ok()?;
            here.starts_with(&directory).then(|| (directory.components().count(), directory, package))
        });
        match of_here.max_by_key(|(depth, ..)| *depth) {
            Some((_, directory, package))
                if fs::canonicalize(self.root()).ok().as_ref() != Some(&directory) =>
            {
                vec![package]
            }
            _ => {
                let chosen = list(&self.metadata["workspace_default_members"]);
                all.iter().filter(|package| chosen.contains(&package["id"])).collect()
            }
        }
    }

    /// Names of its bench targets.
    fn bench_targets(&self, build: &Build) -> Vec<String> {
        let is_bench = |target: &&Value| list(&target["kind"]).iter().any(|kind| kind == "bench");
        let targets = self.packages(build).into_iter().flat_map(|package| list(&package["targets"]));
        let names = targets.filter(is_bench).filter_map(|target| target["name"].as_str());
        names
            .filter(|name| build.bench.is_empty() || build.bench.iter().any(|wanted| wanted == name))
            .map(str::to_owned)
            .collect()
    }

    /// Builds its bench targets into `target`.
    pub(crate) fn build(&self, build: &Build, target: &Path, who: &str) -> Result<Vec<Program>, String> {
        let names = self.bench_targets(build);
        if names.is_empty() {
            return Err(no_bench_target(who, build));
        }
        let mut command = cargo(&self.directory);
        command
            .args(["bench", "--no-run", "--message-format=json-render-diagnostics", "--target-dir"])
            .arg(target);
        command.args(names.iter().flat_map(|name| ["--bench", name]));
        command.args(build.package.iter().flat_map(|name| ["--package", name]));
        command.args(build.features.iter().flat_map(|features| ["--features", features]));
        command.args(build.profile.iter().flat_map(|name| ["--profile", name]));
        command.args(build.all_features.then_some("--all-features"));
        command.args(build.no_default_features.then_some("--no-default-features"));
        align_functions(&mut command, &self.directory);
        // What the compiler has to say is for the user, while it says it.
        command.stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = command.output().map_err(|error| format!("cargo cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(format!("{who} does not build: cargo's messages are above{}", self.outside()));
        }
        let programs = programs_in(&String::from_utf8_lossy(&output.stdout));
        if programs.is_empty() {
            return Err(format!("cargo built no bench target of {who}"));
        }
        Ok(programs)
    }

    /// A word about dependencies that a worktree would look for at another place.
    pub(crate) fn outside(&self) -> String {
        let root = fs::canonicalize(self.root()).unwrap_or_else(|_| self.root());
        let outside: Vec<&str> = list(&self.metadata["packages"])
            .iter()
            .flat_map(|package| {
                let manifest = package["manifest_path"].as_str().map(fs::read_to_string);
                let manifest = manifest.and_then(Result::ok).unwrap_or_default();
                let paths = list(&package["dependencies"]).iter().filter_map(|one| one["path"].as_str());
                // One that is written as it is is absolute.
                paths.filter(move |path| !manifest.contains(path))
            })
            .filter(|path| !fs::canonicalize(path).is_ok_and(|path| path.starts_with(&root)))
            .collect();
        if outside.is_empty() {
            return String::new();
        }
        format!(
            "\nIt depends on what is not in the repository ({}): a relative path leads elsewhere from the worktree of a revision, so write \
             an absolute one, or make it a part of the repository",
            outside.join(", ")
        )
    }
}

/// What cargo says that it built.
fn programs_in(messages: &str) -> Vec<Program> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = |message: Value| {
        let target = &message["target"];
        let is_bench = list(&target["kind"]).iter().any(|kind| kind == "bench");
        let path = message["executable"].as_str().filter(|_| is_bench)?;
        Some(Program { target: target["name"].as_str()?.to_owned(), path: PathBuf::from(path) })
    };
    messages.filter_map(program).collect()
}

/// What to write so that there are benchmarks to compare.
pub(crate) fn no_bench_target(who: &str, build: &Build) -> String {
    let named = match build.bench.as_slice() {
        [] => String::new(),
        names => format!(" named {}", names.join(" or ")),
    };
    format!(
        "{who} has no bench target of perfkit{named}. Give the package one, in Cargo.toml:\n\n    [[bench]]\n    name = \"speed\"\n    \
         harness = false\n\nand in benches/speed.rs:\n\n    use my_crate as _; // the crates whose benchmarks are to run\n    \
         perfkit::bench_main!();\n"
    )
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn cargo(directory: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(directory);
    command
}

/// Adds the flag to those that the user has set, wherever they are: cargo takes them from one place only.
fn align_functions(command: &mut Command, directory: &Path) {
    if let Ok(flags) = env::var("CARGO_ENCODED_RUSTFLAGS") {
        let separator = if flags.is_empty() { "" } else { "\x1f" };
        command.env("CARGO_ENCODED_RUSTFLAGS", format!("{flags}{separator}{ALIGNED}"));
    } else if let Ok(flags) = env::var("RUSTFLAGS") {
        command.env("RUSTFLAGS", format!("{flags} {ALIGNED}"));
    } else {
        let place = if has_flags_of_a_target(directory) { "target.'cfg(all())'" } else { "build" };
        command.arg("--config").arg(format!("{place}.rustflags=[\"{ALIGNED}\"]"));
    }
}

/// Whether a configuration of cargo's sets flags for a target, before which those for all are not looked at.
fn has_flags_of_a_target(directory: &Path) -> bool {
    let here = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    let folders = here.ancestors().map(|ancestor| ancestor.join(".cargo")).chain(home_of_cargo());
    folders.flat_map(|folder| [folder.join("config.toml"), folder.join("config")]).any(|file| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let mut table = String::new();
        text.lines().any(|line| {
            let line = line.trim();
            if line.starts_with('[') {
                line.clone_into(&mut table);
            }
            table.starts_with("[target.") && line.starts_with("rustflags")
        })
    })
}

/// Where cargo keeps what is the user's.
fn home_of_cargo() -> Option<PathBuf> {
    let own = env::var_os("CARGO_HOME").map(PathBuf::from);
    own.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_built() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"app"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["bench"],"name":"speed"},"executable":"/t/speed-1"}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"tool"},"executable":"/t/tool"}
no JSON
{"reason":"build-finished","success":true}
"#;
        let path = PathBuf::from("/t/speed-1");
        assert_eq!(programs_in(messages), [Program { target: String::from("speed"), path }]);
    }
}
