use perfkit::benchmark;

#[benchmark(args = [1, 2])]
fn a() {}

#[benchmark(setup = || 1)]
fn b() {}

fn main() {}
