//! The files that are searched: where they are, and how to read one.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use perfkit::{Pooled, pooled, profiled};

/// Nobody writes longer sources by hand; generated tables are left out.
const LONGEST: u64 = 4 << 20;

/// Files by number, in the order of their paths.
pub(crate) struct Corpus {
    files: Vec<PathBuf>,
    roots: Vec<PathBuf>,
    /// Directories and files that could not be read or are too long.
    skipped: usize,
}

/// Why there is nothing to search.
#[derive(Debug)]
pub(crate) enum CorpusError {
    Directory(PathBuf, io::Error),
    NoFiles(PathBuf),
    Cargo(String),
}

impl fmt::Display for CorpusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CorpusError::Directory(path, error) => {
                write!(f, "cannot read the directory `{}`: {error}", path.display())
            }
            CorpusError::NoFiles(path) => {
                write!(
                    f,
                    "there are no `.rs` files under `{}`; name a directory that has some",
                    path.display()
                )
            }
            CorpusError::Cargo(error) => {
                write!(
                    f,
                    "cannot ask cargo for the dependencies: {error}; name a directory to search instead"
                )
            }
        }
    }
}

impl fmt::Display for Corpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} source files in {} ", self.files.len(), self.roots.len())?;
        f.write_str(if self.roots.len() == 1 { "directory" } else { "directories" })?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// A buffer to read a file into.
#[pooled(max_size = 16, reset = Vec::clear)]
fn buffer() -> Vec<u8> {
    Vec::with_capacity(256 << 10)
}

#[profiled]
impl Corpus {
    /// All Rust files under a directory.
    pub(crate) fn of_directory(root: &Path) -> Result<Corpus, CorpusError> {
        fs::read_dir(root).map_err(|error| CorpusError::Directory(root.into(), error))?;
        Self::of_roots(vec![root.to_owned()])
    }

    /// The sources of all packages that the workspace at hand depends on. Asking for them makes cargo download what is missing.
    pub(crate) fn of_dependencies() -> Result<Corpus, CorpusError> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--manifest-path"])
            .arg(manifest)
            .output()
            .map_err(|error| CorpusError::Cargo(error.to_string()))?;
        if !output.status.success() {
            return Err(CorpusError::Cargo(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let metadata: serde_json::Value =
            serde_json::from_slice(&output.stdout).map_err(|error| CorpusError::Cargo(error.to_string()))?;
        let packages = metadata["packages"].as_array().into_iter().flatten();
        let mut roots: Vec<PathBuf> = packages
            .filter(|package| !package["source"].is_null())
            .filter_map(|package| Path::new(package["manifest_path"].as_str()?).parent().map(Path::to_owned))
            .collect();
        roots.sort();
        Self::of_roots(roots)
    }

    #[profiled(skip)]
    fn of_roots(roots: Vec<PathBuf>) -> Result<Corpus, CorpusError> {
        let mut corpus = Corpus { files: Vec::new(), roots: Vec::new(), skipped: 0 };
        let mut seen = HashSet::new();
        for root in &roots {
            corpus.walk(root, &mut seen);
        }
        corpus.files.sort();
        corpus.roots = roots;
        if corpus.files.is_empty() {
            let root = corpus.roots.into_iter().next().unwrap_or_default();
            return Err(CorpusError::NoFiles(root));
        }
        Ok(corpus)
    }

    /// Adds what is under `root`. A directory that links lead to twice is read once.
    fn walk(&mut self, root: &Path, seen: &mut HashSet<PathBuf>) {
        let mut pending = vec![root.to_owned()];
        while let Some(directory) = pending.pop() {
            let Ok(entries) = fs::read_dir(&directory) else {
                self.skipped += 1;
                continue;
            };
            if !directory.canonicalize().is_ok_and(|directory| seen.insert(directory)) {
                continue;
            }
            for entry in entries.flatten() {
                let path = entry.path();
                match fs::metadata(&path) {
                    Ok(metadata) if metadata.is_dir() => pending.push(path),
                    Ok(metadata) if path.extension() == Some(OsStr::new("rs")) => {
                        if metadata.is_file() && metadata.len() <= LONGEST {
                            self.files.push(path);
                        } else {
                            self.skipped += 1;
                        }
                    }
                    Ok(_) => {}
                    Err(_) => self.skipped += 1,
                }
            }
        }
    }

    /// The bytes of a file.
    pub(crate) fn read(&self, file: u32) -> io::Result<Pooled<Vec<u8>>> {
        let mut bytes = buffer();
        File::open(&self.files[file as usize])?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[profiled(skip)]
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.files.len()).unwrap_or(u32::MAX)
    }

    /// The file's path without what leads to its package.
    #[profiled(skip)]
    pub(crate) fn name(&self, file: u32) -> String {
        let path = &self.files[file as usize];
        let root = self.roots.iter().find_map(|root| path.strip_prefix(root.parent()?).ok());
        root.unwrap_or(path).display().to_string()
    }
}
