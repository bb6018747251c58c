use std::future::{Future, ready};

use perfkit::profiled;

#[profiled(err)]
fn load() -> impl Future<Output = Result<u8, ()>> + Clone {
    ready(Ok(1))
}

fn main() {
    let _ = load();
}
