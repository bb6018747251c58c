use perfkit::cached;

#[cached]
fn a(text: impl AsRef<str>) -> usize {
    text.as_ref().len()
}

fn main() {}
