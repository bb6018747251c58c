use perfkit::pooled;

#[pooled]
enum Mode {
    Fast,
}

#[pooled]
trait Shape {}

struct Parser;

#[pooled]
impl Parser {}

#[pooled]
static COUNT: u32 = 0;

fn main() {}
