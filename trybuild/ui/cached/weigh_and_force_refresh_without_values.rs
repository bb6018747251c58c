use perfkit::cached;

#[cached(weigh = 100)]
fn a(n: u32) -> Vec<u32> {
    vec![n]
}

#[cached(force_refresh)]
fn b(n: u32) -> u32 {
    n
}

fn main() {}
