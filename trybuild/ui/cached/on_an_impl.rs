use perfkit::cached;

struct A;

#[cached(ttl = 5)]
impl A {
    fn a(&self) -> u32 {
        1
    }
}

fn main() {
    A.a();
}
