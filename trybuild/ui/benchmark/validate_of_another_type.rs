use perfkit::benchmark;

fn is_even(n: &u64) -> bool {
    n % 2 == 0
}

#[benchmark(validate = is_even)]
fn a() -> u32 {
    2
}

fn main() {}
