//! Another revision of the repository, checked out beside the working tree in the target folder.
//!
//! The path is the same each time, so that cargo need not build anew what it has built there; whoever has the lock in the folder may use it, and what lies there
//! then was left behind by a run that was killed. The working tree and the index of the user are never touched.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A revision that is checked out; with this value its worktree goes.
#[derive(Debug)]
pub(crate) struct Revision {
    /// The start of its hash.
    pub(crate) commit: String,
    /// The whole tree.
    tree: PathBuf,
    /// The folder in it that is the current one in the working tree.
    pub(crate) directory: PathBuf,
    repository: PathBuf,
    _lock: File,
}

impl Revision {
    /// Checks `name` out below `folder`.
    pub(crate) fn check_out(name: &str, folder: &Path) -> Result<Self, String> {
        let here = Path::new(".");
        let repository = PathBuf::from(git(here, &["rev-parse", "--show-toplevel"])?);
        let prefix = git(here, &["rev-parse", "--show-prefix"])?;
        let commit = commit_of(name)?;
        fs::create_dir_all(folder)
            .map_err(|error| format!("the folder {} cannot be made: {error}", folder.display()))?;
        let lock = lock(folder)?;
        let tree = folder.join("tree");
        let revision = Revision {
            commit: commit.chars().take(12).collect(),
            directory: tree.join(prefix),
            tree,
            repository,
            _lock: lock,
        };
        // What a killed run left.
        revision.remove();
        let tree = revision.tree.to_string_lossy().into_owned();
        // Hooks are for people who change branches.
        git(
            &revision.repository,
            &[
                "-c",
                "core.hooksPath=/dev/null",
                "worktree",
                "add",
                "--quiet",
                "--detach",
                "--force",
                &tree,
                &commit,
            ],
        )
        .map_err(|error| format!("{name} cannot be checked out: {error}"))?;
        if revision.tree.join(".gitmodules").is_file() {
            git(&revision.tree, &["submodule", "update", "--quiet", "--init", "--recursive"])
                .map_err(|error| format!("the submodules of {name} cannot be checked out: {error}"))?;
        }
        if !revision.directory.is_dir() {
            return Err(format!(
                "{name} does not have the folder that this is run in; run it in one that both have"
            ));
        }
        Ok(revision)
    }

    /// Gives it the working tree's Cargo.lock where it has none of its own, as with libraries that do not commit theirs: both are to have the same
    /// dependencies.
    pub(crate) fn share_lock_file(&self, workspace: &Path) {
        let Ok(root) = fs::canonicalize(&self.repository) else { return };
        let Ok(workspace) = fs::canonicalize(workspace) else { return };
        let Ok(inside) = workspace.strip_prefix(root) else { return };
        let theirs = self.tree.join(inside).join("Cargo.lock");
        if !theirs.exists() {
            // Without it cargo finds versions by itself.
            let _ = fs::copy(workspace.join("Cargo.lock"), theirs);
        }
    }

    fn remove(&self) {
        let tree = self.tree.to_string_lossy();
        if self.tree.exists() {
            // Twice, as what is locked needs. What git does not know is only a folder.
            let _ = git(&self.repository, &["worktree", "remove", "--force", "--force", &tree]);
            let _ = fs::remove_dir_all(&self.tree);
        }
        let _ = git(&self.repository, &["worktree", "prune"]);
    }
}

impl Drop for Revision {
    fn drop(&mut self) {
        self.remove();
    }
}

fn commit_of(name: &str) -> Result<String, String> {
    let here = Path::new(".");
    git(here, &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")]).map_err(|_| {
        let is_shallow = git(here, &["rev-parse", "--is-shallow-repository"]).is_ok_and(|text| text == "true");
        let what = format!("there is no revision `{name}` in this repository");
        if is_shallow {
            format!(
                "{what}, which is a shallow clone; fetch it with `git fetch --unshallow`, or with `fetch-depth: 0` for actions/checkout"
            )
        } else {
            format!("{what}; `git fetch` may bring it, and `git branch --all` lists what there is")
        }
    })
}

fn lock(folder: &Path) -> Result<File, String> {
    let path = folder.join("lock");
    let not_locked = |error: &dyn std::fmt::Display| format!("{} cannot be locked: {error}", path.display());
    let file = File::options().create(true).append(true).open(&path).map_err(|error| not_locked(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(format!(
            "another comparison runs in this target folder (it holds {}); wait until it ends, as both would be disturbed",
            path.display()
        )),
        Err(fs::TryLockError::Error(error)) => Err(not_locked(&error)),
    }
}

/// What git prints, without the newline at its end.
fn git(directory: &Path, words: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    // In a hook these name the user's index and working tree.
    command
        .current_dir(directory)
        .env_remove("GIT_INDEX_FILE")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_DIR");
    let output = command.args(words).stdin(Stdio::null()).output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => String::from("git is not installed"),
        _ => format!("git cannot be run: {error}"),
    })?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("git says: {}", said.trim()))
    }
}
