use perfkit::cached;

#[derive(Clone)]
struct Table(Vec<u8>);

#[cached(backend = "redis", ttl = 600)]
fn a(n: usize) -> Table {
    Table(vec![0; n])
}

#[cached(backend = "redis", ttl = 600)]
async fn b(n: usize) -> Result<Table, String> {
    Ok(Table(vec![0; n]))
}

fn main() {
    let _ = a(1).0;
    let _ = b(1);
}
