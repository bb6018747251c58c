use perfkit::cached;

#[cached(backend = "memcache")]
fn a(n: u32) -> u32 {
    n
}

#[cached(backend = redis)]
fn b(n: u32) -> u32 {
    n
}

fn main() {}
