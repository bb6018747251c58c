//! Random programs of nested calls, allocations and frees, and a model that says by hand what a report must say of them.
//!
//! A program is a list of steps that is made beforehand: while it runs, nothing but its own steps allocates. What is compared is exact, for functions
//! that are timed at each call and for sampled ones: calls, who called whom, memory. Times are for `profiled_accuracy`.

mod one_report;

use std::collections::BTreeMap;
use std::hint::black_box;

use one_report::alone;
use perfkit::{Alloc, profiled};

#[global_allocator]
static ALLOCATOR: Alloc = Alloc::system();

#[derive(Clone, Copy, Debug)]
enum Step {
    Call(usize),
    Return,
    /// So many bytes into a place.
    Allocate(usize, usize),
    Free(usize),
    Resize(usize, usize),
    /// Ends all calls, and the step below them goes on.
    Panic,
    /// What was before counts no more; calls under way do when they end.
    Reset,
}

const PLACES: usize = 8;

struct Program<'a> {
    steps: std::slice::Iter<'a, Step>,
    places: [Vec<u8>; PLACES],
}

impl Program<'_> {
    /// Until the function returns that calls this.
    fn go_on(&mut self) {
        while let Some(step) = self.steps.next() {
            match *step {
                Step::Call(function) => FUNCTIONS[function](self),
                Step::Return => return,
                Step::Allocate(place, bytes) => self.places[place] = black_box(Vec::with_capacity(bytes)),
                Step::Free(place) => self.places[place] = Vec::new(),
                Step::Resize(place, bytes) => {
                    let held = &mut self.places[place];
                    held.reserve_exact(bytes);
                    held.shrink_to(bytes);
                }
                Step::Panic => std::panic::resume_unwind(Box::new(())),
                Step::Reset => perfkit::reset(),
            }
        }
    }
}

macro_rules! functions {
    ($($(#[$attribute:meta])* $name:ident)*) => {
        $($(#[$attribute])* fn $name(program: &mut Program<'_>) { program.go_on() })*
        const FUNCTIONS: &[fn(&mut Program<'_>)] = &[$($name),*];
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

functions! {
    #[profiled] plain_0
    #[profiled] plain_1
    #[profiled] plain_2
    #[profiled(sample = 2)] one_in_2
    #[profiled(sample = 16)] one_in_16
    #[profiled(sample = "auto")] automatic
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % limit as u64) as usize
    }
}

/// What is allowed besides calls.
#[derive(Clone, Copy)]
struct With {
    memory: bool,
    panics: bool,
    resets: bool,
}

fn steps(random: &mut Random, len: usize, with: With) -> Vec<Step> {
    let (mut steps, mut depth, mut held) = (Vec::new(), 0, [0; PLACES]);
    while steps.len() < len || depth > 0 {
        let step = match random.below(12) {
            0..=3 if depth < 6 && steps.len() < len => Step::Call(random.below(FUNCTIONS.len())),
            0..=7 if depth > 0 => Step::Return,
            8 if with.resets && random.below(20) == 0 => Step::Reset,
            8 if with.panics && depth > 0 && random.below(10) == 0 => Step::Panic,
            _ if !with.memory || depth == 0 => continue,
            9 => Step::Free(random.below(PLACES)),
            10 => Step::Resize(random.below(PLACES), 1 + random.below(500)),
            _ => Step::Allocate(random.below(PLACES), 1 + random.below(1_000)),
        };
        match step {
            Step::Call(_) => depth += 1,
            Step::Return => depth -= 1,
            Step::Panic => depth = 0,
            // A place that is taken is freed first, so that each step is one request.
            Step::Allocate(place, bytes) => {
                if held[place] > 0 {
                    steps.push(Step::Free(place));
                }
                held[place] = bytes;
            }
            Step::Free(place) if held[place] == 0 => continue,
            Step::Free(place) => held[place] = 0,
            Step::Resize(place, bytes) => held[place] = bytes,
            Step::Reset => {}
        }
        steps.push(step);
    }
    steps
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Requests {
    allocations: u64,
    bytes: u64,
    net: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Row {
    calls: u64,
    primitive: u64,
    panics: u64,
    own: Requests,
    total: Requests,
    peak: u64,
}

#[derive(Default)]
struct Model {
    rows: Vec<Row>,
    /// By caller and callee: calls, and those of them that no other call of the edge was around.
    edges: BTreeMap<(usize, usize), (u64, u64)>,
    /// Function, balance when it began, highest since.
    open: Vec<(usize, i64, i64)>,
    balance: i64,
    held: [i64; PLACES],
}

impl Model {
    fn call(&mut self, function: usize) {
        self.open.push((function, self.balance, self.balance));
    }

    fn end(&mut self, panicked: bool) {
        let (function, before, highest) = self.open.pop().unwrap();
        if let Some((caller, ..)) = self.open.last() {
            let edge = (*caller, function);
            let is_open = self.open.windows(2).any(|pair| (pair[0].0, pair[1].0) == edge);
            let counts = self.edges.entry(edge).or_default();
            counts.0 += 1;
            // Of a function's calls to itself none is known to be.
            counts.1 += u64::from(!is_open && edge.0 != edge.1);
        }
        let is_outermost = !self.open.iter().any(|open| open.0 == function);
        let row = &mut self.rows[function];
        row.calls += 1;
        row.primitive += u64::from(is_outermost);
        row.panics += u64::from(panicked);
        // A call that a function made to itself directly is part of the one around it.
        if self.open.last().is_none_or(|caller| caller.0 != function) {
            row.peak = row.peak.max((highest - before).max(0).unsigned_abs());
        }
    }

    fn request(&mut self, change: i64) {
        let requests =
            Requests { allocations: u64::from(change >= 0), bytes: change.max(0) as u64, net: change };
        let add = |sum: &mut Requests| {
            sum.allocations += requests.allocations;
            sum.bytes += requests.bytes;
            sum.net += requests.net;
        };
        self.balance += change;
        for open in &mut self.open {
            open.2 = open.2.max(self.balance);
        }
        add(&mut self.rows[self.open.last().unwrap().0].own);
        for (function, row) in self.rows.iter_mut().enumerate() {
            if self.open.iter().any(|open| open.0 == function) {
                add(&mut row.total);
            }
        }
    }

    fn resize(&mut self, place: usize, bytes: i64) {
        let change = bytes - self.held[place];
        // What keeps its size asks nobody.
        if change != 0 {
            self.request(change);
        }
        self.held[place] = bytes;
    }

    fn reset(&mut self) {
        self.rows.fill(Row::default());
        self.edges.clear();
        for (_, before, highest) in &mut self.open {
            (*before, *highest) = (self.balance, self.balance);
        }
    }

    fn run(steps: &[Step]) -> Self {
        let mut model = Model { rows: vec![Row::default(); FUNCTIONS.len()], ..Model::default() };
        for step in steps {
            match *step {
                Step::Call(function) => model.call(function),
                Step::Return => model.end(false),
                Step::Allocate(place, bytes) | Step::Resize(place, bytes) => {
                    model.resize(place, i64::try_from(bytes).unwrap());
                }
                Step::Free(place) => model.resize(place, 0),
                Step::Panic => (0..model.open.len()).for_each(|_| model.end(true)),
                Step::Reset => model.reset(),
            }
        }
        model
    }
}

fn run(steps: &[Step]) {
    let mut program = Program { steps: steps.iter(), places: Default::default() };
    while std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| program.go_on())).is_err() {}
}

fn compare(seed: u64, steps: &[Step], memory: bool) {
    let model = Model::run(steps);
    let report = perfkit::report();
    let number = |name: &str| NAMES.iter().position(|known| name.ends_with(&format!("::{known}"))).unwrap();
    let mut rows = vec![Row::default(); FUNCTIONS.len()];
    for row in &report.functions {
        let use_of = row.memory.unwrap();
        let requests = |requests: perfkit::Requests| Requests {
            allocations: requests.allocations,
            bytes: requests.bytes,
            net: requests.net_bytes,
        };
        assert_eq!(row.in_flight, 0);
        let found = &mut rows[number(&row.name)];
        *found = Row {
            calls: row.calls,
            primitive: row.primitive_calls,
            panics: row.panics,
            own: requests(use_of.own),
            total: requests(use_of.total),
            peak: use_of.peak_bytes,
        };
        if !memory {
            (found.own, found.total, found.peak) = Default::default();
        }
    }
    for (function, (found, truth)) in rows.iter().zip(&model.rows).enumerate() {
        assert_eq!(found, truth, "{} in program {seed}: {steps:?}", NAMES[function]);
    }
    let edges: BTreeMap<(usize, usize), (u64, u64)> = report
        .calls
        .edges()
        .iter()
        .map(|edge| {
            ((number(&edge.caller.name), number(&edge.callee.name)), (edge.calls, edge.primitive_calls))
        })
        .collect();
    assert_eq!(edges, model.edges, "program {seed}");
    for row in &report.functions {
        assert!(row.self_time <= row.total_time, "{row:?}");
    }
}

#[test]
fn calls_and_memory_of_random_programs_are_exact() {
    let _alone = alone();
    for seed in 1..=300_u16 {
        let (seed, len) = (u64::from(seed), if seed % 100 == 0 { 20_000 } else { 20 + usize::from(seed) });
        let steps = steps(
            &mut Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            len,
            With { memory: true, panics: false, resets: seed % 3 == 0 },
        );
        perfkit::reset();
        run(&steps);
        compare(seed, &steps, true);
    }
}

#[test]
fn calls_of_random_programs_that_panic_are_exact() {
    let _alone = alone();
    for seed in 1..=100_u64 {
        let steps = steps(
            &mut Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            1_000,
            With { memory: false, panics: true, resets: seed % 3 == 0 },
        );
        perfkit::reset();
        run(&steps);
        compare(seed, &steps, false);
    }
}
