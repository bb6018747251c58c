use perfkit::cached;

#[cached(ttl = 600, stale_if_error = "1h")]
fn a(n: u32) -> Vec<u32> {
    vec![n]
}

fn main() {
    a(1);
}
