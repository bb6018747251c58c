use perfkit::pooled;

#[pooled(max_size = 4, prefill = 5)]
fn buffer() -> Vec<u8> {
    Vec::new()
}

#[pooled(prefill = 1001)]
#[derive(Default)]
struct Parser;

fn main() {}
