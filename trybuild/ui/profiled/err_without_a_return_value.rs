use perfkit::profiled;

#[profiled(err)]
fn load() {}

fn main() {
    load();
}
