use perfkit::benchmark;

#[benchmark(ignore = true)]
fn a() {}

#[benchmark(ignore = "")]
fn b() {}

fn main() {}
