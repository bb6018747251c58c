use perfkit::benchmark;

#[benchmark(leaks = "deny")]
fn a() {}

#[benchmark(leaks)]
fn b() {}

#[benchmark(leaks = true)]
fn c() {}

fn main() {}
