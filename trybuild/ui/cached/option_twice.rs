use perfkit::cached;

#[cached(ttl = 600, max_size = 10, ttl = 60)]
fn a(n: u32) -> u32 {
    n
}

fn main() {}
