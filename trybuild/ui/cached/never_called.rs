#![deny(dead_code)]

use perfkit::cached;

#[cached]
fn beside(n: u8) -> u8 {
    n
}

#[cached(companions = false)]
fn alone(n: u8) -> u8 {
    n
}

#[cached]
async fn later(n: u8) -> u8 {
    n
}

struct Value;

impl Value {
    #[cached]
    fn method(&self, n: u8) -> u8 {
        n
    }
}

fn main() {
    let _ = Value;
}
