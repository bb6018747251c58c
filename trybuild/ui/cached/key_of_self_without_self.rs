use perfkit::cached;

#[cached(key(self.id))]
fn a(id: u32) -> u32 {
    id
}

#[cached(key())]
fn b(id: u32) -> u32 {
    id
}

#[cached(key)]
fn c(id: u32) -> u32 {
    id
}

fn main() {}
