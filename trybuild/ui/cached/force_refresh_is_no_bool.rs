use perfkit::cached;

#[cached(force_refresh = n)]
fn a(n: u32) -> u32 {
    n
}

fn main() {
    a(1);
}
