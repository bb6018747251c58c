use perfkit::benchmark;

#[benchmark]
unsafe fn a() {}

fn main() {}
