use perfkit::profiled;

#[profiled(name = "a", name = "b")]
fn load() {}

fn main() {
    load();
}
