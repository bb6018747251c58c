use perfkit::cached;

#[cached(skip(argument_0))]
fn sum((a, b): (u32, u32), c: u32) -> u32 {
    a + b + c
}

fn main() {
    sum((1, 2), 3);
}
