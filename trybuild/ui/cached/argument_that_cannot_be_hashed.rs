use perfkit::cached;

#[cached]
fn a(ratio: f64) -> u32 {
    ratio as u32
}

fn main() {
    a(1.0);
}
