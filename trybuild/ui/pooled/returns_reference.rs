use perfkit::pooled;

#[pooled]
fn name() -> &'static str {
    "name"
}

fn main() {}
