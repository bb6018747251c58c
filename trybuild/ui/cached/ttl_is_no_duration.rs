use perfkit::cached;

#[cached(ttl = "ten minutes")]
fn a(n: u32) -> u32 {
    n
}

#[cached(ttl = -1)]
fn b(n: u32) -> u32 {
    n
}

#[cached(ttl = std::time::Duration::from_secs(5))]
fn c(n: u32) -> u32 {
    n
}

#[cached(ttl)]
fn d(n: u32) -> u32 {
    n
}

fn main() {}
