//! From the threads' trees to one tree of call paths.
//!
//! Threads' nodes that stand for the same path become one node. Nothing is left of paths that were not taken since the last reset.

use crate::clock::Rate;
use crate::numbers::{Numbers, address};
use crate::order;
use crate::site::Site;
use crate::snapshot::{CallNode, CallTree, Function, Location};

/// The tree as it grows.
#[derive(Default)]
pub(super) struct Calls {
    nodes: Vec<Path>,
    /// By caller, or 0, and site.
    places: Numbers,
}

/// One path over all threads.
struct Path {
    site: &'static Site,
    caller: Option<usize>,
    measured: Measured,
}

/// What was measured on one path.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    pub(super) calls: u64,
    pub(super) primitive: u64,
    pub(super) open: u64,
    pub(super) self_ticks: f64,
    pub(super) total_ticks: f64,
    pub(super) allocations: u64,
    pub(super) bytes: u64,
}

impl Calls {
    /// Makes room for so many paths more.
    pub(super) fn reserve(&mut self, paths: usize) {
        self.places.reserve(paths);
        self.nodes.reserve(paths);
    }

    /// The place of the path that goes on from `caller` to `site`.
    pub(super) fn place(&mut self, caller: Option<usize>, site: &'static Site) -> usize {
        let place = self.places.of((caller.map_or(0, |caller| caller + 1), address(site)));
        if place == self.nodes.len() {
            self.nodes.push(Path { site, caller, measured: Measured::default() });
        }
        place
    }

    /// Adds what one thread measured on the path at that place.
    pub(super) fn add(&mut self, place: usize, measured: Measured) {
        let Some(Path { measured: sum, .. }) = self.nodes.get_mut(place) else { return };
        sum.calls += measured.calls;
        sum.primitive += measured.primitive;
        sum.open += measured.open;
        sum.self_ticks += measured.self_ticks;
        sum.total_ticks += measured.total_ticks;
        sum.allocations += measured.allocations;
        sum.bytes += measured.bytes;
    }

    /// The tree, callers before callees, the longest callee first.
    pub(super) fn into_tree(self, rate: Rate) -> CallTree {
        let mut used: Vec<bool> =
            self.nodes.iter().map(|path| path.measured.calls + path.measured.open > 0).collect();
        // A caller stands before its callees.
        for (place, path) in self.nodes.iter().enumerate().rev() {
            if let (true, Some(caller)) = (used[place], path.caller) {
                used[caller] = true;
            }
        }
        let callees = Callees::of(&self.nodes, &used);
        // What is pushed last comes first.
        let mut pending = callees.shortest_first(None).to_vec();
        let mut functions: Vec<Function> = Vec::new();
        let mut numbers = Numbers::default();
        let mut places: Vec<Option<usize>> = vec![None; self.nodes.len()];
        let mut nodes = Vec::with_capacity(self.nodes.len());
        while let Some(place) = pending.pop() {
            let Path { site, caller, measured } = &self.nodes[place];
            let function = numbers.of((address(*site), 0));
            if function == functions.len() {
                let location = Location { file: site.file(), line: site.line(), column: site.column() };
                functions.push(Function::new(site.name(), location));
            }
            places[place] = Some(nodes.len());
            let mut node = CallNode::new(function, caller.and_then(|caller| places[caller]));
            node.calls = measured.calls;
            node.primitive_calls = measured.primitive;
            node.self_time = rate.duration(measured.self_ticks.round() as u64);
            node.total_time = rate.duration(measured.total_ticks.round() as u64);
            node.allocations = measured.allocations;
            node.bytes = measured.bytes;
            nodes.push(node);
            pending.extend_from_slice(callees.shortest_first(Some(place)));
        }
        CallTree::new(functions, nodes)
    }
}

/// Who is called from where: the places of the callees of each node, one node's after the other's.
struct Callees {
    places: Vec<usize>,
    /// Where those of a node begin and the ones before end; the first are of no node.
    ends: Vec<usize>,
}

impl Callees {
    fn of(nodes: &[Path], used: &[bool]) -> Self {
        let number = |path: &Path| path.caller.map_or(0, |caller| caller + 1);
        let mut places: Vec<usize> = (0..nodes.len()).filter(|place| used[*place]).collect();
        order::sort(&mut places, |a, b| {
            let (a, b) = (&nodes[*a], &nodes[*b]);
            let by_caller = number(a).cmp(&number(b));
            by_caller.then_with(|| a.measured.total_ticks.total_cmp(&b.measured.total_ticks))
        });
        let mut ends = vec![0; nodes.len() + 1];
        for place in &places {
            ends[number(&nodes[*place])] += 1;
        }
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        Callees { places, ends }
    }

    /// The callees of a node, or of none.
    fn shortest_first(&self, caller: Option<usize>) -> &[usize] {
        let number = caller.map_or(0, |caller| caller + 1);
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.places[start..self.ends[number]]
    }
}
