//! What the parts promise: benchmarks that `cargo test` judges, on text that is made up and the same everywhere.

use std::fmt::Write;

use perfkit::benchmark;

use crate::index::Index;
use crate::query::{self, Hit};
use crate::words;

/// So many lines of what looks like a source file.
fn source(lines: u32) -> Vec<u8> {
    const NAMES: [&str; 8] =
        ["HashMap", "index", "TcpStream", "parse_json", "buffer", "Waker", "insert", "utf8"];
    let mut text = String::new();
    for line in 0..lines {
        let name =
            |salt: u32| NAMES[(line.wrapping_mul(2_654_435_761).wrapping_add(salt) >> 13) as usize % 8];
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    let {}_{} = {}::{}({});", name(1), line % 100, name(2), name(3), name(4));
    }
    text.into_bytes()
}

fn index(files: u32) -> Index {
    let mut index = Index::default();
    for file in 0..files {
        index.add(file, &source(20 + file % 30));
    }
    index
}

/// Tens of megabytes in a second.
#[benchmark(args = [100, 1_000], setup = source, target_ms = 5, validate = |words| *words > 500)]
fn split_into_words(text: &[u8]) -> u32 {
    words::each(text, |word| _ = std::hint::black_box(word))
}

#[benchmark(setup = || source(1_000), target_ms = 10)]
fn index_a_file(text: &[u8]) -> Index {
    let mut index = Index::default();
    index.add(0, text);
    index
}

#[benchmark(args = [100, 1_000], setup = index, target_ms = 10, validate = |hits: &Vec<Hit>| hits.len() == 10)]
fn answer_a_query(index: &Index) -> Vec<Hit> {
    query::answer(index, "hash map insert buffer")
}

#[benchmark(target_us = 5)]
fn answer_again() -> Vec<Hit> {
    query::search("nobody has indexed anything")
}
