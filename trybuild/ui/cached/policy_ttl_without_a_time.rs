use perfkit::cached;

#[cached(policy = "ttl")]
fn a(n: u32) -> u32 {
    n
}

fn main() {}
