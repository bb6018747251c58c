//! A report as a file of Python's profiler, which `python -m pstats`, snakeviz, tuna and `gprof2dot -f pstats` open.
//!
//! The file is the dictionary `{(file, line, name): (primitive calls, calls, self, total, callers)}`, in which `callers` is the dictionary
//! `{(file, line, name): (calls, primitive calls, self, total)}`, written by `marshal`: the layout of `cProfile.Profile.create_stats` and of
//! `Python/marshal.c`. Times are seconds. Only types that every Python 3 reads are used, and none of the references of later versions.

use core::time::Duration;

use crate::order;
use crate::snapshot::{Function, Report};

/// What is known of a function, or of the calls from one to another.
#[derive(Clone, Copy)]
struct Counts {
    calls: u64,
    primitive_calls: u64,
    self_time: Duration,
    total_time: Duration,
}

impl Counts {
    const NONE: Counts =
        Counts { calls: 0, primitive_calls: 0, self_time: Duration::ZERO, total_time: Duration::ZERO };

    fn and(self, other: &Counts) -> Self {
        Counts {
            calls: self.calls + other.calls,
            primitive_calls: self.primitive_calls + other.primitive_calls,
            self_time: self.self_time + other.self_time,
            total_time: self.total_time + other.total_time,
        }
    }
}

/// A function to Python, for which it has a line and no column: those that one macro makes may be the same.
type Key = (&'static str, u32, String);

fn key(function: &Function) -> Key {
    (function.location.file, function.location.line, function.name.to_string())
}

/// Something that is counted under a key; of a function the second key is its own, of calls it is the caller's.
type Entry = (Key, Key, Counts);

/// The file's bytes.
#[must_use]
pub fn to_pstats(report: &Report) -> Vec<u8> {
    let functions = report.functions.iter().map(|row| {
        let key = (row.location.file, row.location.line, row.name.to_string());
        let counts = Counts {
            calls: row.calls,
            primitive_calls: row.primitive_calls,
            self_time: row.self_time,
            total_time: row.total_time,
        };
        (key.clone(), key, counts)
    });
    let functions = sorted(functions.collect());
    let edges = report.calls.edges().into_iter().map(|edge| {
        let counts = Counts {
            calls: edge.calls,
            primitive_calls: edge.primitive_calls,
            self_time: edge.self_time,
            total_time: edge.total_time,
        };
        (key(&edge.callee), key(&edge.caller), counts)
    });
    // Every caller in the file has to be a function in it, for those who read it. The node above merged paths is none, nor is what was filtered out.
    let is_function = |key: &Key| functions.binary_search_by(|entry| entry.0.cmp(key)).is_ok();
    let edges = sorted(edges.filter(|edge| is_function(&edge.1)).collect());
    let mut file = Marshal::default();
    file.0.push(b'{');
    for same in functions.chunk_by(is_same) {
        let counts = sum(same);
        file.key(&same[0].0);
        file.tuple(5);
        file.integer(counts.primitive_calls);
        file.integer(counts.calls);
        file.seconds(counts.self_time);
        file.seconds(counts.total_time);
        file.0.push(b'{');
        let first = edges.partition_point(|edge| edge.0 < same[0].0);
        let last = edges.partition_point(|edge| edge.0 <= same[0].0);
        for same in edges[first..last].chunk_by(is_same) {
            let counts = sum(same);
            file.key(&same[0].1);
            file.tuple(4);
            file.integer(counts.calls);
            file.integer(counts.primitive_calls);
            file.seconds(counts.self_time);
            file.seconds(counts.total_time);
        }
        file.end();
    }
    file.end();
    file.0
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    order::sort(&mut entries, |a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    entries
}

fn is_same(a: &Entry, b: &Entry) -> bool {
    (&a.0, &a.1) == (&b.0, &b.1)
}

fn sum(entries: &[Entry]) -> Counts {
    entries.iter().fold(Counts::NONE, |sum, entry| sum.and(&entry.2))
}

/// Python objects, one after the other.
#[derive(Default)]
struct Marshal(Vec<u8>);

impl Marshal {
    fn key(&mut self, (file, line, name): &Key) {
        self.tuple(3);
        self.text(file);
        self.integer(u64::from(*line));
        self.text(name);
    }

    /// Of a dictionary: where a key would stand, there is none.
    fn end(&mut self) {
        self.0.push(b'0');
    }

    /// So many objects follow.
    fn tuple(&mut self, len: u8) {
        self.0.extend([b')', len]);
    }

    fn text(&mut self, text: &str) {
        let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.0.push(b'u');
        self.0.extend(len.to_le_bytes());
        self.0.extend(&text.as_bytes()[..len as usize]);
    }

    fn integer(&mut self, number: u64) {
        if let Ok(number) = i32::try_from(number) {
            self.0.push(b'i');
            self.0.extend(number.to_le_bytes());
            return;
        }
        // Digits of fifteen bits, the lowest first.
        let digits: Vec<u16> = (0..5).map(|digit| (number >> (15 * digit)) as u16 & 0x7fff).collect();
        let len = digits.iter().rposition(|digit| *digit > 0).map_or(0, |last| last + 1);
        self.0.push(b'l');
        self.0.extend((len as u32).to_le_bytes());
        self.0.extend(digits[..len].iter().flat_map(|digit| digit.to_le_bytes()));
    }

    fn seconds(&mut self, time: Duration) {
        self.0.push(b'g');
        self.0.extend(time.as_secs_f64().to_le_bytes());
    }
}
