use perfkit::profiled;

#[profiled(skip = true)]
fn load() {}

fn main() {
    load();
}
