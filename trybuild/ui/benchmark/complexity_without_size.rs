use perfkit::benchmark;

#[benchmark(args = ["a", "bc"], complexity = "O(n)")]
fn a(text: &str) -> usize {
    text.len()
}

fn main() {}
