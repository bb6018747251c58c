use perfkit::cached;

#[cached(tags(n))]
fn a(n: u32) -> u32 {
    n
}

#[cached(tags())]
fn b(n: u32) -> u32 {
    n
}

#[cached(tags = "user")]
fn c(n: u32) -> u32 {
    n
}

fn main() {}
