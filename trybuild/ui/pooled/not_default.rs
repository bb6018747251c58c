use perfkit::pooled;

#[pooled]
struct Parser {
    depth: u32,
}

fn main() {
    Parser::pooled().depth += 1;
}
