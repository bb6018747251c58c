use perfkit::benchmark;

#[benchmark(validate = |n| *n)]
fn a() -> u32 {
    2
}

fn main() {}
