use perfkit::cached;

#[cached(policy = "lfru")]
fn a(n: u32) -> u32 {
    n
}

#[cached(policy = lru)]
fn b(n: u32) -> u32 {
    n
}

fn main() {}
