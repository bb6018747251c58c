//! What holds for one benchmark: what its attribute says, and what stands above and below that; and where the file stands that says it.

use core::time::Duration;
use std::path::{Path, PathBuf};

use crate::judge::Target;
use crate::registry::entry::BenchmarkEntry;

/// The name of the file, which is read with the feature `bench` and looked for without it.
pub(crate) const NAME: &str = "perfkit.toml";

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) target: Option<Target>,
    /// Where the target is from, if not from the attribute: "perfkit.toml, instead of 1 ms".
    pub(crate) target_from: Option<String>,
    pub(crate) iterations: Option<u64>,
    pub(crate) warmup: Option<u64>,
    pub(crate) timeout: Duration,
}

impl Settings {
    /// As the attribute says.
    #[inline]
    pub(crate) fn of_attribute(entry: &BenchmarkEntry) -> Self {
        Settings {
            target: entry.target,
            target_from: None,
            iterations: entry.iterations,
            warmup: entry.warmup,
            timeout: entry.timeout,
        }
    }
}

/// The package's directory. Cargo and nextest say it to what they run; by hand, it is run from there.
#[inline]
pub(crate) fn package() -> PathBuf {
    let said = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    said.or_else(|| std::env::current_dir().ok()).unwrap_or_default()
}

/// Where the file may stand: beside the package's Cargo.toml, or where the workspace has its Cargo.lock.
#[inline]
pub(crate) fn places(package: &Path) -> Vec<PathBuf> {
    let workspace = package.ancestors().find(|directory| directory.join("Cargo.lock").is_file());
    let mut places = vec![package.to_owned()];
    places.extend(workspace.filter(|workspace| *workspace != package).map(Path::to_owned));
    places
}
