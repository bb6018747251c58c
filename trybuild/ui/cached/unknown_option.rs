use perfkit::cached;

#[cached(tll = 600)]
fn a(n: u32) -> u32 {
    n
}

#[cached(maxsize = 10)]
fn b(n: u32) -> u32 {
    n
}

#[cached(prefill = 3)]
fn c(n: u32) -> u32 {
    n
}

fn main() {}
