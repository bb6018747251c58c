use perfkit::cached;

struct Value;

#[cached(local)]
fn a(n: u32) -> Option<Value> {
    (n > 0).then_some(Value)
}

#[cached(local)]
fn b(x: f64) -> f64 {
    x
}

#[cached(local, cache_err)]
fn c(n: u32) -> u32 {
    n
}

fn main() {
    a(c(b(1.0) as u32));
}
