use perfkit::benchmark;

#[benchmark(args = ["a", "bc"], size = |text| text.chars())]
fn a(text: &str) -> usize {
    text.len()
}

fn main() {}
