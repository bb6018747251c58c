//! One kind of call, made so and so many times: what `scripts/instructions.sh` counts the instructions of.
//!
//! `instructions CASE CALLS` makes them and prints nothing; without arguments the cases are listed. Each case first makes the calls that
//! bring everything into being, so that twice as many calls cost only the calls. Nothing here reads a clock: under valgrind time means nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use perfkit::{cached, pooled, profile_block, profiled};

fn bare(x: u64) -> u64 {
    black_box(x) + 1
}

#[profiled]
fn depth_1(x: u64) -> u64 {
    black_box(x) + 1
}

macro_rules! chain {
    ($($name:ident calls $next:ident;)*) => {$(
        #[profiled]
        #[inline(never)]
        fn $name(x: u64) -> u64 { $next(x) + 1 }
    )*};
}

chain! {
    depth_5 calls depth_4;
    depth_4 calls depth_3;
    depth_3 calls depth_2;
    depth_2 calls depth_1;
}

macro_rules! callees {
    ($all:ident: $($name:ident)*) => {
        $(#[profiled] #[inline(never)] fn $name(x: u64) -> u64 { black_box(x) + 1 })*
        #[profiled]
        fn $all(x: u64) -> u64 { 0 $(+ $name(x))* }
    };
}

callees!(two_callees: left right);
callees!(nine_callees: a b c d e f g h i);

#[profiled]
fn recursion(x: u64) -> u64 {
    if x == 0 { 0 } else { recursion(x - 1) + 1 }
}

#[profiled]
fn fallible(x: u64) -> Result<u64, u64> {
    if black_box(x) == u64::MAX { Err(x) } else { Ok(x) }
}

#[profiled(sample = 16)]
fn one_in_16(x: u64) -> u64 {
    black_box(x) + 1
}

#[profiled(sample = "auto")]
fn automatic(x: u64) -> u64 {
    black_box(x) + 1
}

#[profiled]
async fn future(x: u64) -> u64 {
    black_box(x) + 1
}

/// Calls it until there is no need to.
fn ready(future: impl Future<Output = u64>) -> u64 {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(x) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return x;
        }
    }
}

#[cached(max_size = 1_000)]
fn number(x: u64) -> u64 {
    x + 1
}

#[cached(max_size = 1_000)]
fn text(x: &str) -> u64 {
    x.len() as u64
}

#[cached(max_size = 1_000, ttl = 600)]
fn expiring(x: u64) -> u64 {
    x + 1
}

#[cached(max_size = 1_000, policy = "lru")]
fn recent(x: u64) -> u64 {
    x + 1
}

#[cached(max_size = 1_000, tti = 600)]
fn idle(x: u64) -> u64 {
    x + 1
}

#[pooled]
fn buffer() -> Vec<u8> {
    Vec::with_capacity(64)
}

static TELLS: perfkit::Alloc = perfkit::Alloc::system();

/// Allocates and frees, so many times in one call.
#[profiled]
fn allocates(allocator: &impl GlobalAlloc, times: u64) -> u64 {
    for _ in 0..times {
        two_requests(allocator);
    }
    times
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "it stands for two calls in the function")]
fn two_requests(allocator: &impl GlobalAlloc) {
    let layout = Layout::new::<[u64; 8]>();
    // SAFETY: the layout has a size.
    let pointer = black_box(unsafe { allocator.alloc(layout) });
    // SAFETY: it was allocated with that layout.
    unsafe { allocator.dealloc(pointer, layout) };
}

/// Allocates and then frees, so many times a hundred calls deep: each allocation is the most that all of them held.
#[profiled]
fn grows_below(depth: u32, times: usize) -> u64 {
    if depth > 0 {
        return grows_deeper(depth - 1, times);
    }
    let layout = Layout::new::<[u64; 8]>();
    // SAFETY: the layout has a size.
    let pointers: Vec<*mut u8> = (0..times).map(|_| black_box(unsafe { TELLS.alloc(layout) })).collect();
    for pointer in &pointers {
        // SAFETY: it was allocated with that layout.
        unsafe { TELLS.dealloc(*pointer, layout) };
    }
    times as u64
}

#[profiled]
fn grows_deeper(depth: u32, times: usize) -> u64 {
    grows_below(depth, times)
}

/// Name, calls of an attribute's code that one run of it makes, and the run.
type Case = (&'static str, u64, fn(u64) -> u64);

const PAUSED: &str = "profiled, paused";

const SYSTEM: &str = "allocator, the system's";

const CASES: &[Case] = &[
    ("bare", 1, bare),
    ("profiled, depth 1", 1, depth_1),
    ("profiled, depth 5", 5, depth_5),
    ("profiled, two callees in turn", 3, two_callees),
    ("profiled, nine callees in turn", 10, nine_callees),
    ("profiled, recursion", 101, |_| recursion(100)),
    ("profiled, Result", 1, |x| fallible(x).unwrap_or(0)),
    ("profiled, block", 1, |x| profile_block!("block", { black_box(x) + 1 })),
    ("profiled, one call in 16 timed", 1, one_in_16),
    ("profiled, sampled automatically", 1, automatic),
    ("profiled, future", 1, |x| ready(future(x))),
    (PAUSED, 1, depth_1),
    (SYSTEM, 200, |_| allocates(&System, 100)),
    ("allocator, perfkit's", 200, |_| allocates(&TELLS, 100)),
    ("allocator, perfkit's, growing below 100 calls", 2_000, |_| grows_below(50, 1_000)),
    ("cached, hit by number", 1, |x| number(x % 900)),
    ("cached, hit by text", 1, |_| text(black_box("a key of twenty chars"))),
    ("cached, hit with ttl", 1, |x| expiring(x % 900)),
    ("cached, hit with lru", 1, |x| recent(x % 900)),
    ("cached, hit with tti", 1, |x| idle(x % 900)),
    ("cached, miss and eviction", 1, number),
    ("pooled, borrow and return", 1, |_| buffer().capacity() as u64),
];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(name) = arguments.next() else {
        for (name, calls, _) in CASES {
            println!("{name}\t{calls}");
        }
        return;
    };
    let Some((_, calls, run)) = CASES.iter().find(|case| case.0 == name) else {
        eprintln!("instructions: no case {name:?}; without arguments they are listed");
        std::process::exit(2);
    };
    let Some(Ok(runs)) = arguments.next().map(|argument| argument.parse::<u64>()) else {
        eprintln!("instructions: say after the case how many calls");
        std::process::exit(2);
    };
    if name == PAUSED {
        perfkit::pause();
    } else if name != SYSTEM && name.starts_with("allocator") {
        // So that paths know from their beginning that an allocator tells.
        two_requests(&TELLS);
    }
    // Everything that is made once: trees, shards, a full cache, histograms.
    for x in 0..5_000 {
        black_box(run(x));
    }
    for x in 5_000..5_000 + runs / calls {
        black_box(run(x));
    }
}
