use perfkit::profiled;

#[profiled(name = , err)]
fn load() -> Result<(), ()> {
    Ok(())
}

fn main() {
    let _ = load();
}
