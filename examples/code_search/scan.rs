//! The truth: the same answers by reading every file, with no index.

use std::collections::BTreeMap;

use perfkit::profiled;

use crate::corpus::Corpus;
use crate::query::{Hit, best, bm25};
use crate::words;

/// A file's words that some query asks for.
struct Seen {
    file: u32,
    length: u32,
    /// By query and word.
    counts: Vec<Vec<u32>>,
}

/// Answers to all queries from one pass over the files.
#[profiled]
pub(crate) fn search(corpus: &Corpus, queries: &[&String]) -> Vec<Vec<Hit>> {
    let wanted: Vec<Vec<String>> = queries.iter().map(|query| words::of_query(query)).collect();
    let seen: Vec<Seen> = (0..corpus.len()).filter_map(|file| scan(corpus, file, &wanted)).collect();
    let files = seen.len();
    let mean_length = seen.iter().map(|seen| f64::from(seen.length)).sum::<f64>() / files as f64;
    (0..queries.len())
        .map(|query| {
            let mut scores: BTreeMap<u32, f64> = BTreeMap::new();
            for word in 0..wanted[query].len() {
                let with_word = seen.iter().filter(|seen| seen.counts[query][word] > 0).count();
                for seen in seen.iter().filter(|seen| seen.counts[query][word] > 0) {
                    let score = bm25(seen.counts[query][word], seen.length, mean_length, with_word, files);
                    *scores.entry(seen.file).or_default() += score;
                }
            }
            best(scores)
        })
        .collect()
}

#[profiled]
fn scan(corpus: &Corpus, file: u32, wanted: &[Vec<String>]) -> Option<Seen> {
    let text = corpus.read(file).ok()?;
    let mut counts: Vec<Vec<u32>> = wanted.iter().map(|words| vec![0; words.len()]).collect();
    let length = words::each(&text, |word| {
        for (counts, wanted) in counts.iter_mut().zip(wanted) {
            if let Some(index) = wanted.iter().position(|wanted| wanted == word) {
                counts[index] += 1;
            }
        }
    });
    Some(Seen { file, length, counts })
}
