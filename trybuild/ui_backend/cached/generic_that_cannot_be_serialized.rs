use core::hash::Hash;

use perfkit::cached;

#[cached(backend = "disk", ttl = 600)]
fn a<T: Hash + Eq + Clone + Send + Sync + 'static>(value: T) -> usize {
    let _ = value;
    1
}

fn main() {
    a(1);
}
