use perfkit::profiled;

#[profiled(name = 7)]
fn load() {}

fn main() {
    load();
}
