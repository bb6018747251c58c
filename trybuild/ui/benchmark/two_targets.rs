use perfkit::benchmark;

#[benchmark(target_ms = 1, target_us = 1000)]
fn a() {}

fn main() {}
