use perfkit::cached;

#[cached(ttl = 0, policy = "mru", max_sise = 3)]
fn a(text: &mut String) -> &str {
    text
}

fn main() {}
