use perfkit::cached;

#[cached]
fn a(n: u32) -> impl Iterator<Item = u32> + Clone {
    0..n
}

fn main() {}
