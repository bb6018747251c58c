//! Results in a file: they outlive processes, however these end, and a damaged file is begun anew.
//!
//! A process opens a file once. So most of what is tested is done by others: this test binary, told to run `child`.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use perf_runtime::cache::KeepAny;
use perf_runtime::cache::remote::{Codec, Kind, Shared, remote};

const FILE: &str = "PERFKIT_TESTS_FILE";
const WHAT: &str = "PERFKIT_TESTS_WHAT";

/// A directory of the test's own, which goes with it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("perfkit-disk-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    /// Not there yet, nor the directory that it is to be in.
    fn file(&self) -> PathBuf {
        self.0.join("cache").join("results.redb")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn child_command(file: &Path, what: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", "child"]).env(FILE, file).env(WHAT, what);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(file: &Path, what: &str) -> Told {
    let output = child_command(file, what).output().unwrap();
    Told::by(&output)
}

/// What a child said of itself.
#[derive(Debug)]
struct Told {
    runs: u32,
    hits: u32,
    stores: u32,
    warnings: String,
}

impl Told {
    fn by(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout);
        let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}\n{warnings}");
        let number = |name: &str| {
            let value = text.split_whitespace().find_map(|word| word.strip_prefix(name));
            value.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
        };
        Told { runs: number("runs="), hits: number("hits="), stores: number("stores="), warnings }
    }
}

fn shared(file: &Path) -> Shared {
    let file = file.to_str().unwrap().to_owned().leak();
    Shared::new(Kind::Disk, "tests::disk").address(file)
}

fn leak(shared: Shared) -> &'static Shared {
    Box::leak(Box::new(shared))
}

const NO_INSTANCE: PhantomData<fn() -> ()> = PhantomData;

/// Calls with a range of keys; runs, after asserting that all is right.
fn call(shared: &'static Shared, keys: Range<u32>, mut after: impl FnMut(u32)) -> u32 {
    let runs = AtomicU32::new(0);
    for key in keys {
        let body = || {
            runs.fetch_add(1, Ordering::Relaxed);
            value(key)
        };
        assert_eq!(shared.get_or_run(NO_INSTANCE, &key, body, KeepAny), value(key));
        after(key);
    }
    runs.into_inner()
}

fn value(key: u32) -> Vec<u32> {
    (0..200 + key % 100).map(|number| number.wrapping_mul(key)).collect()
}

#[test]
#[ignore = "run by the others, in processes of their own"]
fn child() {
    let (Some(file), Ok(what)) = (std::env::var_os(FILE), std::env::var(WHAT)) else { return };
    let numbers: Vec<u32> = what.split_whitespace().map(|word| word.parse().unwrap()).collect();
    if let [_, _, size] = numbers[..] {
        remote().disk_size(u64::from(size)).install();
    }
    let shared = leak(shared(Path::new(&file)));
    let runs = call(shared, numbers[0]..numbers[1], |key| {
        println!("done {key}");
    });
    let stats = shared.stats();
    println!("runs={runs} hits={} stores={} {stats:?}", stats.hits, stats.stores);
}

#[test]
fn results_outlive_the_process() {
    let directory = Directory::new("restart");
    let first = run(&directory.file(), "0 20");
    assert_eq!((first.runs, first.stores), (20, 20), "{first:?}");
    let second = run(&directory.file(), "0 30");
    assert_eq!((second.runs, second.hits), (10, 20), "{second:?}");
    assert!(!second.warnings.contains("damaged"), "{second:?}");
}

/// What was stored when the process was killed is there, and the file is whole.
#[test]
fn results_outlive_a_kill_in_mid_write() {
    let directory = Directory::new("kill");
    let (file, mut done, mut random) = (directory.file(), 0, 88_172_645_463_325_252_u64);
    for _ in 0..12 {
        let mut child = child_command(&file, &format!("0 {}", u32::MAX)).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut numbers =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("done ")?.parse::<u32>().ok());
        // It is known to write when it has gone through what was there.
        while numbers.next().is_some_and(|number| number < done + 3) {}
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        sleep(Duration::from_micros(random % 30_000));
        child.kill().unwrap();
        child.wait().unwrap();
        done = numbers.last().unwrap_or(done + 3);
        let after = run(&file, &format!("0 {}", done + 1));
        assert_eq!((after.runs, after.hits), (0, done + 1), "{after:?}");
        assert!(!after.warnings.contains("perfkit"), "{after:?}");
    }
}

/// Bytes are changed behind redb's back. How it notices depends on where they are; results are right in every case.
#[test]
fn a_damaged_file_is_begun_anew() {
    let directory = Directory::new("damage");
    let file = directory.file();
    type Damage = (&'static str, fn(&mut Vec<u8>));
    let damages: [Damage; 8] = [
        ("random everywhere", |bytes| scramble(bytes, 0..usize::MAX, 1)),
        ("random here and there", |bytes| scramble(bytes, 0..usize::MAX, 997)),
        ("random at the start", |bytes| scramble(bytes, 0..64, 1)),
        ("random behind the header", |bytes| scramble(bytes, 4096..usize::MAX, 13)),
        ("cut in the middle", |bytes| bytes.truncate(bytes.len() / 2)),
        ("cut in the header", |bytes| bytes.truncate(100)),
        ("zeros", |bytes| bytes.fill(0)),
        ("a text", |bytes| *bytes = b"hello\n".repeat(1000)),
    ];
    for (name, damage) in damages {
        let _ = fs::remove_file(&file);
        assert_eq!(run(&file, "0 50").stores, 50);
        let mut bytes = fs::read(&file).unwrap();
        damage(&mut bytes);
        fs::write(&file, bytes).unwrap();
        let told = run(&file, "0 50");
        assert_eq!((told.runs, told.stores), (50, 50), "{name}: {told:?}");
        assert_eq!(told.warnings.matches("are damaged").count(), 1, "{name}: {told:?}");
        assert!(told.warnings.contains("results.redb"), "{name}: {told:?}");
        let again = run(&file, "0 50");
        assert_eq!((again.runs, again.hits), (0, 50), "{name}: {again:?}");
        assert!(!again.warnings.contains("perfkit"), "{name}: {again:?}");
    }
}

fn scramble(bytes: &mut [u8], range: Range<usize>, step: usize) {
    let mut random = 0x9e37_79b9_u32;
    for (at, byte) in bytes.iter_mut().enumerate() {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        if range.contains(&at) && at % step == 0 {
            *byte ^= (random >> 8) as u8 | 1;
        }
    }
}

/// While it is open: what is read is right or a miss, and the process goes on.
#[test]
fn damage_to_an_open_file_is_survived() {
    let directory = Directory::new("open");
    let file = directory.file();
    let shared = leak(shared(&file));
    call(shared, 0..300, |_| {});
    for round in 0..4 {
        let mut bytes = fs::read(&file).unwrap();
        scramble(&mut bytes, 0..usize::MAX, 7 + round);
        let mut open = fs::OpenOptions::new().write(true).open(&file).unwrap();
        open.write_all(&bytes).unwrap();
        call(shared, 0..400, |_| {});
    }
}

#[test]
fn a_changed_type_is_a_miss() {
    let directory = Directory::new("types");
    let file = directory.file();
    let get =
        |shared: Shared, value: &str| leak(shared).get_or_run(NO_INSTANCE, &1, || value.to_owned(), KeepAny);
    assert_eq!(leak(shared(&file)).get_or_run(NO_INSTANCE, &1, || 5_u64, KeepAny), 5);
    assert_eq!(get(shared(&file), "text"), "text");
    assert_eq!(get(shared(&file).version(2), "second"), "second");
    assert_eq!(get(shared(&file).codec(Codec::Json), "json"), "json");
    assert_eq!(leak(shared(&file)).get_or_run(NO_INSTANCE, &1, || 6_u64, KeepAny), 5);
    assert_eq!(get(shared(&file), "other"), "text");
}

/// Any number at the same time, which read and write.
#[test]
fn processes_share_a_file() {
    let directory = Directory::new("share");
    let file = directory.file();
    let shared = leak(shared(&file));
    assert_eq!(call(shared, 0..10, |_| {}), 10);
    let children: Vec<_> = (0..4).map(|_| child_command(&file, "0 60").spawn().unwrap()).collect();
    for child in children {
        let told = Told::by(&child.wait_with_output().unwrap());
        assert!(told.hits >= 10 && told.hits + told.runs == 60, "{told:?}");
        assert!(!told.warnings.contains("perfkit"), "{told:?}");
    }
    assert_eq!(call(shared, 0..60, |_| {}), 0);
    assert!(!shared.invalidate::<_, u32, Vec<u32>, _>(NO_INSTANCE, &1000, KeepAny));
    assert!(shared.invalidate::<_, u32, Vec<u32>, _>(NO_INSTANCE, &59, KeepAny));
    assert!(run(&file, "0 60").runs == 1);
    assert!(shared.clear());
    assert_eq!(run(&file, "0 60").runs, 60);
}

/// A process that is stopped, perhaps in the middle of a write, keeps nobody waiting for long.
#[test]
fn a_stopped_process_stops_no_other() {
    let directory = Directory::new("stopped");
    let file = directory.file();
    for _ in 0..5 {
        let mut child = child_command(&file, &format!("0 {}", u32::MAX)).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !lines.next().unwrap().unwrap().contains("done 5") {}
        // SAFETY: takes no pointers; the process is a child that was not waited for.
        assert_eq!(unsafe { libc::kill(child.id().cast_signed(), libc::SIGSTOP) }, 0);
        let start = Instant::now();
        let told = run(&file, "0 50");
        assert!(start.elapsed() < Duration::from_secs(60), "{told:?}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn the_oldest_results_give_way() {
    let directory = Directory::new("limit");
    let file = directory.file();
    let told = run(&file, "0 400 100000");
    assert_eq!((told.runs, told.stores), (400, 400), "{told:?}");
    assert!(fs::metadata(&file).unwrap().len() < 2_000_000);
    let last = run(&file, "380 400 100000");
    assert_eq!((last.runs, last.hits), (0, 20), "{last:?}");
    assert_eq!(run(&file, "0 20 100000").runs, 20);
}

#[test]
fn a_place_that_cannot_be_written_is_no_error() {
    let directory = Directory::new("nowhere");
    fs::write(directory.0.join("cache"), "not a directory").unwrap();
    let shared = leak(shared(&directory.file()));
    assert_eq!(call(shared, 0..20, |_| {}), 20);
    assert!(shared.stats().errors > 0, "{:?}", shared.stats());
}
