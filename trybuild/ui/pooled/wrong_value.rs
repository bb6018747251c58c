use perfkit::pooled;

#[pooled(max_size = "many", prefill = -1, reset = "clear", validate, name = "")]
fn buffer() -> Vec<u8> {
    Vec::new()
}

fn main() {}
