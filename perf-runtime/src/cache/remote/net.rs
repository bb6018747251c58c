//! Connections with a deadline: made by it, read and written by it, and kept for the next request.

use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use super::backend::Failure;
use crate::sync::Mutex;

/// What is left until then; a timeout if nothing is.
pub(super) fn remaining(until: Instant) -> Result<Duration, Failure> {
    match until.checked_duration_since(Instant::now()) {
        Some(left) if !left.is_zero() => Ok(left),
        _ => Err(Failure::Timeout),
    }
}

/// Connects to the first of the addresses that can be reached.
pub(super) fn connect(address: &str, until: Instant) -> Result<TcpStream, Failure> {
    let mut failure = Failure::Connection;
    for address in resolve(address, until)? {
        match TcpStream::connect_timeout(&address, remaining(until)?) {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(|error| Failure::from(&error))?;
                return Ok(stream);
            }
            Err(error) => failure = (&error).into(),
        }
    }
    Err(failure)
}

/// Names are looked up on a thread of its own, which may take longer than there is time.
fn resolve(address: &str, until: Instant) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = address.parse() {
        return Ok(vec![address]);
    }
    let (sender, found) = mpsc::channel();
    let address = address.to_owned();
    thread::Builder::new()
        .name("perfkit-resolve".into())
        .spawn(move || {
            let addresses = address.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
            // Nobody waits any more.
            let _ = sender.send(addresses);
        })
        .map_err(|error| Failure::from(&error))?;
    match found.recv_timeout(remaining(until)?) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(_)) => Err(Failure::Connection),
        Err(_) => Err(Failure::Timeout),
    }
}

/// A stream whose reads and writes all end by the deadline, however many they are.
#[derive(Debug)]
pub(super) struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Timed {
    pub(super) fn new(stream: TcpStream, until: Instant) -> Self {
        Timed { stream, until }
    }

    pub(super) fn set_deadline(&mut self, until: Instant) {
        self.until = until;
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        remaining(self.until).map(Some).map_err(|_| io::ErrorKind::TimedOut.into())
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Connections without work. Each has an owner, who alone may use it: the runtime that made it, or nobody in particular.
#[derive(Debug)]
pub(super) struct Pool<C>(Mutex<Vec<(u64, C, Instant)>>);

/// Whoever may block.
pub(super) const NOBODY: u64 = 0;

const MAX_IDLE: usize = 32;
/// Middleboxes forget connections that say nothing for long.
const MAX_AGE: Duration = Duration::from_secs(60);

impl<C> Pool<C> {
    pub(super) const fn new() -> Self {
        Pool(Mutex::new(Vec::new()))
    }

    /// The connection that was used last.
    pub(super) fn take(&self, owner: u64) -> Option<C> {
        let mut idle = self.0.lock();
        let at = idle.iter().rposition(|(of, ..)| *of == owner)?;
        let (_, connection, since) = idle.remove(at);
        drop(idle);
        (since.elapsed() < MAX_AGE).then_some(connection)
    }

    /// Takes it back; the one that was not used for longest gives way.
    pub(super) fn put(&self, owner: u64, connection: C) {
        let mut idle = self.0.lock();
        let oldest = (idle.len() >= MAX_IDLE).then(|| idle.remove(0));
        idle.push((owner, connection, Instant::now()));
        drop(idle);
        drop(oldest);
    }

    /// Closes all: the server they were connected to is gone.
    pub(super) fn clear(&self) {
        let idle = core::mem::take(&mut *self.0.lock());
        drop(idle);
    }
}

/// The tokio runtime that polls this.
pub(super) mod runtime {
    use core::future::poll_fn;
    use core::hash::BuildHasher as _;
    use core::pin::pin;
    use core::task::{Context, Poll};
    use core::time::Duration;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Instant;

    use tokio::runtime::Handle;

    use super::super::backend::{Failure, Later};

    /// A number for it, which no other runtime has.
    pub(in super::super) fn current() -> Result<u64, Failure> {
        let handle = Handle::try_current().map_err(|_| Failure::NoRuntime)?;
        Ok(foldhash::quality::FixedState::default().hash_one(handle.id()) | 1)
    }

    /// Never panics.
    pub(in super::super) async fn by<T>(
        until: Instant,
        future: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let timed =
            async { tokio::time::timeout_at(until.into(), future).await.unwrap_or(Err(Failure::Timeout)) };
        let mut timed = pin!(timed);
        // tokio panics where the runtime was built without its time or its network.
        let poll = |context: &mut Context<'_>| {
            let polled = catch_unwind(AssertUnwindSafe(|| timed.as_mut().poll(context)));
            polled.unwrap_or(Poll::Ready(Err(Failure::NoRuntime)))
        };
        poll_fn(poll).await
    }

    pub(in super::super) async fn pause(pause: Duration) {
        if Handle::try_current().is_ok() {
            tokio::time::sleep(pause).await;
        }
    }

    pub(in super::super) fn detach(future: Later<'static, ()>) {
        if let Ok(handle) = Handle::try_current() {
            handle.spawn(future);
        }
    }
}
