use perfkit::cached;

#[cached(local, ttl = 1, stale = 1, refresh_ahead, stale_if_error = 1)]
fn a(n: u32) -> Option<u32> {
    Some(n)
}

#[cached(local, max_memory = "1MiB", weigh = Vec::len, policy = "size")]
fn b(n: u32) -> Vec<u32> {
    vec![n]
}

#[cached(local, tags("a"), depends_on(a))]
fn c(n: u32) -> u32 {
    n
}

#[cached(local)]
async fn d(n: u32) -> u32 {
    n
}

fn main() {}
