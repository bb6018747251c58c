use perfkit::cached;

#[allow(non_camel_case_types)]
#[derive(Clone)]
struct user(u32);

mod inner {
    use super::*;

    #[cached]
    pub fn user(id: u32) -> Option<user> {
        Some(super::user(id))
    }
}

fn main() {
    inner::user(1);
}
