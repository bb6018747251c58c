//! `PERFKIT=…` on real processes: this test binary runs itself as a program with attributes and nothing else.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use perfkit::profiled;

#[profiled]
fn work(n: u32) -> u32 {
    (0..n).map(std::hint::black_box).sum()
}

#[profiled]
fn run() {
    for n in 0..10 {
        work(n);
    }
}

/// The program; does nothing when it is run as one test among others.
#[test]
fn program() {
    let Some(ending) = std::env::var_os("PERFKIT_TEST_ENDING") else { return };
    if ending == "only asks" {
        let _session = perfkit::session();
        return;
    }
    run();
    match ending.to_str() {
        Some("elsewhere") => {
            std::env::set_current_dir("/").unwrap();
            std::process::exit(7);
        }
        Some("exit") => std::process::exit(7),
        Some("abort") => std::process::abort(),
        Some("panic") => panic!("on purpose"),
        Some("session") => {
            let _session = perfkit::session();
            work(1);
        }
        Some("early") if work(1) == 0 => {}
        Some(other) => unreachable!("{other}"),
        None => unreachable!(),
    }
}

fn command(ending: &str, perfkit: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "program", "--nocapture", "--quiet"])
        .env("PERFKIT_TEST_ENDING", ending)
        .env("PERFKIT", perfkit)
        .env_remove("CLICOLOR_FORCE")
        .env_remove("COLUMNS");
    command
}

fn start(ending: &str, perfkit: impl AsRef<OsStr>) -> Output {
    command(ending, perfkit).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn temporary(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("environment-{name}"));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

#[track_caller]
fn assert_table(text: &str) {
    let row = text
        .lines()
        .find(|line| line.starts_with("environment::work "))
        .unwrap_or_else(|| panic!("no row in:\n{text}"));
    assert_eq!(row.split_whitespace().nth(1), Some("10"), "{text}");
    assert!(text.contains("environment::run"), "{text}");
}

#[test]
fn tables_are_printed_however_the_process_ends_and_its_exit_code_stays() {
    let exit = start("exit", "table");
    assert_eq!(exit.status.code(), Some(7));
    assert_table(&stderr(&exit));
    // Printing it calls no profiled function and begins no thread that counts.
    assert!(stderr(&exit).contains(" on 1 thread, measuring took "), "{}", stderr(&exit));

    let panic = start("panic", "table");
    assert_eq!(panic.status.code(), Some(101));
    assert_table(&stderr(&panic));
}

#[test]
fn a_return_from_main_is_an_end_too() {
    let early = start("early", "table");
    assert!(early.status.success());
    assert!(stderr(&early).contains("environment::work"), "{}", stderr(&early));
}

#[test]
fn an_abort_is_an_end_that_nobody_sees() {
    assert_eq!(stderr(&start("abort", "table")), "");
}

#[test]
fn nothing_is_printed_unasked() {
    for value in ["", "off", " , "] {
        let output = start("exit", value);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(7), ""), "PERFKIT={value}");
    }
}

#[test]
fn off_measures_nothing_and_says_so_when_asked_for_a_table() {
    let text = stderr(&start("exit", "off,table"));
    assert!(text.starts_with("perfkit: nothing was measured: "), "{text}");
    assert!(!text.contains("environment::work") && !text.contains("run 0"), "{text}");
}

#[test]
fn who_only_asks_for_a_report_is_told_of_a_wrong_word_too() {
    let text = stderr(&start("only asks", "tabel"));
    assert_eq!(text.matches("did you mean `table`?").count(), 1, "{text}");
    assert_eq!(text.matches("nothing was measured").count(), 1, "{text}");
}

#[test]
fn several_outputs_at_once() {
    let directory = temporary("several");
    let (json, table) = (directory.join("%p.json"), directory.join("table.txt"));
    let value = format!("table,json={},table:all={}", json.display(), table.display());
    let output = start("exit", &value);
    assert_table(&stderr(&output));
    assert_table(&fs::read_to_string(&table).unwrap());
    let written: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    let json = written.iter().find(|path| path.extension().is_some_and(|e| e == "json")).unwrap();
    assert!(json.file_stem().unwrap().to_str().unwrap().parse::<u32>().is_ok(), "{}", json.display());
    assert_eq!(written.len(), 2, "no temporary file stays: {written:?}");
    let value: serde_json::Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let functions = value["functions"].as_array().unwrap();
    let work = functions.iter().find(|row| row["name"] == "environment::work").unwrap();
    assert_eq!((&work["calls"], &work["file"]), (&10.into(), &"tests/environment.rs".into()));
}

#[test]
fn a_wrong_word_is_said_once_and_costs_nothing_else() {
    let output = start("exit", "tabel,table,frob");
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(text.matches("did you mean `table`?").count(), 1, "{text}");
    assert_eq!(text.matches("PERFKIT does not know `frob`").count(), 1, "{text}");
    assert_table(&text);
}

#[test]
fn a_file_that_cannot_be_written_is_said_once_and_costs_nothing_else() {
    let directory = temporary("unwritable");
    let path = directory.join("missing").join("perf.json");
    let output = start("exit", format!("json={},table", path.display()));
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(text.matches("the report cannot be written to").count(), 1, "{text}");
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    assert_table(&text);
}

#[test]
fn what_failed_is_what_is_said() {
    let said = |path: &str| stderr(&start("exit", format!("json={path}")));
    let directory = temporary("failures");
    let missing = said(&format!("{}/missing/perf.json", directory.display()));
    assert!(
        missing.contains("perf.json`: No such file") && missing.contains("; its directory has to exist"),
        "{missing}"
    );
    if fs::exists("/dev/full").unwrap() {
        let full = said("/dev/full");
        assert!(full.ends_with("`/dev/full`: No space left on device (os error 28)\n"), "{full}");
    }
}

#[test]
fn a_relative_path_is_in_the_directory_where_the_program_began() {
    let directory = fs::canonicalize(temporary("relative")).unwrap();
    let output =
        command("elsewhere", "json=perf.json,table=tables/%p").current_dir(&directory).output().unwrap();
    // Where `tables` is said to be missing, too.
    assert!(
        stderr(&output).contains(&format!("written to `{}/tables/", directory.display())),
        "{}",
        stderr(&output)
    );
    assert!(fs::read_to_string(directory.join("perf.json")).unwrap().contains("environment::work"));
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_leads_to_the_report() {
    use std::os::unix::fs::symlink;

    let directory = temporary("link");
    fs::create_dir(directory.join("data")).unwrap();
    fs::write(directory.join("data/old.json"), "old").unwrap();
    for (target, name) in
        [("data/old.json", "link.json"), ("data/new.json", "to be.json"), ("link.json", "chain.json")]
    {
        let link = directory.join(name);
        symlink(target, &link).unwrap();
        let output = start("exit", format!("json={}", link.display()));
        assert_eq!(stderr(&output), "");
        assert_eq!(fs::read_link(&link).unwrap(), PathBuf::from(target));
        let written = fs::read_to_string(directory.join(target)).unwrap();
        assert!(written.contains("environment::work"), "{written}");
    }
    assert_eq!(fs::read_dir(directory.join("data")).unwrap().count(), 2, "no temporary file stays");
}

#[cfg(unix)]
#[test]
fn a_file_name_need_not_be_unicode() {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};

    let directory = temporary("bytes");
    let name = OsStr::from_bytes(b"caf\xe9-%p.json");
    let mut value = OsStr::new("json=").as_bytes().to_vec();
    value.extend_from_slice(directory.join(name).as_os_str().as_bytes());
    let output = start("exit", std::ffi::OsString::from_vec(value));
    assert_eq!(stderr(&output), "");
    let entry = fs::read_dir(&directory).unwrap().next().unwrap().unwrap();
    let written = entry.file_name().into_vec();
    assert!(written.starts_with(b"caf\xe9-") && written.ends_with(b".json"), "{written:?}");
}

/// Standard output by its path, where it is a file: what the program wrote there stays. (Not `/dev/stdout`, which a mistake could replace.)
#[cfg(target_os = "linux")]
#[test]
fn a_stream_is_added_to() {
    let directory = temporary("stream");
    let path = directory.join("out.txt");
    let file = fs::File::create(&path).unwrap();
    let output = command("exit", "json=/proc/self/fd/1").stdout(file).output().unwrap();
    assert_eq!(stderr(&output), "");
    let text = fs::read_to_string(&path).unwrap();
    // The test runner's own words came first.
    assert!(text.contains("running 1 test") && text.ends_with("}\n"), "{text}");
}

#[test]
fn a_report_that_cannot_be_written_leaves_what_was_there() {
    let directory = temporary("before");
    let path = directory.join("perf.json");
    // No file can be renamed onto a directory.
    fs::create_dir(&path).unwrap();
    let output = start("exit", format!("json={}", path.display()));
    assert!(stderr(&output).contains("the report cannot be written to"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "no temporary file stays");
    assert!(path.is_dir());
}

#[test]
fn a_session_prints_at_the_end_of_its_scope() {
    let output = start("session", "");
    assert!(output.status.success());
    let text = stderr(&output);
    let row = text.lines().find(|line| line.starts_with("environment::work ")).unwrap();
    assert_eq!(row.split_whitespace().nth(1), Some("11"), "{text}");
}

#[test]
fn the_width_and_the_colours_are_those_of_the_reader() {
    let colour = |name: &str, value: &str| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "program", "--nocapture", "--quiet"])
            .env("PERFKIT_TEST_ENDING", "exit")
            .env("PERFKIT", "table")
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env("COLUMNS", "60")
            .env(name, value)
            .output()
            .unwrap();
        let text = stderr(&output);
        assert!(text.contains("no room for: "), "{text}");
        text.contains('\u{1b}')
    };
    assert!(!colour("TERM", "xterm"), "a pipe is no terminal");
    assert!(colour("CLICOLOR_FORCE", "1"));
    assert!(!colour("CLICOLOR_FORCE", "0"));
}
