use perfkit::benchmark;

struct A;

impl A {
    #[benchmark]
    fn new() -> Self {
        A
    }

    #[benchmark]
    fn count() -> usize {
        size_of::<Self>()
    }
}

fn main() {
    let _ = (A::new(), A::count());
}
