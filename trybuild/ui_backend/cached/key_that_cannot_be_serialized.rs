use perfkit::cached;

#[derive(Clone, PartialEq, Eq, Hash)]
struct User(u32);

#[cached(backend = "redis", ttl = 600)]
fn a(user: &User) -> u32 {
    user.0
}

#[cached(backend = "redis", ttl = 600, key = user.clone())]
fn b(user: &User) -> u32 {
    user.0
}

fn main() {
    a(&User(1));
    b(&User(1));
}
