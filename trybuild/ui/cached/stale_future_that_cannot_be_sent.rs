use std::rc::Rc;

use perfkit::cached;

#[cached(ttl = 600, stale = "30s")]
async fn a(n: usize) -> usize {
    let log = Rc::new(n);
    std::future::ready(()).await;
    *log
}

fn main() {
    let _ = a(1);
}
