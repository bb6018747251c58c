use perfkit::pooled;

#[pooled(reset = String::clear, validate = |buffer| buffer.len())]
fn buffer() -> Vec<u8> {
    Vec::new()
}

fn main() {
    buffer();
}
