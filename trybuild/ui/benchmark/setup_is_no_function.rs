use perfkit::benchmark;

#[benchmark(setup = vec![1, 2], validate = true)]
fn a(numbers: Vec<u32>) -> usize {
    numbers.len()
}

fn main() {}
