use perfkit::cached;

#[cached]
fn a(id: u32) -> String {
    id
}

fn main() {
    a(1);
}
