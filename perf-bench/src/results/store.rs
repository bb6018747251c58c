//! Where saved runs lie, and how they come there whole or not at all.
//!
//! A file is written beside its place, forced to the disk, and renamed: whoever reads sees the old one or the new one. What cannot be read is an error
//! with its path, and must never be written over: it may be somebody's. How many runs are kept, and how much room they take, has an end.

use core::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, SystemTime};

use perf_runtime::spelling::nearest;
use serde::Deserialize;

use super::record::{FORMAT, Record, SCHEMA};

/// The directory of saved runs.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
}

/// Why a saved run is not to be had, or was not saved.
#[derive(Debug)]
pub enum StoreError {
    /// It is no JSON, or not what the schema says: where, and what is wrong.
    Broken(PathBuf, String),
    /// It is of some other program.
    Foreign(PathBuf),
    /// It is of a newer perfkit: which schema.
    Newer(PathBuf, u32),
    /// The system does not allow it: where, what was tried.
    System(PathBuf, &'static str, io::Error),
    /// There is no such baseline: its name, the program, and those that there are.
    NoBaseline(String, String, Vec<String>),
    /// It cannot be the name of a baseline.
    Name(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Broken(path, reason) => write!(
                f,
                "{} is broken ({reason}); it was left as it is: remove it, or put an older copy in its place",
                path.display()
            ),
            StoreError::Foreign(path) => write!(
                f,
                "{} is not a run that perfkit saved; it was left as it is: move it elsewhere, or say another directory (`--results`)",
                path.display()
            ),
            StoreError::Newer(path, schema) => write!(
                f,
                "{} is of a newer perfkit (schema {schema}, and this one knows {SCHEMA}); it was left as it is: update perfkit, or say \
                 another directory (`--results`)",
                path.display()
            ),
            StoreError::System(path, what, error) => write!(f, "{} {what}: {error}", path.display()),
            StoreError::NoBaseline(name, program, known) => {
                write!(f, "there is no baseline `{name}` of {program}")?;
                if let Some(nearest) = nearest(name, &mut known.iter().map(String::as_str)) {
                    write!(f, "; did you mean `{nearest}`?")?;
                }
                match known.as_slice() {
                    [] => write!(f, " (there are none; `--save-baseline {name}` makes it)"),
                    known => write!(f, " (there are: {})", known.join(", ")),
                }
            }
            StoreError::Name(name) => write!(
                f,
                "`{name}` cannot be the name of a baseline: write letters, digits, `-`, `_` and `.`, at most {LONGEST_NAME}, not beginning \
                 with a `.` or `-`"
            ),
        }
    }
}

impl std::error::Error for StoreError {}

/// Room that the runs of one program may take; the newest is kept whatever it takes.
const MOST_BYTES: u64 = 64 << 20;
/// Characters of a baseline's name.
const LONGEST_NAME: usize = 100;
/// What is left of a process that was killed while it wrote, after this.
const FORGOTTEN: Duration = Duration::from_secs(3_600);
/// How the name of a file begins and ends that is being written.
const UNFINISHED: (&str, &str) = (".perfkit-", ".tmp");

impl Store {
    /// The saved runs in that directory, such as `target/perfkit`. It need not be there.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Store { directory: directory.into() }
    }

    /// What `--instructions` counted, in a directory of its own: neither what is counted nor what is timed takes the other's place.
    #[must_use]
    pub fn of_instructions(&self) -> Self {
        Store::at(self.directory.join("instructions"))
    }

    /// Where it lies.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn runs_of(&self, program: &str) -> PathBuf {
        self.directory.join("runs").join(file_name(program))
    }

    fn baseline_path(&self, name: &str, program: &str) -> PathBuf {
        self.directory.join("baselines").join(name).join(file_name(program) + ".json")
    }

    /// The programs that have saved runs.
    ///
    /// # Errors
    /// If the directory is there and cannot be read.
    pub fn programs(&self) -> Result<Vec<String>, StoreError> {
        names(&self.directory.join("runs"))
    }

    /// The newest runs of a program that are wanted, oldest first, and what could not be read on the way to them.
    pub fn newest(
        &self,
        program: &str,
        most: usize,
        wanted: &dyn Fn(&Record) -> bool,
    ) -> (Vec<Record>, Vec<StoreError>) {
        let (mut found, mut errors) = (Vec::new(), Vec::new());
        let files = run_files(&self.runs_of(program)).unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        });
        for path in files.iter().rev() {
            if found.len() == most {
                break;
            }
            match read(path) {
                Ok(record) if wanted(&record) => found.push(record),
                Ok(_) => {}
                Err(error) => errors.push(error),
            }
        }
        found.reverse();
        (found, errors)
    }

    /// Saves a run, and lets the oldest go where there are more than `keep`.
    ///
    /// # Errors
    /// If it cannot be written. That an old one cannot be removed is no error.
    pub fn save(&self, record: &Record, keep: usize) -> Result<PathBuf, StoreError> {
        let directory = self.runs_of(&record.program);
        let path = directory.join(format!("{:013}-{}.json", record.unix_ms, process::id()));
        write(&path, record)?;
        prune(&directory, keep.max(1));
        Ok(path)
    }

    /// The baseline of that name.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn baseline(&self, name: &str, program: &str) -> Result<Record, StoreError> {
        check_name(name)?;
        let path = self.baseline_path(name, program);
        match read(&path) {
            Err(StoreError::System(_, _, error)) if error.kind() == io::ErrorKind::NotFound => {
                let known =
                    self.baselines()?.into_iter().filter(|known| known.1.contains(&file_name(program)));
                let known = known.map(|known| known.0).collect();
                Err(StoreError::NoBaseline(name.to_owned(), program.to_owned(), known))
            }
            other => other,
        }
    }

    /// The names of all baselines, and the programs that each is of.
    ///
    /// # Errors
    /// If the directory is there and cannot be read.
    pub fn baselines(&self) -> Result<Vec<(String, Vec<String>)>, StoreError> {
        let directory = self.directory.join("baselines");
        let mut baselines = Vec::new();
        for name in names(&directory)? {
            let files = names(&directory.join(&name))?;
            let programs: Vec<String> =
                files.iter().filter_map(|file| file.strip_suffix(".json")).map(str::to_owned).collect();
            if !programs.is_empty() {
                baselines.push((name, programs));
            }
        }
        Ok(baselines)
    }

    /// What a baseline of that name would replace, or why it must not.
    ///
    /// # Errors
    /// If the name cannot be one, or what lies there cannot be read and so must not be replaced.
    pub fn replaced_by(&self, name: &str, program: &str) -> Result<Option<Record>, StoreError> {
        match self.baseline(name, program) {
            Ok(record) => Ok(Some(record)),
            Err(StoreError::NoBaseline(..)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Saves a run as the baseline of that name, instead of the one that there was.
    ///
    /// # Errors
    /// If it cannot be written, or must not be because of what lies there.
    pub fn save_baseline(&self, name: &str, record: &Record) -> Result<PathBuf, StoreError> {
        self.replaced_by(name, &record.program)?;
        let path = self.baseline_path(name, &record.program);
        write(&path, record)?;
        Ok(path)
    }
}

/// The name of this program for its runs: the package, and the benchmark target without the hash that cargo adds.
pub(crate) fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let is_hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let target = match stem.rsplit_once('-') {
        Some((target, hash)) if is_hash(hash) => target,
        _ => &stem,
    };
    // Cargo says it to what it runs; by hand, the target has to do.
    match std::env::var("CARGO_PKG_NAME") {
        Ok(package) if !package.is_empty() => format!("{package}-{target}"),
        _ => target.to_owned(),
    }
}

fn check_name(name: &str) -> Result<(), StoreError> {
    let is_fine = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let fine = !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.starts_with(['.', '-'])
        && name.chars().all(is_fine);
    if fine { Ok(()) } else { Err(StoreError::Name(name.to_owned())) }
}

/// A name of a program that is a name of a file everywhere.
fn file_name(program: &str) -> String {
    let fine = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    program.chars().map(|character| if fine(character) { character } else { '_' }).collect()
}

/// What a directory holds, sorted; nothing where there is none. What is no Unicode is not ours.
fn names(directory: &Path) -> Result<Vec<String>, StoreError> {
    let failed = |error| StoreError::System(directory.to_owned(), "cannot be listed", error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// The files of runs in a directory, oldest first: their names begin with the time.
fn run_files(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let is_run = |name: &String| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        name.strip_suffix(".json")
            .and_then(|name| name.split_once('-'))
            .is_some_and(|(time, process)| digits(time) && digits(process))
    };
    Ok(names(directory)?.iter().filter(|name| is_run(name)).map(|name| directory.join(name)).collect())
}

/// Reads a run.
fn read(path: &Path) -> Result<Record, StoreError> {
    /// What every version of the schema has.
    #[derive(Deserialize)]
    struct Head {
        format: Option<String>,
        schema: Option<u32>,
    }
    let bytes =
        fs::read(path).map_err(|error| StoreError::System(path.to_owned(), "cannot be read", error))?;
    let broken = |error: serde_json::Error| StoreError::Broken(path.to_owned(), error.to_string());
    // Whatever is JSON and does not say that it is ours is somebody else's.
    let json: serde_json::Value = serde_json::from_slice(&bytes).map_err(broken)?;
    let head = Head::deserialize(&json).map_err(|_| StoreError::Foreign(path.to_owned()))?;
    if head.format.as_deref() != Some(FORMAT) {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    match head.schema {
        Some(schema) if schema > SCHEMA => Err(StoreError::Newer(path.to_owned(), schema)),
        // From the text again, so that the error tells the line.
        Some(_) => serde_json::from_slice(&bytes).map_err(broken),
        None => Err(StoreError::Broken(path.to_owned(), "it has no `schema`".to_owned())),
    }
}

fn write(path: &Path, record: &Record) -> Result<(), StoreError> {
    let failed = |error| StoreError::System(path.to_owned(), "cannot be written", error);
    let json = serde_json::to_vec(record).map_err(|error| failed(error.into()))?;
    put(path, &mut |file| file.write_all(&json)).map_err(failed)
}

/// Puts a file where `path` says, with what `fill` writes, as a whole or not at all.
fn put(path: &Path, fill: &mut dyn FnMut(&mut File) -> io::Result<()>) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(directory)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = directory.join(format!("{}{name}-{}{}", UNFINISHED.0, process::id(), UNFINISHED.1));
    let result = File::create(&unfinished).and_then(|mut file| {
        fill(&mut file)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    });
    match result {
        Ok(()) => {
            // That the name is there after a power failure, too; where directories cannot be forced to the disk, it is there soon.
            let _ = File::open(directory).and_then(|directory| directory.sync_all());
            Ok(())
        }
        Err(error) => {
            let _ = fs::remove_file(&unfinished);
            Err(error)
        }
    }
}

/// Lets the oldest runs go, as far as they are ours, and what killed processes left.
fn prune(directory: &Path, keep: usize) {
    let files = run_files(directory).unwrap_or_default();
    let mut bytes = 0_u64;
    for (newer, path) in files.iter().rev().enumerate() {
        bytes = bytes.saturating_add(fs::metadata(path).map_or(0, |metadata| metadata.len()));
        let is_one_too_many = newer >= keep || (newer > 0 && bytes > MOST_BYTES);
        if is_one_too_many && read(path).is_ok() {
            let _ = fs::remove_file(path);
        }
    }
    for name in names(directory).unwrap_or_default() {
        let path = directory.join(&name);
        let is_old = fs::metadata(&path).and_then(|metadata| metadata.modified()).is_ok_and(|modified| {
            SystemTime::now().duration_since(modified).is_ok_and(|age| age > FORGOTTEN)
        });
        if name.starts_with(UNFINISHED.0) && name.ends_with(UNFINISHED.1) && is_old {
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store of its own, gone when the test ends well.
    struct Scratch(Store);

    impl Scratch {
        fn new(name: &str) -> Self {
            let directory = std::env::temp_dir().join(format!("perfkit-store-{name}-{}", process::id()));
            let _ = fs::remove_dir_all(&directory);
            Scratch(Store::at(directory))
        }

        /// Puts that text where the baseline `main` would be.
        fn baseline_is(&self, text: &[u8]) -> PathBuf {
            let path = self.0.baseline_path("main", "app-speed");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0.directory);
        }
    }

    fn run(unix_ms: u64) -> Record {
        Record::for_tests(unix_ms, &[("app::parse", 100.0)])
    }

    #[test]
    fn what_was_saved_is_read_again() {
        let scratch = Scratch::new("again");
        let store = &scratch.0;
        for time in [30, 10, 20] {
            store.save(&run(time), 100).unwrap();
        }
        let times = |most| {
            let (runs, errors) = store.newest("app-speed", most, &|run| run.unix_ms != 20);
            assert!(errors.is_empty(), "{errors:?}");
            runs.iter().map(|run| run.unix_ms).collect::<Vec<_>>()
        };
        assert_eq!((times(9), times(1)), (vec![10, 30], vec![30]));
        assert_eq!(store.programs().unwrap(), ["app-speed"]);
        store.save_baseline("main", &run(7)).unwrap();
        store.save_baseline("main", &run(8)).unwrap();
        assert_eq!(store.baseline("main", "app-speed").unwrap(), run(8));
        assert_eq!(store.baselines().unwrap(), [("main".to_owned(), vec!["app-speed".to_owned()])]);
        assert!(store.newest("other", 9, &|_| true).0.is_empty());
    }

    #[test]
    fn no_more_are_kept_than_there_may_be() {
        let scratch = Scratch::new("bounded");
        let store = &scratch.0;
        let directory = store.runs_of("app-speed");
        fs::create_dir_all(&directory).unwrap();
        // What is not ours stays, whatever it is called.
        fs::write(directory.join("0000000000001-1.json"), "{}").unwrap();
        fs::write(directory.join("notes.txt"), "mine").unwrap();
        for time in 10..30 {
            store.save(&run(time), 5).unwrap();
        }
        let (runs, errors) = store.newest("app-speed", 99, &|_| true);
        assert_eq!(runs.iter().map(|run| run.unix_ms).collect::<Vec<_>>(), [25, 26, 27, 28, 29]);
        assert!(matches!(errors.as_slice(), [StoreError::Foreign(_)]), "{errors:?}");
        assert_eq!(names(&directory).unwrap().len(), 7);
    }

    /// Each kind of file that cannot be read: the error names it, and it is as it was afterwards.
    #[test]
    fn what_cannot_be_read_is_named_and_left_alone() {
        let scratch = Scratch::new("unread");
        let store = &scratch.0;
        let whole = serde_json::to_string(&run(1)).unwrap();
        let newer = whole.replace("\"schema\":1", "\"schema\":2");
        let no_schema = whole.replace("\"schema\":1,", "");
        let wrong = whole.replace("\"calls\":10", "\"calls\":\"ten\"");
        let cases: [(&[u8], &str); 9] = [
            (b"", "is broken (EOF"),
            (b"not json", "is broken"),
            (b"\xff\xfe\x00", "is broken"),
            (&whole.as_bytes()[..whole.len() / 2], "is broken (EOF"),
            (wrong.as_bytes(), "is broken (invalid type: string \"ten\", expected u64 at line 1"),
            (no_schema.as_bytes(), "is broken (it has no `schema`)"),
            (b"{\"name\": \"a package.json, say\"}", "is not a run that perfkit saved"),
            (b"[1, 2]", "is not a run that perfkit saved"),
            (newer.as_bytes(), "is of a newer perfkit (schema 2, and this one knows 1)"),
        ];
        for (text, message) in cases {
            let path = scratch.baseline_is(text);
            let errors = [
                store.baseline("main", "app-speed").unwrap_err(),
                store.save_baseline("main", &run(2)).unwrap_err(),
            ];
            for error in errors {
                let error = error.to_string();
                assert!(error.starts_with(&format!("{} {message}", path.display())), "{error}");
            }
            assert_eq!(fs::read(&path).unwrap(), text);
        }
    }

    #[test]
    fn what_the_system_does_not_allow_is_said() {
        let scratch = Scratch::new("system");
        let store = &scratch.0;
        // A directory in its place.
        let path = store.baseline_path("main", "app-speed");
        fs::create_dir_all(&path).unwrap();
        let error = store.save_baseline("main", &run(1)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{} cannot be read: ", path.display())), "{error}");
        // A file in the place of its directory.
        fs::write(store.directory.join("runs"), "a file").unwrap();
        let error = store.save(&run(1), 5).unwrap_err().to_string();
        assert!(error.contains(" cannot be written: "), "{error}");
        let errors = store.newest("app-speed", 1, &|_| true).1;
        assert!(errors[0].to_string().contains(" cannot be listed: "), "{errors:?}");
    }

    /// Nobody may make a directory there, not even root.
    #[cfg(target_os = "linux")]
    #[test]
    fn where_nobody_may_write() {
        let error = Store::at("/proc/perfkit").save(&run(1), 5).unwrap_err().to_string();
        assert!(error.starts_with("/proc/perfkit/runs/app-speed/0000000000001-"), "{error}");
        assert!(error.contains(" cannot be written: "), "{error}");
    }

    /// Whatever goes wrong while it is written, the old one is there, and nothing else.
    #[test]
    fn a_disk_that_is_full() {
        let scratch = Scratch::new("full");
        let path = scratch.0.save_baseline("main", &run(1)).unwrap();
        let before = fs::read(&path).unwrap();
        let error = put(&path, &mut |file| {
            file.write_all(b"{\"format\"")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(names(path.parent().unwrap()).unwrap(), ["app-speed.json"]);
    }

    /// The same on a disk that is full indeed: one of 16 kB, in a space of mounts of its own. Where the system allows no such thing, nothing is tested.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_disk_that_is_full_indeed() {
        use std::process::Command;
        let scratch = Scratch::new("tiny");
        let directory = scratch.0.directory();
        fs::create_dir_all(directory).unwrap();
        let script = "mount -t tmpfs -o size=16k tmpfs \"$DISK\" || exit 77; exec \"$PROGRAM\" --exact --ignored \
                      results::store::tests::on_a_disk_of_16_kb";
        let mut inside = Command::new("unshare");
        inside.args(["--map-root-user", "--mount", "sh", "-c", script]);
        inside.env("DISK", directory).env("PROGRAM", std::env::current_exe().unwrap());
        let Ok(output) = inside.output() else { return };
        let said = String::from_utf8_lossy(&output.stdout);
        // It was run, or it could not be.
        assert!(said.contains("1 passed") || !said.contains("running 1 test"), "{said}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[ignore = "runs inside of the test above"]
    fn on_a_disk_of_16_kb() {
        let Some(disk) = std::env::var_os("DISK") else { return };
        let store = Store::at(disk);
        store.save_baseline("main", &run(1)).unwrap();
        let mut large = run(2);
        large.benchmarks[0].samples = vec![1.234_56; 10_000];
        for error in [store.save_baseline("main", &large).unwrap_err(), store.save(&large, 5).unwrap_err()] {
            let StoreError::System(path, what, error) = error else { panic!("{error}") };
            assert_eq!((error.kind(), what), (io::ErrorKind::StorageFull, "cannot be written"), "{path:?}");
        }
        assert_eq!(store.baseline("main", "app-speed").unwrap(), run(1));
        assert_eq!(names(&store.directory.join("baselines/main")).unwrap(), ["app-speed.json"]);
    }

    #[test]
    fn a_baseline_that_there_is_not() {
        let scratch = Scratch::new("missing");
        let store = &scratch.0;
        let message = |name: &str| store.baseline(name, "app-speed").unwrap_err().to_string();
        assert_eq!(
            message("main"),
            "there is no baseline `main` of app-speed (there are none; `--save-baseline main` makes it)"
        );
        store.save_baseline("main", &run(1)).unwrap();
        store.save_baseline("release-1.0", &run(1)).unwrap();
        assert_eq!(
            message("mainn"),
            "there is no baseline `mainn` of app-speed; did you mean `main`? (there are: main, release-1.0)"
        );
        for name in ["", "../main", "a/b", ".hidden", "-x", "a b", &"x".repeat(101)] {
            assert!(message(name).contains("cannot be the name of a baseline"), "{name}");
        }
    }

    /// Two processes that save at once, and one that reads meanwhile.
    #[test]
    fn nobody_reads_half_a_file() {
        let scratch = Scratch::new("atomic");
        let store = &scratch.0;
        store.save_baseline("main", &run(0)).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for time in 1..60 {
                    store.save_baseline("main", &run(time)).unwrap();
                }
            });
            for _ in 0..200 {
                store.baseline("main", "app-speed").unwrap();
            }
        });
    }
}
