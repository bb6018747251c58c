use perfkit::cached;

#[cached(backend = "disk", address = "/tmp/results")]
fn a(n: u32) -> u32 {
    n
}

#[cached(backend = "memcached", address = "cache.internal")]
fn b(n: u32) -> u32 {
    n
}

#[cached(backend = "redis", address = "rediss://cache.internal:6379")]
fn c(n: u32) -> u32 {
    n
}

fn main() {}
