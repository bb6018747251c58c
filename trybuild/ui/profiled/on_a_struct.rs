use perfkit::profiled;

#[profiled]
struct Parser {
    depth: usize,
}

fn main() {
    let _ = Parser { depth: 1 }.depth;
}
