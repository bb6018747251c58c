use perfkit::cached;

#[cached(key = id, skip(connection))]
fn a(connection: u8, id: u32) -> u32 {
    let _ = connection;
    id
}

fn main() {}
