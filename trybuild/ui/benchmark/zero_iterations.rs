use perfkit::benchmark;

#[benchmark(iterations = 0, timeout = 0)]
fn a() {}

fn main() {}
