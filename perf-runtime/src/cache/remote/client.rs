//! A backend with patience: each request has the deadline, none is made while the server is left alone, and how it ended is counted.
//!
//! There is one client for each address in the program, shared by all functions that are kept there, so that what one of them learns of a
//! server the others need not find out.

use core::fmt;
use core::time::Duration;
#[cfg(any(feature = "memcached", feature = "redis"))]
use std::ffi::OsStr;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::backend::{Answer, Backend, Failure, Request};
use super::breaker::Breaker;
use super::config::{self, Remote};
use super::counters::Counters;
use crate::sync::Mutex;

/// Where results are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// On a memcached server.
    #[cfg(feature = "memcached")]
    Memcached,
    /// On a redis server.
    #[cfg(feature = "redis")]
    Redis,
    /// In a file.
    #[cfg(feature = "disk")]
    Disk,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "memcached")]
            Kind::Memcached => "memcached",
            #[cfg(feature = "redis")]
            Kind::Redis => "redis",
            #[cfg(feature = "disk")]
            Kind::Disk => "disk",
        }
    }
}

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// On this thread, which waits.
    Blocking,
    /// By futures.
    Waiting,
}

pub(super) struct Client {
    pub(super) backend: Box<dyn Backend>,
    pub(super) config: Remote,
    breaker: Breaker,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

/// Never freed: functions hold them, and functions do not end.
static CLIENTS: Mutex<Vec<(Kind, OsString, &'static Client)>> = Mutex::new(Vec::new());

/// The client for an address, or for the one in the settings.
pub(super) fn client(kind: Kind, address: Option<&str>) -> &'static Client {
    let config = config::remote();
    let address = address.map_or_else(|| configured(kind, &config), OsString::from);
    let mut clients = CLIENTS.lock();
    let known = clients.iter().find(|(of, at, _)| *of == kind && *at == address);
    if let Some((.., client)) = known {
        return client;
    }
    // Connects to nothing yet, and so takes no time.
    let backend: Box<dyn Backend> = match kind {
        #[cfg(feature = "memcached")]
        Kind::Memcached => Box::new(super::memcached::Memcached::new(text(&address))),
        #[cfg(feature = "redis")]
        Kind::Redis => Box::new(super::redis::Redis::new(text(&address))),
        #[cfg(feature = "disk")]
        Kind::Disk => Box::new(super::disk::Disk::new(address.as_ref(), config.disk_size)),
    };
    let breaker = Breaker::new(config.patience);
    let client: &'static Client = Box::leak(Box::new(Client { backend, config, breaker }));
    clients.push((kind, address, client));
    client
}

fn configured(kind: Kind, config: &Remote) -> OsString {
    match kind {
        #[cfg(feature = "memcached")]
        Kind::Memcached => config.memcached.clone().into(),
        #[cfg(feature = "redis")]
        Kind::Redis => config.redis.clone().into(),
        #[cfg(feature = "disk")]
        Kind::Disk => config.disk.clone().into_os_string(),
    }
}

/// Came from a string.
#[cfg(any(feature = "memcached", feature = "redis"))]
fn text(address: &OsStr) -> &str {
    address.to_str().unwrap_or_default()
}

impl Client {
    /// The answer, or nothing, which is counted.
    pub(super) async fn ask(&self, mode: Mode, request: Request<'_>, counters: &Counters) -> Option<Answer> {
        let Some(permit) = self.breaker.enter() else {
            counters.skipped.add();
            return None;
        };
        let until = Instant::now() + self.config.deadline;
        let answer = match mode {
            // No client is trusted not to panic at what a server sends.
            Mode::Blocking => catch_unwind(AssertUnwindSafe(|| self.backend.ask(request, until)))
                .unwrap_or(Err(Failure::Protocol)),
            Mode::Waiting => self.backend.ask_later(request, until).await,
        };
        match answer {
            Err(failure) if failure.is_fault() => permit.fail(),
            // Nothing was asked.
            Err(Failure::NoRuntime) => drop(permit),
            _ => permit.succeed(),
        }
        match answer {
            Ok(answer) => return Some(answer),
            Err(Failure::Timeout) => counters.timeouts.add(),
            Err(Failure::TooLarge) => counters.too_large.add(),
            Err(_) => counters.errors.add(),
        }
        None
    }

    /// A while.
    pub(super) async fn pause(&self, mode: Mode, pause: Duration) {
        match mode {
            Mode::Blocking => crate::sync::sleep(pause),
            Mode::Waiting => self.backend.pause(pause).await,
        }
    }
}
