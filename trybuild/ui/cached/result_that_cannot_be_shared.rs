use std::rc::Rc;

use perfkit::cached;

#[cached]
fn load(n: usize) -> Result<Rc<[u8]>, std::fmt::Error> {
    Ok(vec![0; n].into())
}

fn main() {
    let _ = load(1);
}
