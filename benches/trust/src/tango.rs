//! Tango, which compares two programs as well, asked the same: the ten (`others/tango.rs`), with a second for each, ten times its default.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::compare::{Count, MORE};
use crate::program::Program;

/// How many benchmarks there are.
const TEN: usize = 10;

/// Its two programs.
#[derive(Debug)]
pub(crate) struct Tango {
    /// Told to do no more, whatever the other one is told.
    base: PathBuf,
    new: PathBuf,
}

impl Tango {
    pub(crate) fn build(scratch: &Path) -> Result<Self, String> {
        let program =
            Program::build(&["bench", "--no-run", "--features", "others", "--bench", "others_tango"])?;
        let [copy, new, base] = ["tango-base", "tango-new", "tango-base.sh"].map(|name| scratch.join(name));
        let script = format!("#!/bin/sh\n{MORE}=0 exec '{}' \"$@\"\n", copy.display());
        fs::copy(program.path(), &copy)
            .and_then(|_| fs::copy(program.path(), &new))
            .and_then(|_| fs::write(&base, script))
            .and_then(|()| fs::set_permissions(&base, fs::Permissions::from_mode(0o755)))
            .map_err(|error| format!("{} cannot be copied: {error}", program.path().display()))?;
        Ok(Tango { base, new })
    }

    /// Where it gives up, which it does when a benchmark needs long to begin, the rest of the ten have no answer.
    pub(crate) fn compare(&self, more: u32, count: &mut Count) -> Result<(), String> {
        let mut command = Command::new(&self.new);
        command.args(["--color", "never", "compare", "--time", "1"]).arg(&self.base);
        let output = command.env(MORE, more.to_string()).output().map_err(|error| error.to_string())?;
        // "hash [ 5.3 us ... 5.7 us ] +6.72%*", where the star says that it is significant.
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let answers: Vec<&str> = text.lines().filter(|line| line.contains("] ")).collect();
        if answers.is_empty() {
            return Err(format!("tango: {}", String::from_utf8_lossy(&output.stderr)));
        }
        count.unanswered += TEN.saturating_sub(answers.len());
        for answer in answers {
            *match (answer.ends_with('*'), answer.contains(" +")) {
                (false, _) => &mut count.undecided,
                (true, true) => &mut count.slower,
                (true, false) => &mut count.faster,
            } += 1;
        }
        Ok(())
    }
}
