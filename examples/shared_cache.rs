//! Results that all processes share through a redis server.
//!
//! ```text
//! redis-server --port 6380 --save "" &
//! export PERFKIT_REDIS=redis://127.0.0.1:6380
//! cargo run --example shared_cache --features redis    # computes: 1.0 s
//! cargo run --example shared_cache --features redis    # another process, and it is there already: some ms
//! kill %1
//! cargo run --example shared_cache --features redis    # no server: computes, and says so in the table
//! ```

use std::thread::sleep;
use std::time::{Duration, Instant};

use perfkit::cached;
use serde::{Deserialize, Serialize};

/// What is shared is serialized.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Forecast {
    city: String,
    degrees: i32,
}

/// On the server for ten minutes, and in this process for a second, which is how stale it may be here after another process called
/// `forecast::invalidate`. `version` goes up when the meaning of `Forecast` changes: old results are left alone.
#[cached(backend = "redis", ttl = "10m", tiered = "1s", version = 1)]
fn forecast(city: &str) -> Forecast {
    sleep(Duration::from_secs(1));
    Forecast { city: city.to_owned(), degrees: 21 }
}

fn main() {
    for city in ["Graz", "Graz"] {
        let start = Instant::now();
        let Forecast { city, degrees } = forecast(city);
        println!("{city}: {degrees} °C, after {:?}", start.elapsed());
    }
    // The first table is about this process, the one below it about the server.
    println!("\n{}", perfkit::report());
}
