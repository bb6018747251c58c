use perfkit::cached;

trait A {
    #[cached]
    fn a(&self) -> u32;
}

fn main() {}
