use perfkit::benchmark;

#[benchmark(target_memory_mb = 0)]
fn a() {}

#[benchmark(target_memory_mb = "1MB")]
fn b() {}

#[benchmark(target_allocs = -1)]
fn c() {}

#[benchmark(target_allocs = 1.5)]
fn d() {}

fn main() {}
