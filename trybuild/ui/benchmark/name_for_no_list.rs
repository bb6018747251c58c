use perfkit::benchmark;

#[benchmark(name = "--list")]
fn a() {}

#[benchmark(name = "two\nlines")]
fn b() {}

fn main() {}
