use perfkit::cached;

struct Connection;

#[cached]
fn a(connection: &mut Connection, id: u32) -> u32 {
    let _ = connection;
    id
}

impl Connection {
    #[cached]
    fn b(&mut self, id: u32) -> u32 {
        id
    }
}

fn main() {}
