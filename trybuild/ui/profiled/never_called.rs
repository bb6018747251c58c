#![deny(dead_code)]

use std::future::Future;
use std::pin::Pin;

use perfkit::profiled;

#[profiled]
fn plain() -> u8 {
    7
}

#[profiled]
fn fallible(text: String) -> Result<u8, std::num::ParseIntError> {
    text.parse()
}

#[profiled]
async fn later() {}

#[profiled]
fn boxed() -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async {})
}

struct Value;

#[profiled]
impl Value {
    fn get(self) -> u8 {
        7
    }
}

fn main() {
    let _ = Value;
}
