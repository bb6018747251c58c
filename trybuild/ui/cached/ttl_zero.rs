use perfkit::cached;

#[cached(ttl = 0)]
fn a(n: u32) -> u32 {
    n
}

#[cached(ttl = "0ms")]
fn b(n: u32) -> u32 {
    n
}

fn main() {}
