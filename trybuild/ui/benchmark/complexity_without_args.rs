use perfkit::benchmark;

#[benchmark(complexity = "O(n)")]
fn a() {}

#[benchmark(setup = || 1, size = |n| *n)]
fn b(_: u32) {}

fn main() {}
