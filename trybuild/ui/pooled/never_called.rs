#![deny(dead_code)]

use perfkit::pooled;

#[pooled]
fn buffer() -> Vec<u8> {
    Vec::with_capacity(64)
}

fn main() {}
