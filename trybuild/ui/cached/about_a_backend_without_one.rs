use perfkit::cached;

#[cached(codec = "json", version = 2)]
fn a(n: u32) -> u32 {
    n
}

#[cached(address = "127.0.0.1:11211")]
fn b(n: u32) -> u32 {
    n
}

#[cached(ttl = 600, tiered = "5s")]
fn c(n: u32) -> u32 {
    n
}

fn main() {}
