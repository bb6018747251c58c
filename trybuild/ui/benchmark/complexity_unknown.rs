use perfkit::benchmark;

#[benchmark(args = [10, 100, 1000, 10_000], complexity = "O(n lg n)")]
fn a(n: u32) -> u32 {
    n
}

#[benchmark(args = [10, 100, 1000, 10_000], memory_complexity = "O(n*n)")]
fn b(n: u32) -> u32 {
    n
}

#[benchmark(args = [10, 100, 1000, 10_000], memory_complexity = 1)]
fn c(n: u32) -> u32 {
    n
}

fn main() {}
