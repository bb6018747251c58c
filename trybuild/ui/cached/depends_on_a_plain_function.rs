use perfkit::cached;

fn plain() {}

#[cached(depends_on(plain))]
fn a(n: u32) -> u32 {
    n
}

#[cached(depends_on(missing))]
fn b(n: u32) -> u32 {
    n
}

fn main() {
    plain();
    b(a(1));
}
