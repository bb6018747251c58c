use perfkit::benchmark;

#[benchmark(warmup = 1, warmup = 2)]
fn a() {}

fn main() {}
