use perfkit::pooled;

#[pooled(max_size = 0)]
fn buffer() -> Vec<u8> {
    Vec::new()
}

fn main() {}
