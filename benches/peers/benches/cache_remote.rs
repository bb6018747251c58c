//! What a result of a memcached or redis server costs, beside a bare socket that asks the same server for the same bytes.
//!
//! The bare socket writes a request that was made beforehand (`mg … v`, `GET …`) and reads until the answer is there, without looking at it: no client
//! can do less. Beside it the whole of what a function with a backend does on a hit: key to bytes, name, request, answer, checks, bytes to
//! value; blocking, and as a future in a runtime of one thread. The value is 100 bytes long.
//!
//! Rounds go through the cases in random order. A line has the median time of all rounds, and the ratio to the bare socket of the same
//! round: the median over all rounds, and the range that holds nine tenths of them.
//!
//! `cargo bench -p perfkit-peers --bench cache_remote`; with `-- --quick` just long enough to see that it works. Needs `memcached` and `redis-server`,
//! which it starts on free ports.

use std::hint::black_box;
use std::io::{Read, Write};
use std::marker::PhantomData;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use perf_runtime::cache::KeepAny;
use perf_runtime::cache::remote::{Kind, Shared};

const CALLS: u32 = 200;
const KEY: (&str, u64) = ("a key of usual length", 1234);

fn main() {
    let rounds =
        if std::env::args().any(|argument| argument == "--quick" || argument == "--test") { 5 } else { 300 };
    println!("{:<12}{:<10}{:>10}{:>10}{:>18}", "server", "way", "us", "ratio", "90 % of rounds");
    for kind in [Kind::Memcached, Kind::Redis] {
        measure(kind, rounds);
    }
}

/// Dies with the bench.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(kind: Kind) -> (Server, u16) {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    let text = port.to_string();
    // One thread, so that all connections are served by the same: which thread has which processor makes more of a difference than any client.
    let mut command = if kind == Kind::Memcached {
        let mut command = Command::new("memcached");
        command.args(["-p", &text, "-U", "0", "-l", "127.0.0.1", "-u", "nobody", "-t", "1"]);
        command
    } else {
        let mut command = Command::new("redis-server");
        command.args(["--port", &text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command
    };
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let server = Server(child.expect("memcached and redis-server are installed, as scripts/setup.sh does"));
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "{kind:?} does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    (server, port)
}

/// What any client must do.
struct Socket {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Socket {
    fn new(kind: Kind, port: u16) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server is there");
        stream.set_nodelay(true).expect("a socket");
        let value = "v".repeat(100);
        let (set, request) = if kind == Kind::Memcached {
            (format!("ms bare:key 100\r\n{value}\r\n"), "mg bare:key v\r\n")
        } else {
            (format!("SET bare:key {value}\r\n"), "*2\r\n$3\r\nGET\r\n$8\r\nbare:key\r\n")
        };
        stream.write_all(set.as_bytes()).expect("the server takes it");
        let length = stream.read(&mut [0; 100]).expect("the server answers");
        assert!(length > 0);
        let answer = if kind == Kind::Memcached { 8 + 102 } else { 6 + 102 };
        Socket { stream, request: request.into(), answer: vec![0; answer] }
    }

    fn call(&mut self) {
        self.stream.write_all(&self.request).expect("the server takes it");
        self.stream.read_exact(&mut self.answer).expect("the server answers");
        black_box(&self.answer);
    }
}

fn measure(kind: Kind, rounds: usize) {
    let (_server, port) = start(kind);
    let host = format!("127.0.0.1:{port}");
    let address = if kind == Kind::Memcached { host } else { format!("redis://{host}") };
    let shared: &'static Shared = Box::leak(Box::new(
        Shared::new(kind, "bench::load").address(address.leak()).ttl(Duration::from_secs(3600)),
    ));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let instance: PhantomData<fn() -> ()> = PhantomData;
    let body = || "v".repeat(100);
    let mut socket = Socket::new(kind, port);
    let mut case = |which: usize| {
        let start = Instant::now();
        match which {
            0 => (0..CALLS).for_each(|_| socket.call()),
            1 => (0..CALLS).for_each(|_| {
                black_box(shared.get_or_run(instance, &KEY, body, KeepAny));
            }),
            _ => runtime.block_on(async {
                for _ in 0..CALLS {
                    black_box(shared.get_or_run_async(instance, &KEY, async { body() }, KeepAny).await);
                }
            }),
        }
        start.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
    };
    let mut random = 88_172_645_463_325_252_u64;
    let mut times: [Vec<f64>; 3] = Default::default();
    for round in 0..=rounds {
        let mut order = [0, 1, 2];
        for at in (1..3).rev() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            order.swap(at, (random % (at as u64 + 1)) as usize);
        }
        for which in order {
            let time = case(which);
            // The first warms up.
            if round > 0 {
                times[which].push(time);
            }
        }
    }
    let stats = shared.stats();
    assert_eq!(stats.misses, 1, "all but the first were hits: {stats:?}");
    for (which, name) in ["socket", "blocking", "future"].iter().enumerate() {
        let mut ratios: Vec<f64> =
            times[which].iter().zip(&times[0]).map(|(time, bare)| time / bare).collect();
        let mut sorted = times[which].clone();
        sorted.sort_by(f64::total_cmp);
        ratios.sort_by(f64::total_cmp);
        let at = |values: &[f64], share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        let range = format!("{:.2} - {:.2}", at(&ratios, 0.05), at(&ratios, 0.95));
        let kind = format!("{kind:?}").to_lowercase();
        println!("{kind:<12}{name:<10}{:>10.1}{:>10.2}{range:>18}", at(&sorted, 0.5), at(&ratios, 0.5));
    }
}
