use perfkit::benchmark;

#[benchmark(complexity = "O(n)")]
fn a() {}

#[benchmark(memory_complexity = "O(1)")]
fn c() {}

#[benchmark(setup = || 1, size = |n| *n)]
fn b(_: u32) {}

fn main() {}
