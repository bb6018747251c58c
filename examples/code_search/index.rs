//! The inverted index: for each word, the files it is in and how often.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use perfkit::{profile_block, profiled};

use crate::corpus::Corpus;
use crate::words;

/// A file and how often the word is in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Posting {
    pub(crate) file: u32,
    pub(crate) count: u32,
}

#[derive(Default)]
pub(crate) struct Index {
    postings: HashMap<String, Vec<Posting>>,
    /// Words of each file.
    lengths: HashMap<u32, u32>,
    length: u64,
}

/// Indexes all files with several threads, each of which takes the next file that nobody has.
#[profiled]
pub(crate) fn build(corpus: &Corpus, workers: usize) -> Index {
    let next = AtomicU32::new(0);
    let parts: Vec<Index> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(|| build_part(corpus, &next))).collect();
        // A worker that panicked has printed why; its files are missing, which the comparison with the scan finds.
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    });
    let mut index = Index::default();
    for part in parts {
        index.merge(part);
    }
    profile_block!("sort postings", {
        for postings in index.postings.values_mut() {
            postings.sort_unstable_by_key(|posting| posting.file);
        }
    });
    index
}

fn build_part(corpus: &Corpus, next: &AtomicU32) -> Index {
    let mut index = Index::default();
    loop {
        let file = next.fetch_add(1, Ordering::Relaxed);
        if file >= corpus.len() {
            return index;
        }
        // A file that cannot be read has no words, here and in the scan.
        if let Ok(text) = corpus.read(file) {
            index.add(file, &text);
        }
    }
}

#[profiled]
impl Index {
    /// Adds a file.
    pub(crate) fn add(&mut self, file: u32, text: &[u8]) {
        let mut counts: HashMap<String, u32> = HashMap::new();
        let length = words::each(text, |word| match counts.get_mut(word) {
            Some(count) => *count += 1,
            None => _ = counts.insert(word.to_owned(), 1),
        });
        for (word, count) in counts {
            self.postings.entry(word).or_default().push(Posting { file, count });
        }
        self.lengths.insert(file, length);
        self.length += u64::from(length);
    }

    fn merge(&mut self, other: Index) {
        for (word, postings) in other.postings {
            self.postings.entry(word).or_default().extend(postings);
        }
        self.lengths.extend(other.lengths);
        self.length += other.length;
    }

    #[profiled(skip)]
    pub(crate) fn postings(&self, word: &str) -> &[Posting] {
        self.postings.get(word).map_or(&[], Vec::as_slice)
    }

    /// Words in a file.
    #[profiled(skip)]
    pub(crate) fn length_of(&self, file: u32) -> u32 {
        self.lengths.get(&file).copied().unwrap_or(0)
    }

    /// Files that could be read.
    #[profiled(skip)]
    pub(crate) fn files(&self) -> usize {
        self.lengths.len()
    }

    /// Words in all files.
    #[profiled(skip)]
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Different words.
    #[profiled(skip)]
    pub(crate) fn terms(&self) -> usize {
        self.postings.len()
    }
}
