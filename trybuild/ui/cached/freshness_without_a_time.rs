use perfkit::cached;

#[cached(stale = 30)]
fn a(n: u32) -> u32 {
    n
}

#[cached(refresh_ahead)]
fn b(n: u32) -> u32 {
    n
}

#[cached(stale_if_error = "1h")]
fn c(n: u32) -> Option<u32> {
    Some(n)
}

fn main() {}
