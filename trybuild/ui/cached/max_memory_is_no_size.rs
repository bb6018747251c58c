use perfkit::cached;

#[cached(max_memory = "64 potatoes")]
fn a(n: u32) -> u32 {
    n
}

#[cached(max_memory = 1.5)]
fn b(n: u32) -> u32 {
    n
}

fn main() {}
