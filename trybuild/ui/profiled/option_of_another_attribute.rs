use perfkit::profiled;

#[profiled(ttl = 600)]
fn load() {}

fn main() {
    load();
}
