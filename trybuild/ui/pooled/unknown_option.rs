use perfkit::pooled;

#[pooled(maxsize = 5)]
fn buffer() -> Vec<u8> {
    Vec::new()
}

#[pooled(ttl = 5)]
fn other() -> Vec<u8> {
    Vec::new()
}

fn main() {}
