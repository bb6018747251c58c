use std::pin::Pin;

use perfkit::cached;

#[cached]
fn a(n: u32) -> impl Future<Output = u32> {
    async move { n }
}

#[cached]
fn b(n: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move { n })
}

fn main() {}
