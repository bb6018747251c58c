use perfkit::pooled;

struct Parser;

impl Parser {
    #[pooled]
    fn parser() -> Parser {
        Parser
    }
}

fn main() {}
