//! A small search engine for source code, with perfkit's attributes on it.
//!
//! `cargo run --release --example code_search [DIRECTORY [QUERY…]]`
//!
//! Without a directory it reads the sources of all crates that this workspace depends on, which cargo has put on the machine. It splits
//! the files into words with several threads, builds an inverted index, answers a list of queries with ranking, and checks the
//! answers against a plain scan that uses no index. At its end the tables are printed.
//!
//! `cargo test --release --example code_search` judges how fast its parts are, which `speed.rs` promises.

mod corpus;
mod index;
mod query;
mod scan;
mod speed;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use corpus::Corpus;
use perfkit::profiled;
use query::{Engine, Hit};

/// What people ask. Some ask the same, as people do.
const QUERIES: &[&str] = &[
    "hash map insert",
    "parse json string",
    "tcp stream connect",
    "atomic compare exchange",
    "hash map insert",
    "waker poll pending",
    "unsafe transmute lifetime",
    "utf8 validation",
    "mutex lock guard",
    "hash map insert",
    "iterator size hint",
    "thread local storage",
    "parse json string",
    "memory allocator layout",
    "panic unwind catch",
    "binary search slice",
    "regex unicode class",
    "sort unstable pivot",
];

/// How many times each of four users asks all of them.
const ROUNDS: usize = 50;
const USERS: usize = 4;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == "--help" || first == "-h") {
        println!("code_search [DIRECTORY [QUERY…]]: indexes source files and answers queries");
        return ExitCode::SUCCESS;
    }
    let directory = arguments.next().map(PathBuf::from);
    let queries: Vec<String> = match arguments.peek() {
        Some(_) => arguments.map(|query| query.to_string_lossy().into_owned()).collect(),
        None => QUERIES.iter().map(ToString::to_string).collect(),
    };
    let _session = perfkit::session();
    match run(directory, &queries) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("code_search: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether the index answers as the plain scan does.
#[profiled]
fn run(directory: Option<PathBuf>, queries: &[String]) -> Result<bool, corpus::CorpusError> {
    let corpus = match directory {
        Some(directory) => Corpus::of_directory(&directory)?,
        None => Corpus::of_dependencies()?,
    };
    println!("{corpus}");

    let start = Instant::now();
    let index = index::build(&corpus, workers());
    println!(
        "indexed {} words, {} different, in {:.1?} with {} threads",
        index.length(),
        index.terms(),
        start.elapsed(),
        workers()
    );
    let engine = Engine::install(corpus, index);

    let start = Instant::now();
    let answered = ask_as_many_users(queries);
    println!("answered {answered} queries in {:.1?}\n", start.elapsed());

    let mut distinct: Vec<&String> = Vec::new();
    for query in queries {
        if !distinct.contains(&query) {
            distinct.push(query);
        }
    }
    for query in distinct.iter().take(4) {
        print_hits(engine, query, &query::search(query));
    }
    let truth = scan::search(&engine.corpus, &distinct);
    let right = distinct.iter().zip(&truth).filter(|(query, truth)| query::search(query) == **truth).count();
    println!("{right} of {} answers are those of a plain scan\n", distinct.len());
    Ok(right == distinct.len())
}

fn workers() -> usize {
    thread::available_parallelism().map_or(2, usize::from)
}

/// Several users ask everything several times, each beginning elsewhere in the list; returns how many queries that is.
#[profiled]
fn ask_as_many_users(queries: &[String]) -> usize {
    thread::scope(|scope| {
        let users: Vec<_> = (0..USERS)
            .map(|user| {
                scope.spawn(move || {
                    for _ in 0..ROUNDS {
                        for query in queries.iter().cycle().skip(user).take(queries.len()) {
                            query::search(query);
                        }
                    }
                    ROUNDS * queries.len()
                })
            })
            .collect();
        // A user's thread that panicked has printed why, and answered nothing.
        users.into_iter().map(|user| user.join().unwrap_or(0)).sum()
    })
}

fn print_hits(engine: &Engine, query: &str, hits: &[Hit]) {
    println!("{query}");
    for hit in hits.iter().take(3) {
        let line = engine.first_line(query, hit.file).map_or(String::new(), |line| format!(":{line}"));
        println!("  {:6.2}  {}{line}", hit.score, engine.corpus.name(hit.file));
    }
}
