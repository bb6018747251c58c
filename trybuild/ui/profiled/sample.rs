use std::future::{Future, ready};

use perfkit::profiled;

#[profiled(sample = 0)]
fn never() {}

#[profiled(sample = "sometimes")]
fn sometimes() {}

#[profiled(sample)]
fn how_often() {}

#[profiled(sample = 16)]
async fn polled() {}

#[profiled(sample = "auto")]
fn returns_what_is_polled() -> impl Future<Output = ()> {
    ready(())
}

fn main() {}
