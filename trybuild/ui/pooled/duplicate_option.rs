use perfkit::pooled;

#[pooled(max_size = 5, reset = Vec::clear, max_size = 6)]
fn buffer() -> Vec<u8> {
    Vec::new()
}

fn main() {}
