//! What one profiled call costs, beside the same call under hotpath, puffin, fastrace and tracing.
//!
//! An empty function at depth 1, and a chain of five (per call of each of the five), on one thread and on two at once. Times are of the
//! thread's processor, so that other work on the machine does not count. Each slice follows a slice of the bare work, two
//! readings of the time-stamp counter around the same function, and is given as a ratio to it: the median over all rounds, and
//! the range that holds nine tenths of them. Rounds go through the cases in random order.
//!
//! Some peers hand what they measured to a thread of their own, which takes time that the caller's thread does not show. So a second
//! table has the processor time of the whole process, until that thread has nothing more to do.
//!
//! `cargo bench -p perfkit-peers`; with `-- --quick` just long enough to see that it works.

use std::hint::black_box;
use std::sync::Barrier;

/// Calls per slice: enough to fill the buffers of the peers that hand their events to a thread of their own, so that they are
/// measured as a busy program meets them and not in their first milliseconds.
const CALLS: u64 = 1_000_000;
/// Calls between two roots or frames, for the peers that need one around their spans.
const PER_ROOT: u64 = 1_000;

/// A leaf and a chain of five, each function with the attributes and the statements in the brackets.
macro_rules! chain {
    ($module:ident, [$($attribute:tt)*], [$($statement:tt)*]) => {
        mod $module {
            use std::hint::black_box;
            $($attribute)*
            #[inline(never)]
            pub(super) fn leaf(x: u64) -> u64 { $($statement)* black_box(x) + 1 }
            $($attribute)*
            #[inline(never)]
            pub(super) fn first(x: u64) -> u64 { $($statement)* second(x) + 1 }
            $($attribute)*
            #[inline(never)]
            fn second(x: u64) -> u64 { $($statement)* third(x) + 1 }
            $($attribute)*
            #[inline(never)]
            fn third(x: u64) -> u64 { $($statement)* fourth(x) + 1 }
            $($attribute)*
            #[inline(never)]
            fn fourth(x: u64) -> u64 { $($statement)* leaf(x) + 1 }
        }
    };
}

/// The least that any profiler that reads the clock must do.
struct Pair(u64);

impl Pair {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it stands for two instructions in the function")]
    fn new() -> Self {
        Pair(timestamp())
    }
}

impl Drop for Pair {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it stands for two instructions in the function")]
    fn drop(&mut self) {
        black_box(timestamp().wrapping_sub(self.0));
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[allow(clippy::inline_always, reason = "it stands for one instruction")]
fn timestamp() -> u64 {
    // SAFETY: `rdtsc` touches no memory, and exists on every x86-64 processor.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn timestamp() -> u64 {
    use std::time::Instant;
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}

chain!(bare, [], []);
chain!(pair, [], [let _pair = super::Pair::new();]);
chain!(with_perfkit, [#[perfkit::profiled]], []);
chain!(sampled_by_perfkit, [#[perfkit::profiled(sample = "auto")]], []);
chain!(with_hotpath, [#[hotpath::measure]], []);
chain!(with_puffin, [], [puffin::profile_function!();]);
chain!(with_fastrace, [#[fastrace::trace]], []);
chain!(with_tracing, [#[tracing::instrument(skip_all)]], []);

type Function = fn(u64) -> u64;

struct Case {
    name: &'static str,
    leaf: Function,
    chain: Function,
    /// What surrounds every [`PER_ROOT`] calls.
    around: fn(&mut dyn FnMut()),
}

fn nothing(work: &mut dyn FnMut()) {
    work();
}

fn puffin_frame(work: &mut dyn FnMut()) {
    work();
    puffin::GlobalProfiler::lock().new_frame();
}

fn fastrace_root(work: &mut dyn FnMut()) {
    let root = fastrace::Span::root("root", fastrace::collector::SpanContext::random());
    let _local = root.set_local_parent();
    work();
}

/// Measuring is paused and resumed around every [`PER_ROOT`] calls.
fn paused(work: &mut dyn FnMut()) {
    perfkit::pause();
    work();
    perfkit::resume();
}

const CASES: [Case; 9] = [
    Case { name: "nothing", leaf: bare::leaf, chain: bare::first, around: nothing },
    Case { name: "bare pair of timestamps", leaf: pair::leaf, chain: pair::first, around: nothing },
    Case { name: "perfkit", leaf: with_perfkit::leaf, chain: with_perfkit::first, around: nothing },
    Case {
        name: "perfkit, sampled",
        leaf: sampled_by_perfkit::leaf,
        chain: sampled_by_perfkit::first,
        around: nothing,
    },
    Case { name: "perfkit, paused", leaf: with_perfkit::leaf, chain: with_perfkit::first, around: paused },
    Case { name: "hotpath", leaf: with_hotpath::leaf, chain: with_hotpath::first, around: nothing },
    Case { name: "puffin", leaf: with_puffin::leaf, chain: with_puffin::first, around: puffin_frame },
    Case { name: "fastrace", leaf: with_fastrace::leaf, chain: with_fastrace::first, around: fastrace_root },
    Case {
        name: "tracing + Registry",
        leaf: with_tracing::leaf,
        chain: with_tracing::first,
        around: nothing,
    },
];

/// The reference.
const PAIR: Case = Case { name: "", leaf: pair::leaf, chain: pair::first, around: nothing };

/// Only to see that it works.
fn quick() -> bool {
    static QUICK: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
        std::env::args().any(|argument| argument == "--quick" || argument == "--test")
    });
    *QUICK
}

/// Nanoseconds of processor time, of this thread or of the process.
fn processor_time(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists on every Unix, and `time` is a valid place for the answer.
    let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
    assert_eq!(result, 0, "the processor time cannot be read");
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds per call.
fn slice(case: &Case, depth: u64) -> f64 {
    let function = black_box(if depth == 1 { case.leaf } else { case.chain });
    let rounds = CALLS / depth / PER_ROOT / if quick() { 100 } else { 1 };
    let start = processor_time(libc::CLOCK_THREAD_CPUTIME_ID);
    for _ in 0..rounds {
        (case.around)(&mut || {
            for i in 0..PER_ROOT {
                black_box(function(black_box(i)));
            }
        });
    }
    (processor_time(libc::CLOCK_THREAD_CPUTIME_ID) - start) as f64 / (rounds * PER_ROOT * depth) as f64
}

/// A slice of the pair and a slice of the case, on each of `threads` threads at once; the first thread's figures.
fn paired(case: &Case, depth: u64, threads: usize) -> (f64, f64) {
    let barrier = Barrier::new(threads);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let reference = slice(&PAIR, depth);
                    barrier.wait();
                    (slice(case, depth), reference)
                })
            })
            .collect();
        let mut figures = workers.into_iter().map(|worker| worker.join().expect("a slice panicked"));
        let first = figures.next().expect("at least one thread");
        figures.for_each(drop);
        first
    })
}

/// Nanoseconds per call of the whole process, with what the profiler's own threads do with the calls.
fn whole_process(case: &Case) -> f64 {
    let start = processor_time(libc::CLOCK_PROCESS_CPUTIME_ID);
    slice(case, 1);
    let mut last = processor_time(libc::CLOCK_PROCESS_CPUTIME_ID);
    // Until next to nothing happens any more.
    loop {
        std::thread::sleep(std::time::Duration::from_millis(if quick() { 20 } else { 150 }));
        let now = processor_time(libc::CLOCK_PROCESS_CPUTIME_ID);
        if now - last < 1_000_000 {
            break;
        }
        last = now;
    }
    (last - start) as f64 / (CALLS / if quick() { 100 } else { 1 }) as f64
}

/// Xorshift; only for the order of the cases.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

fn at(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

static TELLS: perfkit::Alloc = perfkit::Alloc::system();

/// Nanoseconds of processor time for one request, to allocate or to free.
fn requests(allocator: &impl std::alloc::GlobalAlloc) -> f64 {
    let pairs = CALLS / if quick() { 100 } else { 1 };
    let start = processor_time(libc::CLOCK_THREAD_CPUTIME_ID);
    allocates(allocator, pairs);
    (processor_time(libc::CLOCK_THREAD_CPUTIME_ID) - start) as f64 / (2 * pairs) as f64
}

#[perfkit::profiled]
fn allocates(allocator: &impl std::alloc::GlobalAlloc, pairs: u64) {
    for _ in 0..pairs {
        a_pair_of_requests(allocator);
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "it stands for two calls in the function")]
fn a_pair_of_requests(allocator: &impl std::alloc::GlobalAlloc) {
    let layout = std::alloc::Layout::new::<[u64; 8]>();
    // SAFETY: the layout has a size.
    let pointer = black_box(unsafe { allocator.alloc(layout) });
    // SAFETY: it was allocated with that layout.
    unsafe { allocator.dealloc(pointer, layout) };
}

struct DropSpans;

impl fastrace::collector::Reporter for DropSpans {
    fn report(&mut self, spans: Vec<fastrace::collector::SpanRecord>) {
        drop(spans);
    }
}

fn main() {
    let rounds = if quick() { 1 } else { 12 };

    // Before any path is known, so that they all know that an allocator tells.
    a_pair_of_requests(&TELLS);
    let hotpath = hotpath::HotpathGuardBuilder::new("peers").build();
    puffin::set_scopes_on(true);
    fastrace::set_reporter(DropSpans, fastrace::collector::Config::default());
    tracing::subscriber::set_global_default(tracing_subscriber::registry())
        .expect("no other subscriber is set");

    let settings = [(1, 1), (5, 1), (1, 2), (5, 2)];
    let mut figures = vec![vec![(Vec::new(), Vec::new()); settings.len()]; CASES.len()];
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..rounds {
        let mut order: Vec<usize> = (0..CASES.len()).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i + 1));
        }
        for case in order {
            for (setting, (depth, threads)) in settings.iter().enumerate() {
                let (measured, reference) = paired(&CASES[case], *depth, *threads);
                let (nanos, ratios) = &mut figures[case][setting];
                nanos.push(measured);
                ratios.push(measured / reference);
            }
        }
    }

    println!(
        "ns per call, and the ratio to a bare pair of timestamps in the same slice: median (5 % to 95 %), {rounds} rounds\n"
    );
    print!("{:24}", "");
    for (depth, threads) in settings {
        print!("{:>36}", format!("depth {depth}, {threads} thread{}", if threads == 1 { "" } else { "s" }));
    }
    println!();
    for (case, settings) in CASES.iter().zip(&mut figures) {
        print!("{:24}", case.name);
        for (nanos, ratios) in settings {
            nanos.sort_by(f64::total_cmp);
            ratios.sort_by(f64::total_cmp);
            let cell = format!(
                "{:.1} ns  {:.2} ({:.2} to {:.2})",
                at(nanos, 0.5),
                at(ratios, 0.5),
                at(ratios, 0.05),
                at(ratios, 0.95)
            );
            print!("{cell:>36}");
        }
        println!();
    }

    println!(
        "\nns per call of the whole process, depth 1, 1 thread: median (range), {processes} rounds\n",
        processes = rounds.min(5)
    );
    for case in &CASES {
        let mut figures: Vec<f64> = (0..rounds.min(5)).map(|_| whole_process(case)).collect();
        figures.sort_by(f64::total_cmp);
        println!(
            "{:24}{:>10.1} ns  ({:.1} to {:.1})",
            case.name,
            at(&figures, 0.5),
            at(&figures, 0.0),
            at(&figures, 1.0)
        );
    }
    let (mut plain, mut told): (Vec<f64>, Vec<f64>) =
        (0..rounds).map(|_| (requests(&std::alloc::System), requests(&TELLS))).unzip();
    plain.sort_by(f64::total_cmp);
    told.sort_by(f64::total_cmp);
    println!(
        "\nns per request to an allocator in a profiled function: {:.1} the system's, {:.1} perfkit's around it\n",
        at(&plain, 0.5),
        at(&told, 0.5)
    );
    // Its report is not wanted, and comes when it is dropped.
    std::mem::forget(hotpath);
    std::process::exit(0);
}
