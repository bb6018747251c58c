use perfkit::profiled;

struct Parser;

#[profiled(name = "parser")]
impl Parser {
    fn a(&self) {}
    fn b(&self) {}
}

fn main() {
    Parser.a();
    Parser.b();
}
