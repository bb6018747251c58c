//! memcached, by its meta commands (`mg`, `ms`, `md`), which have leases: of those who miss a key, one is told to compute.
//!
//! The `memcache` crate puts commands into bytes and reads the first lines of answers. Reading and writing is done here, because its own
//! connections take a server's word for how much memory an answer needs. Connections are kept without a check before use, too: that one
//! is dead shows when it is used, and the request is made once more on a new one. All requests may be made twice.
//!
//! Each request has a number that the server repeats, so an answer to another request is not taken for its own.

use core::time::Duration;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::time::{Instant, SystemTime};

use memcache::exp::{Error, MetaCommand, MetaOp, MetaResponse, ReturnCode};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::backend::{Answer, Backend, Failure, How, Later, Lease, Request};
use super::net::{self, NOBODY, Pool, Timed, runtime};
use crate::sync::{AtomicU32, Ordering};

/// Seconds; what is longer is taken for a date.
const MAX_RELATIVE: u64 = 60 * 60 * 24 * 30;
/// Its default limit for key, value and what it needs itself.
const MAX_ITEM: usize = 1 << 20;
const OVERHEAD: usize = 256;
/// Of an answer; with room for what a server may add one day.
const MAX_LINE: u64 = 2048;
/// Connections that are used at the same time by futures; threads use one each.
const MAX_CONNECTIONS: usize = 64;

pub(super) struct Memcached {
    address: String,
    blocking: Pool<BufReader<Timed>>,
    waiting: Pool<tokio::io::BufReader<TcpStream>>,
    permits: Semaphore,
    next: AtomicU32,
}

impl Memcached {
    pub(super) fn new(address: &str) -> Self {
        Memcached {
            address: address.to_owned(),
            blocking: Pool::new(),
            waiting: Pool::new(),
            permits: Semaphore::new(MAX_CONNECTIONS),
            next: AtomicU32::new(0),
        }
    }

    fn number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn exchange(&self, request: &[u8], until: Instant) -> Result<Response, Failure> {
        if let Some(connection) = self.blocking.take(NOBODY) {
            match self.run(connection, request, until) {
                // It was closed while it had nothing to do, as probably all others were.
                Err(Failure::Connection) => self.blocking.clear(),
                answered => return answered,
            }
        }
        let stream = Timed::new(net::connect(&self.address, until)?, until);
        self.run(BufReader::new(stream), request, until)
    }

    /// The connection is closed if anything is wrong with it.
    fn run(
        &self,
        mut connection: BufReader<Timed>,
        request: &[u8],
        until: Instant,
    ) -> Result<Response, Failure> {
        let failed = |error| Failure::from(&error);
        connection.get_mut().set_deadline(until);
        connection.get_mut().write_all(request).map_err(failed)?;
        let mut line = Vec::new();
        connection.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(failed)?;
        let mut response = Response::new(&line)?;
        if let Some(limit) = response.limit() {
            // Takes memory for what comes, not for what is said to come.
            connection.by_ref().take(limit).read_to_end(&mut response.value).map_err(failed)?;
        }
        let response = response.whole(connection.buffer())?;
        self.blocking.put(NOBODY, connection);
        Ok(response)
    }

    async fn exchange_later(&self, request: &[u8]) -> Result<Response, Failure> {
        let runtime = runtime::current()?;
        let _permit = self.permits.acquire().await.map_err(|_| Failure::Connection)?;
        if let Some(connection) = self.waiting.take(runtime) {
            match self.run_later(runtime, connection, request).await {
                Err(Failure::Connection) => self.waiting.clear(),
                answered => return answered,
            }
        }
        let stream = TcpStream::connect(self.address.as_str()).await;
        let stream = stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        let stream = stream.map_err(|error| Failure::from(&error))?;
        self.run_later(runtime, tokio::io::BufReader::new(stream), request).await
    }

    /// The same; the connection is also closed if this is given up.
    async fn run_later(
        &self,
        runtime: u64,
        mut connection: tokio::io::BufReader<TcpStream>,
        request: &[u8],
    ) -> Result<Response, Failure> {
        let failed = |error| Failure::from(&error);
        connection.get_mut().write_all(request).await.map_err(failed)?;
        let mut line = Vec::new();
        (&mut connection).take(MAX_LINE).read_until(b'\n', &mut line).await.map_err(failed)?;
        let mut response = Response::new(&line)?;
        if let Some(limit) = response.limit() {
            (&mut connection).take(limit).read_to_end(&mut response.value).await.map_err(failed)?;
        }
        let response = response.whole(connection.buffer())?;
        self.waiting.put(runtime, connection);
        Ok(response)
    }
}

/// An answer.
struct Response {
    line: MetaResponse,
    /// Of the value that is said to come.
    length: Option<usize>,
    value: Vec<u8>,
}

impl Response {
    fn new(line: &[u8]) -> Result<Self, Failure> {
        let Some(text) = line.strip_suffix(b"\r\n") else {
            // Cut off, or no line at all.
            return Err(if line.len() as u64 == MAX_LINE { Failure::Protocol } else { Failure::Connection });
        };
        let line = MetaResponse::parse_header(text).map_err(|error| failure(&error))?;
        let length = match line.rc() {
            ReturnCode::Va => {
                let digits = text.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).nth(1);
                let length = digits.and_then(number).and_then(|length| usize::try_from(length).ok());
                Some(length.filter(|length| *length <= MAX_ITEM).ok_or(Failure::Protocol)?)
            }
            _ => None,
        };
        Ok(Response { line, length, value: Vec::new() })
    }

    /// Bytes to read after the line.
    fn limit(&self) -> Option<u64> {
        self.length.map(|length| length as u64 + 2)
    }

    /// Itself, if it is as long as it said and nothing follows.
    fn whole(mut self, rest: &[u8]) -> Result<Self, Failure> {
        if let Some(length) = self.length {
            if self.value.len() < length + 2 {
                return Err(Failure::Connection);
            }
            if self.value.split_off(length) != b"\r\n" {
                return Err(Failure::Protocol);
            }
        }
        if rest.is_empty() { Ok(self) } else { Err(Failure::Protocol) }
    }
}

impl Backend for Memcached {
    fn ask(&self, request: Request<'_>, until: Instant) -> Result<Answer, Failure> {
        let number = self.number();
        let response = self.exchange(&encode(request, number)?, until);
        let answer = response.and_then(|response| answer(request, number, response));
        if answer.as_ref().is_err_and(|failure| *failure == Failure::Protocol) {
            self.blocking.clear();
        }
        answer
    }

    fn ask_later<'a>(&'a self, request: Request<'a>, until: Instant) -> Later<'a, Result<Answer, Failure>> {
        Box::pin(async move {
            runtime::current()?;
            let number = self.number();
            let bytes = encode(request, number)?;
            let response = runtime::by(until, self.exchange_later(&bytes)).await;
            let answer = response.and_then(|response| answer(request, number, response));
            if answer.as_ref().is_err_and(|failure| *failure == Failure::Protocol) {
                self.waiting.clear();
            }
            answer
        })
    }

    fn pause(&self, pause: Duration) -> Later<'_, ()> {
        Box::pin(runtime::pause(pause))
    }

    fn detach(&self, future: Later<'static, ()>) {
        runtime::detach(future);
    }

    fn max_value(&self, name: usize) -> usize {
        MAX_ITEM - OVERHEAD - name
    }
}

fn encode(request: Request<'_>, number: u32) -> Result<Vec<u8>, Failure> {
    // Refuses what is no key.
    command(request, number).encode().map_err(|error| failure(&error))
}

fn command(request: Request<'_>, number: u32) -> MetaCommand {
    let new = |operation, name: &str| MetaCommand::new(operation, name).flag(format!("O{number}"));
    match request {
        Request::Get { name, lease } => {
            let command = new(MetaOp::Get, name).flag("v").flag("c");
            match lease {
                Some(lease) => command.flag(format!("N{}", seconds(lease))),
                None => command,
            }
        }
        Request::Set { name, value, ttl, how } => {
            let command = new(MetaOp::Set, name).value(value).flag(format!("T{}", expiry(ttl)));
            match how {
                How::Always => command,
                How::IfAbsent => command.flag("ME"),
                How::Holding(lease) => command.flag(format!("C{}", lease.token)),
            }
        }
        Request::Delete { name } => new(MetaOp::Delete, name),
        Request::Discard { name, mark: token } | Request::Release { name, lease: Lease { token, .. } } => {
            new(MetaOp::Delete, name).flag(format!("C{token}"))
        }
    }
}

fn answer(request: Request<'_>, number: u32, response: Response) -> Result<Answer, Failure> {
    let (mut mark, mut wins, mut waits, mut is_ours) = (0, false, false, false);
    for flag in response.line.flags() {
        match flag {
            b"W" => wins = true,
            b"Z" => waits = true,
            [b'c', digits @ ..] => mark = self::number(digits).ok_or(Failure::Protocol)?,
            [b'O', digits @ ..] => is_ours = self::number(digits) == Some(u64::from(number)),
            _ => {}
        }
    }
    // A miss does not repeat it.
    if !is_ours && response.line.rc() != ReturnCode::En {
        return Err(Failure::Protocol);
    }
    match (request, response.line.rc()) {
        (Request::Get { lease, .. }, ReturnCode::Va) => {
            let value = response.value;
            match lease {
                // What is put in the place of a missing value is empty; values are not.
                Some(lease) if value.is_empty() && wins => {
                    let ends = Instant::now() + Duration::from_secs(seconds(lease) - 1).max(lease / 2);
                    Ok(Answer::Lead(Lease { token: mark, ends }))
                }
                _ if value.is_empty() && waits => Ok(Answer::Follow),
                _ => Ok(Answer::Value(value, mark)),
            }
        }
        (Request::Get { .. }, ReturnCode::En) => Ok(Answer::Absent),
        (Request::Get { .. }, _) => Err(Failure::Protocol),
        (_, ReturnCode::Hd) => Ok(Answer::Done(true)),
        (_, ReturnCode::Ns | ReturnCode::Ex | ReturnCode::Nf) => Ok(Answer::Done(false)),
        _ => Err(Failure::Protocol),
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

/// Rounded up, and at least one: 0 would be for ever. The envelope knows better.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)).max(1)
}

fn expiry(ttl: Option<Duration>) -> u64 {
    match ttl.map(seconds) {
        None => 0,
        Some(relative) if relative <= MAX_RELATIVE => relative,
        Some(relative) => {
            let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
            // The server has 31 bits for it.
            now.saturating_add(relative).min(i32::MAX as u64)
        }
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Io(error) => error.into(),
        Error::Timeout { .. } => Failure::Timeout,
        Error::Ambiguous { source, .. } => failure(source),
        Error::Server(message) if message.contains("too large") => Failure::TooLarge,
        Error::Server(_) | Error::Rejected(_) | Error::Usage(_) => Failure::Refused,
        _ => Failure::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Response, Failure> {
        let end = bytes.iter().take(MAX_LINE as usize).position(|&byte| byte == b'\n');
        let (line, rest) = bytes.split_at(end.map_or(bytes.len().min(MAX_LINE as usize), |end| end + 1));
        let mut response = Response::new(line)?;
        let limit = response.limit().map_or(0, |limit| limit as usize);
        let (value, rest) = rest.split_at(limit.min(rest.len()));
        response.value = value.to_vec();
        response.whole(rest)
    }

    #[test]
    fn answers_are_read_to_their_end() {
        let value = |bytes: &[u8]| read(bytes).map(|response| response.value);
        assert_eq!(value(b"VA 3 c1 O7\r\na\r\n\r\n"), Ok(b"a\r\n".to_vec()));
        assert_eq!(value(b"HD O7\r\n"), Ok(Vec::new()));
        assert_eq!(value(b"VA 3 c1\r\nabcd\r\n"), Err(Failure::Protocol));
        assert_eq!(value(b"VA 3 c1\r\nabc\r\nHD\r\n"), Err(Failure::Protocol));
        assert_eq!(value(b"VA 1000000000 c1\r\nabc"), Err(Failure::Protocol));
        assert_eq!(value(&[b'x'; 5000]), Err(Failure::Protocol));
        assert_eq!(value(b"VA 3 c1\r\nab"), Err(Failure::Connection));
        assert_eq!(value(b""), Err(Failure::Connection));
        assert_eq!(value(b"SERVER_ERROR object too large for cache\r\n"), Err(Failure::TooLarge));
    }

    proptest! {
        #[test]
        fn any_answer_is_read(bytes: Vec<u8>, start in prop::sample::select(vec!["", "VA 3 ", "HD ", "EN\r\n", "VA "])) {
            let _ = read(&[start.as_bytes(), &bytes].concat());
        }
    }

    #[test]
    fn expiry_follows_the_servers_rules() {
        let day = Duration::from_secs(60 * 60 * 24);
        assert_eq!(expiry(None), 0);
        assert_eq!(expiry(Some(Duration::ZERO)), 1);
        assert_eq!(expiry(Some(Duration::from_millis(1001))), 2);
        assert_eq!(expiry(Some(day * 30)), MAX_RELATIVE);
        assert!(expiry(Some(day * 31)) > MAX_RELATIVE * 100);
        assert_eq!(expiry(Some(Duration::MAX)), i32::MAX as u64);
    }
}
