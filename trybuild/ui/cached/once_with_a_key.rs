use perfkit::cached;

#[cached(once, key = n)]
fn a(n: u32) -> u32 {
    n
}

#[cached(once, skip(n), max_size = 10, policy = "lru")]
fn b(n: u32) -> u32 {
    n
}

fn main() {}
