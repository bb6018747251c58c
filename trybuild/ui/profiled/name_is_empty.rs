use perfkit::profiled;

#[profiled(name = "")]
fn load() {}

fn main() {
    load();
}
