use perfkit::profiled;

#[profiled(colour = "red", err, name = 1)]
const fn load() {}

fn main() {
    load();
}
