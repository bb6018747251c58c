use perfkit::cached;

#[cached]
const fn a(n: u32) -> u32 {
    n
}

fn main() {}
