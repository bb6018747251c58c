use perfkit::benchmark;

#[benchmark(args = [])]
fn a(n: u32) -> u32 {
    n
}

fn main() {}
