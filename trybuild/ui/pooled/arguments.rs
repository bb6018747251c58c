use perfkit::pooled;

#[pooled]
fn buffer(capacity: usize) -> Vec<u8> {
    Vec::with_capacity(capacity)
}

struct Source;

impl Source {
    #[pooled]
    fn buffer(&self) -> Vec<u8> {
        Vec::new()
    }
}

fn main() {}
