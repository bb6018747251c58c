use perfkit::cached;

#[cached(cache_err)]
fn a(id: u32) -> u32 {
    id
}

fn main() {
    a(1);
}
