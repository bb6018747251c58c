use perfkit::cached;

#[cached]
fn a(text: &str) -> &str {
    text.trim()
}

#[cached]
fn b<'a>(text: &'a str) -> Option<std::borrow::Cow<'a, str>> {
    Some(text.into())
}

fn main() {}
