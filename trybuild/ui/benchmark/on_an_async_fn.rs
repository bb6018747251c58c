use perfkit::benchmark;

#[benchmark]
async fn a() {}

fn main() {}
