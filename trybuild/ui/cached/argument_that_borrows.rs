use perfkit::cached;

struct Slice<'a>(&'a [u8]);

#[cached]
fn a(words: &[&str]) -> usize {
    words.len()
}

#[cached]
fn b(slice: Slice<'_>) -> usize {
    slice.0.len()
}

fn main() {}
