use perfkit::benchmark;

#[benchmark(args = [(1, 2)])]
fn a(n: u32, m: u32) -> u32 {
    n + m
}

fn main() {}
