//! A report as a file of Python's profiler, which `python -m pstats`, snakeviz, tuna and `gprof2dot -f pstats` open.
//!
//! The file is the dictionary `{(file, line, name): (primitive calls, calls, self, total, callers)}`, in which `callers` is the dictionary
//! `{(file, line, name): (calls, primitive calls, self, total)}`, written by `marshal`: the layout of `cProfile.Profile.create_stats` and of
//! `Python/marshal.c`. Times are seconds. Only types that every Python 3 reads are used, and none of the references of later versions.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::snapshot::{Function, Report};

/// File, line and name.
type Key = (&'static str, u32, String);

/// What is summed up under one key.
#[derive(Default)]
struct Counts {
    calls: u64,
    primitive_calls: u64,
    self_time: Duration,
    total_time: Duration,
}

impl Counts {
    fn add(&mut self, calls: u64, primitive_calls: u64, self_time: Duration, total_time: Duration) {
        self.calls += calls;
        self.primitive_calls += primitive_calls;
        self.self_time += self_time;
        self.total_time += total_time;
    }
}

/// The file's bytes.
#[must_use]
pub fn to_pstats(report: &Report) -> Vec<u8> {
    // Functions of one macro may be the same to Python, for which a function has a line and no column.
    let mut functions: BTreeMap<Key, (Counts, BTreeMap<Key, Counts>)> = BTreeMap::new();
    for row in &report.functions {
        let key = (row.location.file, row.location.line, row.name.to_string());
        let counts = &mut functions.entry(key).or_default().0;
        counts.add(row.calls, row.primitive_calls, row.self_time, row.total_time);
    }
    for edge in report.calls.edges() {
        if edge.caller.location.line == 0 {
            // The node above merged paths is no function.
            continue;
        }
        let Some((_, callers)) = functions.get_mut(&key(&edge.callee)) else { continue };
        let counts = callers.entry(key(&edge.caller)).or_default();
        counts.add(edge.calls, edge.primitive_calls, edge.self_time, edge.total_time);
    }
    let mut file = Marshal::default();
    file.dictionary(functions, |file, (counts, callers)| {
        file.tuple(5);
        file.integer(counts.primitive_calls);
        file.integer(counts.calls);
        file.seconds(counts.self_time);
        file.seconds(counts.total_time);
        file.dictionary(callers, |file, counts| {
            file.tuple(4);
            file.integer(counts.calls);
            file.integer(counts.primitive_calls);
            file.seconds(counts.self_time);
            file.seconds(counts.total_time);
        });
    });
    file.0
}

fn key(function: &Function) -> Key {
    (function.location.file, function.location.line, function.name.to_string())
}

/// Python objects, one after the other.
#[derive(Default)]
struct Marshal(Vec<u8>);

impl Marshal {
    fn dictionary<T>(&mut self, entries: BTreeMap<Key, T>, value: impl Fn(&mut Self, T)) {
        self.0.push(b'{');
        for ((file, line, name), entry) in entries {
            self.tuple(3);
            self.text(file);
            self.integer(u64::from(line));
            self.text(&name);
            value(self, entry);
        }
        // No key: the end.
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
