use perfkit::benchmark;

struct A;

impl A {
    #[benchmark]
    fn a(&self) {}
}

fn main() {
    A.a();
}
