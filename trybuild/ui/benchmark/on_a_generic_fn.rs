use perfkit::benchmark;

#[benchmark(args = [1])]
fn a<T>(value: T) -> T {
    value
}

fn main() {}
