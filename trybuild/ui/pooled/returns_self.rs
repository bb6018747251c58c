use perfkit::pooled;

struct Parser;

impl Parser {
    #[pooled]
    fn new() -> Self {
        Parser
    }
}

fn main() {}
