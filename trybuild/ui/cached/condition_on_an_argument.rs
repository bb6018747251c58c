use perfkit::cached;

#[cached]
fn square(n: u32, #[cfg(unix)] more: u32) -> u32 {
    n * n + more
}

fn main() {
    square(1, 2);
}
