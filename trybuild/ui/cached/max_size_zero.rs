use perfkit::cached;

#[cached(max_size = 0)]
fn a(n: u32) -> u32 {
    n
}

fn main() {}
