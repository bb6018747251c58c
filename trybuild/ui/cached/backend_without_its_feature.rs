use perfkit::cached;

#[cached(backend = "redis", ttl = 600)]
fn a(n: u32) -> u32 {
    n
}

fn main() {
    a(1);
}
