use perfkit::cached;

#[cached(backend = "redis", codec = "jsn")]
fn a(n: u32) -> u32 {
    n
}

#[cached(backend = "redis", version = "two")]
fn b(n: u32) -> u32 {
    n
}

#[cached(backend = "redis", version = 5_000_000_000)]
fn c(n: u32) -> u32 {
    n
}

fn main() {}
