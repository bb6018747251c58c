use perfkit::cached;

#[cached(ttl = 600, stale = "30s", key = names.len())]
fn a(names: &[&str]) -> usize {
    names.len()
}

#[cached(ttl = 600, stale = "30s", skip(buffer))]
fn b(n: usize, buffer: &mut Vec<u8>) -> usize {
    n + buffer.len()
}

#[cached(ttl = 600, stale = "30s", skip(names))]
fn c(n: usize, names: impl Iterator<Item = String>) -> usize {
    n + names.count()
}

fn main() {}
