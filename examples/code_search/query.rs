//! Answers: the files that match a query best.
//!
//! Ranking is Okapi BM25 (S. Robertson, H. Zaragoza, "The Probabilistic Relevance Framework", 2009) with the usual k1 = 1.2, b = 0.75.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use perfkit::{cached, profiled};

use crate::corpus::Corpus;
use crate::index::Index;
use crate::words;

/// Answers to a query.
const HITS: usize = 10;

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) file: u32,
    pub(crate) score: f64,
}

/// What queries are answered from.
pub(crate) struct Engine {
    pub(crate) corpus: Corpus,
    index: Index,
}

static ENGINE: OnceLock<Engine> = OnceLock::new();

impl Engine {
    /// Makes these files the ones that [`search`] looks in; the first to be installed stay.
    pub(crate) fn install(corpus: Corpus, index: Index) -> &'static Engine {
        ENGINE.get_or_init(|| Engine { corpus, index })
    }

    /// The first line, from 1, that has a word of the query.
    pub(crate) fn first_line(&self, query: &str, file: u32) -> Option<usize> {
        let wanted = words::of_query(query);
        let text = self.corpus.read(file).ok()?;
        let mut lines = text.split(|byte| *byte == b'\n');
        lines
            .position(|line| {
                let mut found = false;
                words::each(line, |word| found |= wanted.iter().any(|wanted| wanted == word));
                found
            })
            .map(|line| line + 1)
    }
}

/// The best files for a query, the best first. Whoever asks again within ten minutes is told the same.
#[cached(ttl = 600, max_size = 1_000)]
#[profiled]
pub(crate) fn search(query: &str) -> Vec<Hit> {
    ENGINE.get().map_or_else(Vec::new, |engine| answer(&engine.index, query))
}

/// The best files of an index for a query.
pub(crate) fn answer(index: &Index, query: &str) -> Vec<Hit> {
    let mut scores: BTreeMap<u32, f64> = BTreeMap::new();
    for word in words::of_query(query) {
        let postings = index.postings(&word);
        for posting in postings {
            let score = bm25(
                posting.count,
                index.length_of(posting.file),
                index.length() as f64 / index.files() as f64,
                postings.len(),
                index.files(),
            );
            *scores.entry(posting.file).or_default() += score;
        }
    }
    best(scores)
}

/// What one word adds to the score of one file.
pub(crate) fn bm25(count: u32, length: u32, mean_length: f64, files_with_word: usize, files: usize) -> f64 {
    const K1: f64 = 1.2;
    const B: f64 = 0.75;
    let (with, all) = (files_with_word as f64, files as f64);
    let rarity = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
    let count = f64::from(count);
    rarity * count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * f64::from(length) / mean_length))
}

/// The highest scores; of equals, the first file.
#[profiled]
pub(crate) fn best(scores: BTreeMap<u32, f64>) -> Vec<Hit> {
    let mut hits: Vec<Hit> = scores.into_iter().map(|(file, score)| Hit { file, score }).collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.file.cmp(&b.file)));
    hits.truncate(HITS);
    hits
}
