//! memcached, by its meta commands (`mg`, `ms`, `md`), which have leases: of those who miss a key, one is told to compute.
//!
//! The `memcache` crate writes and reads the protocol, with the deadline; connections are kept here, without the check before use that its
//! own pool makes. That a kept connection is dead shows when it is used, and the request is made once more on a new one: all requests
//! may be made twice.
//!
//! Each request has a number that the server repeats, so an answer to another request is not taken for its own.

use core::time::Duration;
use std::time::{Instant, SystemTime};

use memcache::exp::{
    AsyncMetaConnection, Error, MetaCommand, MetaConnection, MetaOp, MetaResponse, ReturnCode,
};
use tokio::sync::Semaphore;

use super::backend::{Answer, Backend, Failure, How, Later, Lease, Request};
use super::net::{self, NOBODY, Pool, runtime};
use crate::sync::{AtomicU32, Ordering};

/// Seconds; what is longer is taken for a date.
const MAX_RELATIVE: u64 = 60 * 60 * 24 * 30;
/// Its default limit for key, value and what it needs itself.
const MAX_ITEM: usize = 1 << 20;
const OVERHEAD: usize = 256;
/// Connections that are used at the same time by futures; threads use one each.
const MAX_CONNECTIONS: usize = 64;

pub(super) struct Memcached {
    address: String,
    blocking: Pool<MetaConnection>,
    waiting: Pool<AsyncMetaConnection>,
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

    fn exchange(&self, command: &MetaCommand, until: Instant) -> Result<MetaResponse, Failure> {
        if let Some(connection) = self.blocking.take(NOBODY) {
            match self.run(connection, command, until) {
                // It was closed while it had nothing to do, as probably all others were.
                Err(Failure::Connection) => self.blocking.clear(),
                answered => return answered,
            }
        }
        let connection = MetaConnection::from_stream(net::connect(&self.address, until)?);
        self.run(connection, command, until)
    }

    fn run(
        &self,
        mut connection: MetaConnection,
        command: &MetaCommand,
        until: Instant,
    ) -> Result<MetaResponse, Failure> {
        connection.set_io_timeout(Some(net::remaining(until)?));
        let response = connection.execute(command).map_err(|error| failure(&error))?;
        self.blocking.put(NOBODY, connection);
        Ok(response)
    }

    async fn exchange_later(&self, command: &MetaCommand) -> Result<MetaResponse, Failure> {
        let runtime = runtime::current()?;
        let _permit = self.permits.acquire().await.map_err(|_| Failure::Connection)?;
        if let Some(connection) = self.waiting.take(runtime) {
            match self.run_later(runtime, connection, command).await {
                Err(Failure::Connection) => self.waiting.clear(),
                answered => return answered,
            }
        }
        let connection = AsyncMetaConnection::connect(self.address.as_str()).await;
        let connection = connection.map_err(|error| failure(&error))?;
        self.run_later(runtime, connection, command).await
    }

    /// The connection is closed if this is given up.
    async fn run_later(
        &self,
        runtime: u64,
        mut connection: AsyncMetaConnection,
        command: &MetaCommand,
    ) -> Result<MetaResponse, Failure> {
        let response = connection.execute(command).await.map_err(|error| failure(&error))?;
        self.waiting.put(runtime, connection);
        Ok(response)
    }
}

impl Backend for Memcached {
    fn ask(&self, request: Request<'_>, until: Instant) -> Result<Answer, Failure> {
        let number = self.number();
        let response = self.exchange(&command(request, number), until);
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
            let command = command(request, number);
            let response = runtime::by(until, self.exchange_later(&command)).await;
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

fn answer(request: Request<'_>, number: u32, response: MetaResponse) -> Result<Answer, Failure> {
    let (mut mark, mut wins, mut waits, mut is_ours) = (0, false, false, false);
    for flag in response.flags() {
        match flag {
            b"W" => wins = true,
            b"Z" => waits = true,
            [b'c', digits @ ..] => mark = self::number(digits).ok_or(Failure::Protocol)?,
            [b'O', digits @ ..] => is_ours = self::number(digits) == Some(u64::from(number)),
            _ => {}
        }
    }
    // A miss does not repeat it.
    if !is_ours && response.rc() != ReturnCode::En {
        return Err(Failure::Protocol);
    }
    match (request, response.rc()) {
        (Request::Get { lease, .. }, ReturnCode::Va) => {
            let value = response.into_value().unwrap_or_default();
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
    use super::*;

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
