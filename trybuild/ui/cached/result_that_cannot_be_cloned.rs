use perfkit::cached;

struct Table(Vec<u8>);

#[cached]
fn load(n: usize) -> Table {
    Table(vec![0; n])
}

fn main() {
    let _ = load(1).0;
}
