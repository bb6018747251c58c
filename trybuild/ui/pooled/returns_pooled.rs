use perfkit::{Pooled, pooled};

#[pooled]
fn buffer() -> Pooled<Vec<u8>> {
    todo!()
}

fn main() {}
