use perfkit::cached;

#[cached(ttl = 600)]
#[cached(max_size = 10)]
fn square(n: u32) -> u32 {
    n * n
}

fn main() {
    square(1);
}
