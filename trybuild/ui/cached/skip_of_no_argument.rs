use perfkit::cached;

#[cached(skip(conn))]
fn a(connection: u8, id: u32) -> u32 {
    let _ = connection;
    id
}

#[cached(skip)]
fn b(connection: u8, id: u32) -> u32 {
    let _ = connection;
    id
}

#[cached(skip("connection"))]
fn c(connection: u8, id: u32) -> u32 {
    let _ = connection;
    id
}

struct A;

impl A {
    #[cached(skip(self))]
    fn d(&self, id: u32) -> u32 {
        id
    }
}

fn main() {}
