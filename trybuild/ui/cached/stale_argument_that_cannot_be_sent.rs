use std::rc::Rc;

use perfkit::cached;

#[cached(ttl = 600, stale = "30s", skip(log))]
fn a(n: usize, log: Rc<str>) -> usize {
    n + log.len()
}

struct Connection;

#[cached(ttl = 600, refresh_ahead, skip(connection))]
fn b(n: usize, connection: &Connection) -> usize {
    let _ = connection;
    n
}

fn main() {
    b(a(1, "a".into()), &Connection);
}
