use perfkit::pooled;

#[pooled]
fn numbers() -> impl Iterator<Item = u32> {
    0..
}

#[pooled]
fn boxed() -> Vec<impl Fn(u32) -> u32> {
    vec![|n| n + 1]
}

fn main() {}
