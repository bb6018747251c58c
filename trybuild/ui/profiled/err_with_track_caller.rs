use perfkit::profiled;

#[profiled(err)]
#[track_caller]
fn parse(text: &str) -> Result<u8, std::num::ParseIntError> {
    text.parse()
}

fn main() {
    let _ = parse("1");
}
