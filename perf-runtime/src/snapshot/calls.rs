//! Who called whom: the tree of call paths, and the edges that it folds into.
//!
//! The tree is what was measured; an edge from one function to another is the sum over all places in the tree where the one is right
//! below the other, as `callers` and `callees` of Python's `pstats` show it.

use core::time::Duration;

use super::{Location, Name, Report};
use crate::numbers::Numbers;
use crate::order;

/// The distinct paths of profiled calls, those of all threads in one tree: a caller's node before those of its callees, the callee that
/// took longest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallTree {
    functions: Vec<Function>,
    nodes: Vec<CallNode>,
}

/// A profiled function or block, as in [`FunctionRow`](super::FunctionRow).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Function {
    /// What it is called.
    pub name: Name,
    /// Where it is defined.
    pub location: Location,
}

impl Function {
    /// The function of that name, defined there.
    #[must_use]
    pub const fn new(name: Name, location: Location) -> Self {
        Function { name, location }
    }
}

/// All calls of one function by one path.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CallNode {
    /// Its place in [`CallTree::functions`].
    pub function: usize,
    /// The place in [`CallTree::nodes`] of the node that it was called from, which is less than its own; `None` where a thread began.
    pub caller: Option<usize>,
    /// Calls that began on this path. A function that calls itself directly stays in its node.
    pub calls: u64,
    /// Those of them that were not made by the function itself.
    pub primitive_calls: u64,
    /// Time in the function itself.
    pub self_time: Duration,
    /// The same and all it called.
    pub total_time: Duration,
    /// Requests of the function itself for memory, where the program's allocator is an [`Alloc`](crate::memory::Alloc).
    pub allocations: u64,
    /// Bytes of these requests.
    pub bytes: u64,
}

impl CallNode {
    /// A node without calls.
    #[must_use]
    pub fn new(function: usize, caller: Option<usize>) -> Self {
        CallNode { function, caller, ..CallNode::default() }
    }
}

impl CallTree {
    /// A tree of these nodes, each after the node that it was called from, and right after it or after another of its callees and all below.
    ///
    /// # Panics
    ///
    /// Where a node names a function or a caller that is not there.
    #[must_use]
    pub fn new(functions: Vec<Function>, nodes: Vec<CallNode>) -> Self {
        for (place, node) in nodes.iter().enumerate() {
            assert!(
                node.function < functions.len() && node.caller.is_none_or(|caller| caller < place),
                "node {place} of {} functions: {node:?}",
                functions.len()
            );
        }
        CallTree { functions, nodes }
    }

    /// The functions that occur in the tree.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The nodes, a caller before its callees.
    #[must_use]
    pub fn nodes(&self) -> &[CallNode] {
        &self.nodes
    }

    /// From whom to whom, by total time, the longest first.
    #[must_use]
    pub fn edges(&self) -> Vec<CallEdge> {
        let mut sums = Sums::default();
        // The path to the node before: the place of each node on it, and the edge that leads to it.
        let mut path: Vec<(usize, Option<(usize, usize)>)> = Vec::new();
        for (place, node) in self.nodes.iter().enumerate() {
            while let Some((last, edge)) = path.last().copied()
                && Some(last) != node.caller
            {
                path.pop();
                if let Some(edge) = edge {
                    sums.of(edge).open -= 1;
                }
            }
            let edge = node.caller.map(|caller| (self.nodes[caller].function, node.function));
            if let Some(edge) = edge {
                sums.of(edge).add(node);
            }
            if node.calls > node.primitive_calls {
                sums.of((node.function, node.function)).add_recursion(node);
            }
            path.push((place, edge));
        }
        let mut edges: Vec<CallEdge> = sums
            .sums
            .into_iter()
            .map(|((caller, callee), sum)| CallEdge {
                caller: self.functions[caller].clone(),
                callee: self.functions[callee].clone(),
                calls: sum.calls,
                primitive_calls: sum.primitive_calls,
                self_time: sum.self_time,
                total_time: sum.total_time,
            })
            .collect();
        order::sort(&mut edges, |a, b| {
            let by_time = b.total_time.cmp(&a.total_time).then_with(|| b.calls.cmp(&a.calls));
            by_time.then_with(|| (&a.caller, &a.callee).cmp(&(&b.caller, &b.callee)))
        });
        edges
    }
}

/// All edges, each once.
#[derive(Default)]
struct Sums {
    numbers: Numbers,
    sums: Vec<((usize, usize), Sum)>,
}

impl Sums {
    fn of(&mut self, edge: (usize, usize)) -> &mut Sum {
        let number = self.numbers.of(edge);
        if number == self.sums.len() {
            self.sums.push((edge, Sum::default()));
        }
        &mut self.sums[number].1
    }
}

/// What is known of one edge.
#[derive(Default)]
struct Sum {
    calls: u64,
    primitive_calls: u64,
    self_time: Duration,
    total_time: Duration,
    /// Nodes on the path being walked that are at this edge.
    open: usize,
}

impl Sum {
    fn add(&mut self, node: &CallNode) {
        self.calls += node.primitive_calls;
        self.self_time += part(node.self_time, node.primitive_calls, node.calls);
        if self.open == 0 {
            self.primitive_calls += node.primitive_calls;
            self.total_time += node.total_time;
        }
        self.open += 1;
    }

    /// The calls that a function made to itself directly, whose times are in one node with the others.
    fn add_recursion(&mut self, node: &CallNode) {
        let recursive = node.calls - node.primitive_calls;
        let time = part(node.self_time, recursive, node.calls);
        self.calls += recursive;
        self.self_time += time;
        self.total_time += time;
    }
}

/// So many of so many calls' part of the time.
fn part(time: Duration, calls: u64, of: u64) -> Duration {
    if calls == of { time } else { time.mul_f64(calls as f64 / of as f64) }
}

/// Calls from one function to another, over all paths.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CallEdge {
    /// Who calls.
    pub caller: Function,
    /// Who is called.
    pub callee: Function,
    /// Calls from the one to the other.
    pub calls: u64,
    /// Those of them that were made outside of another call of this edge. Of a function's calls to itself, none is known to be.
    pub primitive_calls: u64,
    /// Time that the callee took itself in these calls. Where a function calls itself, its self time is divided by the numbers of calls.
    pub self_time: Duration,
    /// The same and all it called, of the outermost calls; of a function's calls to itself, their self time.
    pub total_time: Duration,
}

impl Report {
    /// Who calls the functions whose name contains `part`: what `print_callers` of Python's `pstats` shows. The longest first.
    ///
    /// ```
    /// # use perf_runtime::session as perfkit;
    /// let report = perfkit::report();
    /// for edge in report.callers("parse") {
    ///     println!("{} calls {} {} times", edge.caller.name, edge.callee.name, edge.calls);
    /// }
    /// ```
    #[must_use]
    pub fn callers(&self, part: &str) -> Vec<CallEdge> {
        let mut edges = self.calls.edges();
        edges.retain(|edge| edge.callee.name.contains(part));
        edges
    }

    /// Whom the functions whose name contains `part` call: what `print_callees` of Python's `pstats` shows. The longest first.
    #[must_use]
    pub fn callees(&self, part: &str) -> Vec<CallEdge> {
        let mut edges = self.calls.edges();
        edges.retain(|edge| edge.caller.name.contains(part));
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(function: usize, caller: Option<usize>, calls: u64, own: u64, total: u64) -> CallNode {
        CallNode {
            function,
            caller,
            calls,
            primitive_calls: calls,
            self_time: Duration::from_micros(own),
            total_time: Duration::from_micros(total),
            ..CallNode::default()
        }
    }

    fn function(name: &'static str) -> Function {
        Function::new(Name::path(name), Location::default())
    }

    fn edge(report: &Report, from: &str, to: &str) -> (u64, u64, u128, u128) {
        let mut edges = report.callers(to);
        edges.retain(|edge| edge.caller.name == *from);
        assert_eq!(edges.len(), 1, "{from} to {to}");
        let edge = &edges[0];
        (edge.calls, edge.primitive_calls, edge.self_time.as_micros(), edge.total_time.as_micros())
    }

    #[test]
    fn edges_sum_over_paths_and_count_a_recursion_once() {
        // main → a → b → a → b, and main → b.
        let calls = CallTree::new(
            vec![function("main"), function("a"), function("b")],
            vec![
                node(0, None, 1, 1, 111),
                node(1, Some(0), 1, 10, 100),
                node(2, Some(1), 2, 20, 90),
                node(1, Some(2), 3, 30, 70),
                node(2, Some(3), 4, 40, 40),
                node(2, Some(0), 5, 10, 10),
            ],
        );
        let report = Report { calls, ..Report::default() };
        assert_eq!(edge(&report, "main", "a"), (1, 1, 10, 100));
        assert_eq!(edge(&report, "a", "b"), (6, 2, 60, 90));
        assert_eq!(edge(&report, "b", "a"), (3, 3, 30, 70));
        assert_eq!(edge(&report, "main", "b"), (5, 5, 10, 10));
        let callees: Vec<String> =
            report.callees("main").iter().map(|edge| edge.callee.name.to_string()).collect();
        assert_eq!(callees, ["a", "b"]);
        assert!(report.callers("main").is_empty());
    }

    #[test]
    fn a_direct_recursion_is_an_edge_to_itself() {
        let mut recursive = node(1, Some(0), 10, 100, 100);
        recursive.primitive_calls = 1;
        let calls =
            CallTree::new(vec![function("main"), function("rec")], vec![node(0, None, 1, 1, 101), recursive]);
        let report = Report { calls, ..Report::default() };
        assert_eq!(edge(&report, "main", "rec"), (1, 1, 10, 100));
        assert_eq!(edge(&report, "rec", "rec"), (9, 0, 90, 90));
    }
}
