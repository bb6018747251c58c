use perfkit::cached;

#[cached]
struct A(u32);

fn main() {
    let _ = A(1).0;
}
