use perfkit::benchmark;

#[benchmark(target = 1)]
fn a() {}

#[benchmark(iteration = 10)]
fn b() {}

#[benchmark(ttl = 10)]
fn c() {}

fn main() {}
