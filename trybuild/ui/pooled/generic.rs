use perfkit::pooled;

#[pooled]
fn list<T: Send>() -> Vec<T> {
    Vec::new()
}

#[pooled]
#[derive(Default)]
struct Stack<T> {
    items: Vec<T>,
}

fn main() {}
