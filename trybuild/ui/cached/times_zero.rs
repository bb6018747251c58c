use perfkit::cached;

#[cached(tti = 0)]
fn a(n: u32) -> u32 {
    n
}

#[cached(ttl = 1, stale = 0, stale_if_error = "0s")]
fn b(n: u32) -> Option<u32> {
    Some(n)
}

fn main() {}
