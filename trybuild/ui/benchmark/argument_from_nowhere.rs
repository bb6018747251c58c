use perfkit::benchmark;

#[benchmark]
fn a(n: u32) -> u32 {
    n
}

fn main() {}
