use perfkit::benchmark;

#[benchmark(threads = 2)]
fn together() {}

#[benchmark(args = 10)]
fn one(n: u64) -> u64 {
    n
}

#[benchmark(consts = 10)]
fn generic<const N: usize>() -> usize {
    N
}

fn main() {}
