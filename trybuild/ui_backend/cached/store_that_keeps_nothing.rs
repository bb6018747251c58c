use perfkit::cached;

#[cached(backend = "redis", ttl = 600, max_size = 100, policy = "lru")]
fn a(n: u32) -> u32 {
    n
}

#[cached(backend = "redis", ttl = 5, tiered = "1m")]
fn b(n: u32) -> u32 {
    n
}

#[cached(backend = "redis", ttl = 5, tiered = 0)]
fn c(n: u32) -> u32 {
    n
}

fn main() {}
