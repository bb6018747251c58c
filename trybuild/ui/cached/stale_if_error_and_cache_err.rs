use perfkit::cached;

#[cached(ttl = 600, stale_if_error = "1h", cache_err)]
fn a(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[cached(ttl = 600, stale_if_error = "1h", cache_none)]
fn b(n: u32) -> Option<u32> {
    Some(n)
}

fn main() {}
