use perfkit::profiled;

#[profiled(nmae = "load")]
fn load() {}

fn main() {
    load();
}
