use std::rc::Rc;

use perfkit::pooled;

#[pooled]
fn shared() -> Rc<u32> {
    Rc::new(0)
}

fn main() {
    shared();
}
