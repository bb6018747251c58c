use perfkit::benchmark;

#[derive(Debug)]
struct Size(usize);

#[benchmark(args = [Size(1)])]
fn a(size: Size) -> usize {
    size.0
}

fn main() {}
