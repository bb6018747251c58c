use perfkit::benchmark;

#[benchmark]
struct A;

#[benchmark]
impl A {}

fn main() {}
