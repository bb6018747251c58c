//! From the threads' trees to one row per function.
//!
//! Self time is a node's time less its children's, and less what measuring it and them cost. A function's total counts the nodes that
//! have no node of the same function above them, so that a recursion counts once. Both come from one walk over each tree.

use core::time::Duration;
use std::sync::{Arc, OnceLock};

use super::calibrate::{Overhead, overhead};
use super::calls::{Calls, Measured};
use super::frame::is_off;
use super::memory::{self, MemoryReading};
use super::recorder::Durations;
use super::threads;
use super::tree::{Node, NodeReading, SiteStats, TRUNCATED, Tree};
use crate::clock::{self, Rate};
use crate::numbers::{Numbers, address};
use crate::site::{SITES, Site};
use crate::snapshot::{CallTree, Estimate, FunctionRow, FutureRow, Latency, Location, MemoryUse, Requests};
use crate::sync::Mutex;

/// What the profiler has measured since the last [`reset`].
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// One for each function and block, in no order.
    pub functions: Vec<FunctionRow>,
    /// One for each function that is a future, in no order.
    pub futures: Vec<FutureRow>,
    /// The paths of their calls.
    pub calls: CallTree,
    /// What the profiler itself took, on all threads, by what it costs where it was measured.
    pub overhead: Duration,
    /// Threads that ever ran a profiled function, also before the last [`reset`].
    pub threads: u64,
    /// Some calls were merged, because their paths were more than [`MAX_NODES`](super::MAX_NODES).
    pub truncated: bool,
}

/// Reads all trees, while their threads go on.
#[must_use]
pub fn rows() -> Rows {
    rows_since(None)
}

/// The same since a [`Mark`], or since the last [`reset`].
#[must_use]
pub fn rows_since(mark: Option<&Mark>) -> Rows {
    // First, so that what making a report takes is not in the time of the functions that wait for it.
    let called = clock::now();
    let (overhead, rate) = (overhead(), clock::rate());
    let read = || {
        if let Some(Mark(base)) = mark {
            return read(called, overhead, rate, base);
        }
        let base = Arc::clone(&BASE.get_or_init(Mutex::default).lock());
        read(called, overhead, rate, &base)
    };
    threads::unless_busy(read).unwrap_or_default()
}

fn read(called: u64, overhead: Overhead, rate: Rate, base: &Base) -> Rows {
    let own = threads::current().tree();
    let mut sites = Sites::default();
    let mut calls = Calls::default();
    let (mut truncated, mut cost_of_all) = (false, 0.0);
    for tree in threads::trees() {
        let is_own = own.is_some_and(|own| core::ptr::eq(own, tree));
        // As late as possible for threads that go on, so that what they call is not longer than what it is called by.
        let now = if is_own { called } else { clock::now() };
        calls.reserve(tree.size());
        let (is_truncated, cost) = add_tree(tree, now, overhead, base, &mut sites, &mut calls);
        truncated |= is_truncated;
        cost_of_all += cost;
        for (site, stats) in tree.sites() {
            let mut reading = StatsReading::of(stats);
            if let Some(earlier) = base.stats(stats) {
                reading.subtract(earlier);
            }
            sites.totals(site).stats.merge(&reading);
        }
    }
    // Those of them that were never called have rows of zeros, unless nobody would know.
    for site in SITES.iter().filter(|_| !is_off()) {
        sites.totals(site).listed = true;
    }
    let mut sites = sites.totals;
    sites.retain(|totals| !totals.is_empty() || totals.listed);
    Rows {
        functions: sites.iter().map(|totals| totals.function(rate, overhead)).collect(),
        futures: sites.iter().filter_map(|totals| totals.future(rate)).collect(),
        calls: calls.into_tree(rate),
        overhead: rate.duration(cost_of_all.round() as u64),
        threads: threads::started(),
        truncated,
    }
}

/// What was there when [`reset`] was called, by address. Nodes and stats are never freed, so an address stays what it is.
#[derive(Debug, Default)]
struct Base {
    /// When; 0 for the beginning.
    at: u64,
    node_numbers: Numbers,
    nodes: Vec<NodeReading>,
    stats_numbers: Numbers,
    stats: Vec<StatsReading>,
}

/// Shared with the reports under way, as it is as large as the trees.
static BASE: OnceLock<Mutex<Arc<Base>>> = OnceLock::new();

/// A moment from which to count.
#[derive(Debug, Default)]
pub struct Mark(Base);

impl Mark {
    /// This one.
    #[must_use]
    pub fn now() -> Self {
        Mark(threads::unless_busy(Base::now).unwrap_or_default())
    }
}

/// Begins anew: what was measured up to now is remembered and taken out of later rows, so no thread is interrupted.
///
/// Of a call under way, the self and total time up to now are left out. When it ends it is counted, and its duration is the whole of it.
pub fn reset() {
    threads::unless_busy(|| {
        let base = Arc::new(Base::now());
        memory::begin_anew();
        *BASE.get_or_init(Mutex::default).lock() = base;
    });
}

impl Base {
    fn now() -> Self {
        let mut base = Base::default();
        for tree in threads::trees() {
            let now = clock::now();
            tree.walk(|node, entering| {
                if entering {
                    base.node_numbers.of((address(node), 0));
                    base.nodes.push(node.read(now));
                }
            });
            for (_, stats) in tree.sites() {
                base.stats_numbers.of((address(stats), 0));
                base.stats.push(StatsReading::of(stats));
            }
        }
        base.at = clock::now();
        base
    }

    fn stats(&self, stats: &'static SiteStats) -> Option<&StatsReading> {
        self.stats.get(self.stats_numbers.get((address(stats), 0))?)
    }

    fn since(&self, node: &'static Node, now: u64) -> NodeReading {
        let reading = node.read(now);
        let number = self.node_numbers.get((address(node), 0));
        let Some(earlier) = number.and_then(|number| self.nodes.get(number)) else { return reading };
        NodeReading {
            primitive: reading.primitive.saturating_sub(earlier.primitive),
            recursive: reading.recursive.saturating_sub(earlier.recursive),
            polls: reading.polls.saturating_sub(earlier.polls),
            switches: reading.switches.saturating_sub(earlier.switches),
            ticks: reading.ticks.saturating_sub(earlier.ticks),
            open: reading.open,
            merged_callees: reading.merged_callees - earlier.merged_callees,
            samples: {
                let mut samples = reading.samples;
                samples.subtract(&earlier.samples);
                samples
            },
            memory: reading.memory.map(|mut memory| {
                memory.subtract(&earlier.memory.unwrap_or_default());
                memory
            }),
        }
    }
}

/// All sites, each once.
#[derive(Default)]
struct Sites {
    numbers: Numbers,
    totals: Vec<Totals>,
}

impl Sites {
    fn totals(&mut self, site: &'static Site) -> &mut Totals {
        let number = self.number(site);
        &mut self.totals[number]
    }

    fn number(&mut self, site: &'static Site) -> usize {
        let number = self.numbers.of((address(site), 0));
        if number == self.totals.len() {
            self.totals.push(Totals::new(site));
        }
        number
    }
}

/// A node on the way from the root to the one being visited.
struct Open {
    reading: NodeReading,
    /// The place of its site among all.
    site: usize,
    /// Of its path in the merged tree.
    place: usize,
    /// The outermost node of its site on this path.
    outermost: bool,
    /// The most that its calls can have taken: what its nearest caller did of which all calls were timed, or the whole run.
    limit: f64,
    children_ticks: f64,
    /// What entering and leaving the children took besides, in ticks.
    children_cost: f64,
    /// Of the children's times, where they are estimates.
    children_variance: f64,
    /// Calls of the children, and those of them that were not timed.
    children_calls: (f64, f64),
    /// Corrected self ticks of everything below.
    below: f64,
    /// What everything below allocated and freed.
    memory_below: MemoryReading,
    /// How high the balance rose below without being told.
    risen: Option<i64>,
}

impl Open {
    /// What it costs to call another function than before: of timed calls and of others, as many as there were.
    fn switch(&self, overhead: Overhead) -> f64 {
        let (calls, untimed) = self.children_calls;
        let untimed = if calls > 0.0 { untimed / calls } else { 0.0 };
        overhead.switch + (overhead.untimed_switch - overhead.switch) * untimed
    }
}

/// What the calls of a node took, in ticks.
struct Times {
    /// In the function itself.
    own: f64,
    /// In it and all it called.
    inclusive: f64,
    /// What the clock readings say, estimates included, less what measuring the function itself took.
    measured: f64,
    /// Of the estimate, if there is one.
    variance: f64,
    /// What measuring took, here and between the callees.
    cost: f64,
    /// What of the calls was in the caller's time, and what measuring them took there.
    in_caller: f64,
    cost_in_caller: f64,
}

impl Open {
    /// When everything below has been seen.
    fn times(&self, overhead: Overhead) -> Times {
        let NodeReading { recursive, ticks, switches, merged_callees, samples, .. } = self.reading;
        let (mean, variance) = samples.estimate();
        let (ticks, untimed) = (ticks as f64, samples.untimed as f64);
        let entries = self.reading.entries_from_caller();
        let frame = overhead.frame(ticks / entries.max(1) as f64);
        let mean = mean.min((self.limit - ticks).max(0.0) / untimed.max(1.0));
        let all = ticks + untimed * mean;
        // A direct recursion pays for its inner frames itself, inside and outside.
        let inner = if samples.untimed > 0 { overhead.untimed } else { frame.inside + frame.outside };
        let sampled = samples.timed();
        // Untimed calls are estimated from the sampled, with what timing those took.
        let inside = entries.saturating_sub(sampled) as f64 * frame.inside
            + (sampled as f64 + untimed) * overhead.sampled;
        let cost =
            inside + recursive as f64 * inner + self.children_cost + switches as f64 * self.switch(overhead);
        let signed = all - self.children_ticks - merged_callees as f64 - cost;
        let own = signed.max(0.0);
        // Of a merged node all that it calls is merged, and in its own time.
        let below = self.below + merged_callees as f64;
        // Where callees are estimated and it is not, it is known how long it and they took together.
        let inclusive = if samples.untimed == 0 && self.children_variance > 0.0 {
            (signed + below).min(all).max(own)
        } else {
            (own + below).max(0.0)
        };
        Times {
            own,
            inclusive,
            measured: all - inside,
            variance,
            // What the estimated calls would have cost, they did not.
            cost: cost - untimed * overhead.sampled,
            // Where the function was not timed, only what it took itself is in the caller's time.
            in_caller: ticks + untimed * (mean - overhead.sampled).max(0.0),
            cost_in_caller: entries as f64 * frame.outside + untimed * overhead.untimed,
        }
    }
}

impl NodeReading {
    fn is_used(&self) -> bool {
        self.primitive + self.recursive + self.polls + self.samples.untimed > 0 || self.open > 0
    }

    /// Timed entries whose cost outside of the frame lies in the caller's time, not in the node's own.
    fn entries_from_caller(&self) -> u64 {
        if self.polls > 0 { self.polls } else { self.primitive }
    }
}

/// Adds what a tree holds; whether paths were merged in it, and what measuring took in ticks.
fn add_tree(
    tree: &'static Tree,
    now: u64,
    overhead: Overhead,
    base: &Base,
    sites: &mut Sites,
    calls: &mut Calls,
) -> (bool, f64) {
    let mut path: Vec<Open> = Vec::new();
    let (mut truncated, mut cost_of_all) = (false, 0.0);
    let risen = tree.risen().map(address);
    tree.walk(|node, entering| {
        if entering {
            let reading = base.since(node, now);
            let limit = match path.last() {
                _ if reading.samples.untimed == 0 => reading.ticks as f64,
                Some(caller) => caller.limit,
                None => now.saturating_sub(base.at.max(clock::origin())) as f64,
            };
            let site = sites.number(node.site);
            let totals = &mut sites.totals[site];
            totals.depth += 1;
            truncated |= node.is_merged() && reading.is_used();
            let caller = path.last().map(|open| open.place).or_else(|| merged_root(node, calls));
            path.push(Open {
                reading,
                site,
                place: calls.place(caller, node.site),
                outermost: totals.depth == 1,
                limit,
                children_ticks: 0.0,
                children_cost: 0.0,
                children_variance: 0.0,
                children_calls: (0.0, 0.0),
                below: 0.0,
                memory_below: MemoryReading::default(),
                risen: (risen == Some(address(node))).then_some(i64::MIN),
            });
            return;
        }
        let Some(mut open) = path.pop() else { return };
        let totals = &mut sites.totals[open.site];
        totals.depth -= 1;
        let times = open.times(overhead);
        cost_of_all += times.cost;
        let NodeReading { primitive, recursive, open: in_flight, samples, .. } = open.reading;
        let untimed = samples.untimed;
        let memory = open.reading.memory.unwrap_or_default();
        let (calls_ended, primitive_ended) = (primitive + recursive + untimed, primitive + untimed);
        let measured = Measured {
            allocations: memory.allocations,
            bytes: memory.allocated,
            calls: calls_ended,
            primitive: primitive_ended,
            open: u64::from(in_flight),
            self_ticks: times.own,
            total_ticks: times.inclusive,
        };
        calls.add(open.place, measured);
        totals.calls += calls_ended;
        totals.untimed += untimed;
        totals.sampled += samples.timed();
        totals.self_ticks += times.own;
        totals.self_variance += times.variance + open.children_variance;
        totals.in_flight += u64::from(in_flight);
        let mut memory_total = open.memory_below;
        let mut risen = None;
        if let Some(memory) = &mut open.reading.memory {
            risen = open.risen.and_then(|balance| memory.rise_to(balance));
            memory_total.add(memory);
            // What was held before a mark is not known apart. A call cannot hold more than was allocated since.
            memory.peak = memory.peak.min(memory_total.allocated);
            totals.memory.get_or_insert_default().add(memory);
        }
        if open.outermost {
            totals.memory_total.add(&memory_total);
            totals.primitive += primitive_ended;
            totals.total_ticks += times.inclusive;
            totals.total_variance += times.variance;
            totals.measured_ticks += times.measured;
        }
        if let Some(parent) = path.last_mut() {
            parent.children_ticks += times.in_caller;
            parent.children_cost += times.cost_in_caller;
            parent.children_variance += times.variance;
            parent.children_calls.0 += (open.reading.entries_from_caller() + untimed) as f64;
            parent.children_calls.1 += untimed as f64;
            parent.below += times.inclusive;
            parent.memory_below.add(&memory_total);
            parent.risen = parent.risen.max(risen);
        }
    });
    (truncated, cost_of_all)
}

/// Where the callers of merged nodes are not known.
fn merged_root(node: &Node, calls: &mut Calls) -> Option<usize> {
    node.is_merged().then(|| calls.place(None, &TRUNCATED))
}

/// What is known of one site over all trees.
struct Totals {
    site: &'static Site,
    calls: u64,
    primitive: u64,
    in_flight: u64,
    /// Calls whose time is estimated, and those from which it is.
    untimed: u64,
    sampled: u64,
    self_ticks: f64,
    self_variance: f64,
    total_ticks: f64,
    total_variance: f64,
    /// The same with what measuring the callees took.
    measured_ticks: f64,
    /// Of the site itself; `None` where no allocator tells.
    memory: Option<MemoryReading>,
    /// Of the site and all it called.
    memory_total: MemoryReading,
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
            untimed: 0,
            sampled: 0,
            self_ticks: 0.0,
            self_variance: 0.0,
            total_ticks: 0.0,
            total_variance: 0.0,
            measured_ticks: 0.0,
            memory: None,
            memory_total: MemoryReading::default(),
            depth: 0,
            listed: false,
            stats: StatsReading::default(),
        }
    }

    /// Nothing since the last reset.
    fn is_empty(&self) -> bool {
        self.calls + self.in_flight + self.stats.durations.count == 0 && !self.is_future()
    }

    /// Whether its calls are futures of which something is known since the last reset.
    fn is_future(&self) -> bool {
        self.stats.started + self.stats.polls > 0 || self.stats.under_way > 0
    }

    fn location(&self) -> Location {
        Location { file: self.site.file(), line: self.site.line(), column: self.site.column() }
    }

    /// Calls, those of them that were not made by the function itself, and those that have not ended.
    fn counts(&self) -> (u64, u64, u64) {
        if !self.is_future() {
            return (self.calls, self.primitive, self.in_flight);
        }
        // A future counts as a call of its node with its first poll, and here when it has ended: like any other function.
        let (ended, recursive) = (self.stats.durations.count, self.calls - self.primitive);
        (ended, ended.saturating_sub(recursive), self.stats.under_way.max(0).cast_unsigned())
    }

    fn function(&self, rate: Rate, overhead: Overhead) -> FunctionRow {
        let stats = &self.stats;
        let (calls, primitive_calls, in_flight) = self.counts();
        FunctionRow {
            name: self.site.name(),
            location: self.location(),
            cyclomatic: self.site.cyclomatic(),
            calls,
            primitive_calls,
            in_flight,
            panics: stats.panics,
            errors: stats.errors,
            // Estimates of a recursion's inner calls may add up to more than is known of the outermost.
            self_time: rate.duration(self.self_ticks.min(self.total_ticks).round() as u64),
            total_time: rate.duration(self.total_ticks.round() as u64),
            // Who knows how long the run is says it.
            share: 0.0,
            latency: self.latency(rate, overhead),
            estimate: self.estimate(rate),
            memory: self.memory.map(|own| memory_use(&own, &self.memory_total)),
        }
    }

    fn estimate(&self, rate: Rate) -> Option<Estimate> {
        if self.self_variance == 0.0 && self.untimed == 0 {
            return None;
        }
        // The normal distribution's: so many standard deviations to either side hold 95 of 100 cases.
        let error = |variance: f64| rate.duration((1.96 * variance.sqrt()).round() as u64);
        Some(Estimate {
            timed_calls: self.calls.saturating_sub(self.untimed),
            self_error: error(self.self_variance),
            total_error: error(self.total_variance),
        })
    }

    /// Of single calls nobody knows how many callees they had, so that each is taken to have had its part of them.
    fn latency(&self, rate: Rate, overhead: Overhead) -> Latency {
        let part =
            if self.measured_ticks > self.total_ticks { self.total_ticks / self.measured_ticks } else { 1.0 };
        // Of calls of both kinds nobody knows which is which.
        let timed = (self.calls - self.untimed).max(1) as f64;
        let sampled = (self.sampled as f64 / timed).min(1.0);
        let inside = |ticks: f64| {
            let exact = overhead.frame(ticks).inside;
            exact + (overhead.sampled - exact) * sampled
        };
        latency(&self.stats.durations, |ticks| {
            let own = (ticks as f64 - inside(ticks as f64)).max(0.0) * part;
            rate.duration(own.round() as u64)
        })
    }

    fn future(&self, rate: Rate) -> Option<FutureRow> {
        let stats = &self.stats;
        self.is_future().then(|| FutureRow {
            name: self.site.name(),
            location: self.location(),
            started: stats.started,
            completed: stats.completed,
            dropped: stats.dropped,
            polls: stats.polls,
            busy: rate.duration(self.total_ticks.round() as u64),
            wall: latency(&stats.wall, |ticks| rate.duration(ticks)),
        })
    }
}

/// What a function itself allocated and freed, and the same with all it called.
fn memory_use(own: &MemoryReading, total: &MemoryReading) -> MemoryUse {
    let requests = |reading: &MemoryReading| Requests {
        allocations: reading.allocations,
        bytes: reading.allocated,
        net_bytes: reading.allocated.wrapping_sub(reading.freed).cast_signed(),
    };
    MemoryUse { own: requests(own), total: requests(total), peak_bytes: own.peak }
}

/// A distribution of durations, of which `time` tells how long they were.
fn latency(durations: &Durations, time: impl Fn(u64) -> Duration) -> Latency {
    if durations.count == 0 {
        return Latency::default();
    }
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
#[derive(Clone, Debug, Default)]
struct StatsReading {
    durations: Durations,
    wall: Durations,
    panics: u64,
    errors: u64,
    started: u64,
    completed: u64,
    dropped: u64,
    polls: u64,
    /// Futures that have begun and not ended: so many at the moment, whatever was reset. Less than zero where they began on another thread.
    under_way: i64,
}

impl StatsReading {
    fn of(stats: &SiteStats) -> Self {
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
            let ended = reading.completed + reading.dropped + reading.panics;
            reading.under_way = reading.started.wrapping_sub(ended).cast_signed();
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
        self.under_way += other.under_way;
    }

    fn subtract(&mut self, earlier: &StatsReading) {
        self.durations.subtract(&earlier.durations);
        self.wall.subtract(&earlier.wall);
        for (count, earlier) in self.counts().into_iter().zip(earlier.clone().counts()) {
            *count = count.saturating_sub(*earlier);
        }
    }
}
