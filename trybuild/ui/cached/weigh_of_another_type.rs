use perfkit::cached;

#[cached(weigh = str::len)]
fn a(n: u32) -> Vec<u32> {
    vec![n]
}

fn main() {
    a(1);
}
