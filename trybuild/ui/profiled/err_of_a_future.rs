use std::future::{Future, ready};
use std::pin::Pin;

use perfkit::profiled;

#[profiled(err)]
fn no_result() -> impl Future<Output = u8> {
    ready(1)
}

#[profiled(err)]
fn no_result_in_a_box() -> Pin<Box<dyn Future<Output = u8>>> {
    Box::pin(ready(1))
}

#[profiled(err)]
fn no_result_in_a_block() -> Pin<Box<dyn Future<Output = u8>>> {
    Box::pin(async { 1 })
}

#[profiled(err)]
async fn no_result_later() -> u8 {
    1
}

fn main() {
    let _ = (no_result(), no_result_in_a_box(), no_result_in_a_block(), no_result_later());
}
