//! Which commit was measured: what `git` says of the package's directory. No `git`, or no repository, is no commit and never an error.

use std::path::Path;
use std::process::{Command, Stdio};

use super::record::Commit;

impl Commit {
    /// Of the sources in that directory.
    pub(crate) fn of(directory: &Path) -> Option<Self> {
        let id = git(directory, &["rev-parse", "--verify", "HEAD"])?;
        let is_id = id.len() >= 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        // What git does not know of, such as what a run left behind, is not what was measured.
        let status = git(directory, &["status", "--porcelain", "--untracked-files=no"])?;
        is_id.then_some(Commit { id, dirty: !status.is_empty() })
    }
}

fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    // Without optional locks, `status` leaves the index alone, which somebody else may be using.
    let mut git = Command::new("git");
    git.arg("--no-optional-locks").current_dir(directory).args(arguments);
    let output = git.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_no_repository_there_is_no_commit() {
        assert_eq!(Commit::of(Path::new("/")), None);
        assert_eq!(Commit::of(Path::new("/does/not/exist")), None);
    }
}
