use perfkit::profiled;

#[profiled]
const fn square(x: u64) -> u64 {
    x * x
}

fn main() {
    const NINE: u64 = square(3);
    let _ = NINE;
}
