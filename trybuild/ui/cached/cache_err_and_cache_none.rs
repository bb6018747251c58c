use perfkit::cached;

#[cached(cache_err, cache_none)]
fn a(id: u32) -> Result<u32, String> {
    Ok(id)
}

fn main() {}
