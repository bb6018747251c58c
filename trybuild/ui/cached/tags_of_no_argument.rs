use perfkit::cached;

#[cached(tags("user:{id}"))]
fn a(n: u32) -> u32 {
    n
}

fn main() {
    a(1);
}
