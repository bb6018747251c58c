use perfkit::cached;

struct Shop(u32);

impl Shop {
    #[cached(ttl = 600, stale = "30s")]
    fn price(&self, n: u32) -> u32 {
        self.0 + n
    }

    #[cached(ttl = 600, refresh_ahead, companions = false)]
    fn alone(n: u32) -> u32 {
        n
    }
}

fn main() {
    Shop(1).price(Shop::alone(2));
}
