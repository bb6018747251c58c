//! Real servers on free ports, and servers that misbehave.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use perf_runtime::cache::remote::Kind;

/// A server of the test's own. Dies with it.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    child: Child,
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        // Somebody else may take the port before the server does.
        for _ in 0..10 {
            let port = free_port();
            let child = spawn(kind, port);
            let mut server = Server { kind, port, child };
            if server.is_up() {
                return server;
            }
        }
        panic!("{kind:?} does not start");
    }

    fn is_up(&mut self) -> bool {
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end && self.child.try_wait().unwrap().is_none() {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            sleep(Duration::from_millis(20));
        }
        false
    }

    /// What the settings take, for ever: servers of tests are few.
    pub(crate) fn address(&self) -> &'static str {
        address(self.kind, self.port)
    }

    /// As if by `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Again on the same port.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.kind, self.port);
        assert!(self.is_up(), "{:?} does not start again", self.kind);
    }

    /// Neither answers nor hangs up until it goes on.
    pub(crate) fn stop(&self) {
        self.signal(libc::SIGSTOP);
    }

    pub(crate) fn go_on(&self) {
        self.signal(libc::SIGCONT);
    }

    fn signal(&self, signal: libc::c_int) {
        // SAFETY: takes no pointers; the process is a child that was not waited for.
        assert_eq!(unsafe { libc::kill(self.child.id().cast_signed(), signal) }, 0);
    }

    /// What it says to a request, as it comes within a short time.
    pub(crate) fn say(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(kind: Kind, port: u16) -> Child {
    let port = port.to_string();
    let mut command = match kind {
        #[cfg(feature = "memcached")]
        Kind::Memcached => {
            let mut command = Command::new("memcached");
            command.args(["-p", &port, "-U", "0", "-l", "127.0.0.1", "-u", "nobody"]);
            command
        }
        #[cfg(feature = "redis")]
        Kind::Redis => {
            let mut command = Command::new("redis-server");
            command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
            command
        }
        other => panic!("{other:?} is no server"),
    };
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    spawned.unwrap_or_else(|error| {
        let program = command.get_program().display();
        panic!("cannot run `{program}` ({error}): install it with scripts/setup.sh, or `apt-get install memcached redis-server`")
    })
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn address(kind: Kind, port: u16) -> &'static str {
    let address = match kind {
        #[cfg(feature = "redis")]
        Kind::Redis => format!("redis://127.0.0.1:{port}"),
        _ => format!("127.0.0.1:{port}"),
    };
    address.leak()
}

/// What a server does that is none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fake {
    /// Answers with random bytes.
    Random,
    /// Answers with the beginning of an answer, and hangs up.
    Truncated,
    /// Accepts and never answers.
    Silent,
    /// Hangs up at once.
    Closed,
    /// Answers a byte at a time, for ever.
    Drip,
    /// Says that much more comes than does.
    Boast,
    /// Answers everything with what looks like a value.
    Eager,
}

pub(crate) const FAKES: [Fake; 7] =
    [Fake::Random, Fake::Truncated, Fake::Silent, Fake::Closed, Fake::Drip, Fake::Boast, Fake::Eager];

/// Starts one, which ends with the process, and gives its address.
pub(crate) fn fake(kind: Kind, fake: Fake) -> &'static str {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let redis = address(kind, port).starts_with("redis");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream, fake, redis));
        }
    });
    address(kind, port)
}

fn serve(mut stream: TcpStream, fake: Fake, redis: bool) {
    if matches!(fake, Fake::Closed) {
        return;
    }
    let (mut request, mut state) = ([0; 4096], u64::from(stream.peer_addr().unwrap().port()) | 1);
    while let Ok(length @ 1..) = stream.read(&mut request) {
        let answer: Vec<u8> = match fake {
            Fake::Silent | Fake::Closed => continue,
            Fake::Random => (0..200)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state as u8
                })
                .collect(),
            Fake::Truncated => {
                let answer: &[u8] = if redis { b"$100\r\nabc" } else { b"VA 100 c1\r\nabc" };
                let _ = stream.write_all(answer);
                return;
            }
            Fake::Drip => {
                let start: &[u8] = if redis { b"$100000\r\n" } else { b"VA 100000 c1\r\n" };
                let _ = stream.write_all(start);
                while stream.write_all(b"x").is_ok() {
                    sleep(Duration::from_millis(20));
                }
                return;
            }
            Fake::Boast if redis => b"$536870912\r\nabc\r\n*1000000000\r\n".to_vec(),
            Fake::Boast => b"VA 1000000000 c1\r\nabc\r\n".to_vec(),
            Fake::Eager if redis => b"$5\r\nhello\r\n".to_vec(),
            Fake::Eager => {
                let request = String::from_utf8_lossy(&request[..length]);
                let number = request.split_whitespace().find(|word| word.starts_with('O')).unwrap_or("O0");
                format!("VA 5 c7 {number}\r\nhello\r\n").into_bytes()
            }
        };
        if stream.write_all(&answer).is_err() {
            return;
        }
    }
}
