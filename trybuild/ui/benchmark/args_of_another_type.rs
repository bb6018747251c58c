use perfkit::benchmark;

#[benchmark(args = ["one", "two"])]
fn a(n: u32) -> u32 {
    n
}

fn main() {}
