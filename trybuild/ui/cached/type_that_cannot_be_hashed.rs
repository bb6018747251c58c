use perfkit::cached;

#[derive(Clone, PartialEq)]
struct Query {
    text: String,
}

#[cached]
fn search(query: &Query, limit: usize) -> Vec<String> {
    vec![query.text.clone(); limit]
}

fn main() {
    search(&Query { text: String::new() }, 1);
}
