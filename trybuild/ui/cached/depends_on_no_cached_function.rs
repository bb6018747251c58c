use perfkit::cached;

#[cached(depends_on("plain"))]
fn a(n: u32) -> u32 {
    n
}

#[cached(depends_on())]
fn b(n: u32) -> u32 {
    n
}

fn main() {}
