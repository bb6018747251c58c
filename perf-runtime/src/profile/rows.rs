//! From the threads' trees to one row per function.
//!
//! Self time is a node's time less its children's, and less what measuring it and them cost. A function's total counts the nodes that
//! have no node of the same function above them, so that a recursion counts once. Both come from one walk over each tree.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::calibrate::{Overhead, overhead};
use super::frame::is_off;
use super::recorder::Durations;
use super::threads;
use super::tree::{Node, NodeReading, Tree};
use crate::clock::{self, Rate};
use crate::site::{SITES, Site};
use crate::snapshot::{FunctionRow, FutureRow, Latency, Location};
use crate::sync::Mutex;

/// What the profiler has measured since the last [`reset`].
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// One for each function and block, in no order.
    pub functions: Vec<FunctionRow>,
    /// One for each function that is a future, in no order.
    pub futures: Vec<FutureRow>,
    /// Threads that ever ran a profiled function.
    pub threads: u64,
    /// Some calls were merged, because their paths were more than [`MAX_NODES`](super::MAX_NODES).
    pub truncated: bool,
}

/// Reads all trees, while their threads go on.
#[must_use]
pub fn rows() -> Rows {
    // First, so that what making a report takes is not in the time of the functions that wait for it.
    let now = clock::now();
    let overhead = overhead();
    let rate = clock::rate();
    let base = BASE.get_or_init(Mutex::default).lock().clone();
    let mut sites: HashMap<Key, Totals> = HashMap::new();
    let mut truncated = false;
    for tree in threads::trees() {
        truncated |= tree.is_truncated();
        add_tree(tree, now, overhead, &base, &mut sites);
        for (site, stats) in tree.sites() {
            let mut reading = StatsReading::of(stats);
            if let Some(earlier) = base.stats.get(&core::ptr::from_ref(stats).addr()) {
                reading.subtract(earlier);
            }
            sites.entry(Key(site)).or_insert_with(|| Totals::new(site)).stats.merge(&reading);
        }
    }
    let all: f64 = sites.values().map(|totals| totals.self_ticks).sum();
    // Those of them that were never called have rows of zeros, unless nobody would know.
    for site in SITES.iter().filter(|_| !is_off()) {
        sites.entry(Key(site)).or_insert_with(|| Totals::new(site)).listed = true;
    }
    let sites: Vec<Totals> =
        sites.into_values().filter(|totals| !totals.is_empty() || totals.listed).collect();
    Rows {
        functions: sites.iter().map(|totals| totals.function(rate, overhead, all)).collect(),
        futures: sites.iter().filter_map(|totals| totals.future(rate)).collect(),
        threads: threads::started(),
        truncated,
    }
}

/// What was there when [`reset`] was called, by address. Nodes and stats are never freed, so an address stays what it is.
#[derive(Clone, Default)]
struct Base {
    nodes: HashMap<usize, NodeReading>,
    stats: HashMap<usize, StatsReading>,
}

static BASE: OnceLock<Mutex<Base>> = OnceLock::new();

/// Begins anew: what was measured up to now is remembered and taken out of later rows, so no thread is interrupted.
pub fn reset() {
    let mut base = Base::default();
    for tree in threads::trees() {
        let now = clock::now();
        tree.walk(|node, entering| {
            if entering {
                base.nodes.insert(core::ptr::from_ref(node).addr(), node.read(now));
            }
        });
        for (_, stats) in tree.sites() {
            base.stats.insert(core::ptr::from_ref(stats).addr(), StatsReading::of(stats));
        }
    }
    *BASE.get_or_init(Mutex::default).lock() = base;
}

impl Base {
    fn since(&self, node: &'static Node, now: u64) -> NodeReading {
        let reading = node.read(now);
        let Some(earlier) = self.nodes.get(&core::ptr::from_ref(node).addr()) else { return reading };
        NodeReading {
            primitive: reading.primitive.saturating_sub(earlier.primitive),
            recursive: reading.recursive.saturating_sub(earlier.recursive),
            polls: reading.polls.saturating_sub(earlier.polls),
            ticks: reading.ticks.saturating_sub(earlier.ticks),
            open: reading.open,
            merged_callees: reading.merged_callees - earlier.merged_callees,
        }
    }
}

/// A site by its address.
struct Key(&'static Site);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.0, other.0)
    }
}

impl Eq for Key {}

impl core::hash::Hash for Key {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        core::ptr::from_ref(self.0).hash(state);
    }
}

/// A node on the way from the root to the one being visited.
struct Open {
    reading: NodeReading,
    /// The outermost node of its site on this path.
    outermost: bool,
    children_ticks: u64,
    /// Entries of the children: each cost its caller something.
    children_entries: u64,
    /// Corrected self ticks of everything below.
    below: f64,
}

impl NodeReading {
    fn entries(&self) -> u64 {
        if self.polls > 0 { self.polls } else { self.primitive + self.recursive }
    }

    /// Those whose cost outside of the frame lies in the caller's time, not in the node's own.
    fn entries_from_caller(&self) -> u64 {
        if self.polls > 0 { self.polls } else { self.primitive }
    }
}

fn add_tree(
    tree: &'static Tree,
    now: u64,
    overhead: Overhead,
    base: &Base,
    sites: &mut HashMap<Key, Totals>,
) {
    let mut path: Vec<Open> = Vec::new();
    tree.walk(|node, entering| {
        let totals = sites.entry(Key(node.site)).or_insert_with(|| Totals::new(node.site));
        if entering {
            let reading = base.since(node, now);
            totals.depth += 1;
            path.push(Open {
                reading,
                outermost: totals.depth == 1,
                children_ticks: 0,
                children_entries: 0,
                below: 0.0,
            });
            return;
        }
        totals.depth -= 1;
        let Some(open) = path.pop() else { return };
        let NodeReading { primitive, recursive, ticks, open: in_flight, merged_callees, .. } = open.reading;
        let raw = ticks as f64 - open.children_ticks as f64 - merged_callees as f64;
        // A direct recursion pays for its inner frames itself, inside and outside.
        let cost = open.reading.entries() as f64 * overhead.inside
            + (open.children_entries + recursive) as f64 * overhead.outside;
        let self_ticks = (raw - cost).max(0.0);
        totals.calls += primitive + recursive;
        totals.self_ticks += self_ticks;
        totals.in_flight += u64::from(in_flight);
        if open.outermost {
            totals.primitive += primitive;
            totals.total_ticks += self_ticks + open.below;
        }
        if let Some(parent) = path.last_mut() {
            parent.children_ticks += ticks;
            parent.children_entries += open.reading.entries_from_caller();
            parent.below += self_ticks + open.below;
        }
    });
}

/// What is known of one site over all trees.
struct Totals {
    site: &'static Site,
    calls: u64,
    primitive: u64,
    in_flight: u64,
    self_ticks: f64,
    total_ticks: f64,
    /// Nodes of the site on the path being walked.
    depth: usize,
    /// It is among [`SITES`].
    listed: bool,
    stats: StatsReading,
}

impl Totals {
    fn new(site: &'static Site) -> Self {
        Totals {
            site,
            calls: 0,
            primitive: 0,
            in_flight: 0,
            self_ticks: 0.0,
            total_ticks: 0.0,
            depth: 0,
            listed: false,
            stats: StatsReading::default(),
        }
    }

    /// Nothing since the last reset.
    fn is_empty(&self) -> bool {
        self.calls == 0 && self.in_flight == 0 && self.stats.durations.count == 0
    }

    fn location(&self) -> Location {
        Location { file: self.site.file(), line: self.site.line(), column: self.site.column() }
    }

    fn function(&self, rate: Rate, overhead: Overhead, all: f64) -> FunctionRow {
        let stats = &self.stats;
        let waiting = stats.started.saturating_sub(stats.completed + stats.dropped + stats.panics);
        let waiting = if stats.started > 0 { waiting } else { 0 };
        FunctionRow {
            name: self.site.name().to_owned(),
            location: self.location(),
            cyclomatic: self.site.cyclomatic(),
            calls: self.calls - waiting.min(self.calls),
            primitive_calls: self.primitive - waiting.min(self.primitive),
            in_flight: if stats.started > 0 { waiting } else { self.in_flight },
            panics: stats.panics,
            errors: stats.errors,
            self_time: rate.duration(self.self_ticks.round() as u64),
            total_time: rate.duration(self.total_ticks.round() as u64),
            share: if all > 0.0 { self.self_ticks / all } else { 0.0 },
            latency: latency(&stats.durations, rate, overhead.inside.round() as u64),
        }
    }

    fn future(&self, rate: Rate) -> Option<FutureRow> {
        let stats = &self.stats;
        (stats.started > 0 || stats.polls > 0).then(|| FutureRow {
            name: self.site.name().to_owned(),
            location: self.location(),
            started: stats.started,
            completed: stats.completed,
            dropped: stats.dropped,
            polls: stats.polls,
            busy: rate.duration(self.total_ticks.round() as u64),
            wall: latency(&stats.wall, rate, 0),
        })
    }
}

/// The distribution of durations that each hold `inside` ticks of the profiler's own.
fn latency(durations: &Durations, rate: Rate, inside: u64) -> Latency {
    if durations.count == 0 {
        return Latency::default();
    }
    let time = |ticks: u64| rate.duration(ticks.saturating_sub(inside));
    // A bucket's middle may lie beyond the greatest or the least there was.
    let quantile = |q| time(durations.counts.quantile(q).max(durations.min).min(durations.max));
    Latency {
        min: time(durations.min),
        mean: time(durations.sum / durations.count),
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
        p999: quantile(0.999),
        max: time(durations.max),
    }
}

/// What is counted about a site in one tree, as plain data.
#[derive(Clone, Default)]
struct StatsReading {
    durations: Durations,
    wall: Durations,
    panics: u64,
    errors: u64,
    started: u64,
    completed: u64,
    dropped: u64,
    polls: u64,
}

impl StatsReading {
    fn of(stats: &super::tree::SiteStats) -> Self {
        let mut reading = StatsReading {
            durations: stats.durations.read(),
            panics: stats.panics.get(),
            errors: stats.errors.get(),
            ..StatsReading::default()
        };
        if let Some(futures) = stats.futures() {
            reading.wall = futures.wall.read();
            reading.started = futures.started.get();
            reading.completed = futures.completed.get();
            reading.dropped = futures.dropped.get();
            reading.polls = futures.polls.get();
        }
        reading
    }

    fn counts(&mut self) -> [&mut u64; 6] {
        [
            &mut self.panics,
            &mut self.errors,
            &mut self.started,
            &mut self.completed,
            &mut self.dropped,
            &mut self.polls,
        ]
    }

    fn merge(&mut self, other: &StatsReading) {
        self.durations.merge(&other.durations);
        self.wall.merge(&other.wall);
        for (count, other) in self.counts().into_iter().zip(other.clone().counts()) {
            *count += *other;
        }
    }

    fn subtract(&mut self, earlier: &StatsReading) {
        self.durations.subtract(&earlier.durations);
        self.wall.subtract(&earlier.wall);
        for (count, earlier) in self.counts().into_iter().zip(earlier.clone().counts()) {
            *count = count.saturating_sub(*earlier);
        }
    }
}
