use perfkit::profiled;

#[profiled(err)]
fn load() -> u8 {
    7
}

fn main() {
    let _ = load();
}
