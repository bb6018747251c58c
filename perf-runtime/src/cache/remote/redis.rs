//! redis. A lease is a second entry, `<name>:lock`, which is set only where none is and goes away by itself.
//!
//! The `redis` crate writes and reads the protocol. Blocking requests go over connections of ours, because the crate's own time each read
//! but not the whole answer, and not the greeting; futures share one connection of the crate's for each runtime.
//!
//! Whoever holds a lease stores by a script that looks whether the lease is still its own: an entry that was deleted meanwhile is not stored.

use core::time::Duration;
use std::io::Write as _;
use std::time::Instant;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, Parser, Pipeline, RedisError, Value};

use super::backend::{Answer, Backend, Failure, How, Later, Lease, Request, unique};
use super::net::{self, NOBODY, Pool, Timed, runtime};
use crate::sync::Mutex;

/// What a server takes by default is 512 MiB, which nobody should wait for.
const MAX_VALUE: usize = 64 << 20;
/// Runtimes that are remembered.
const MAX_RUNTIMES: usize = 16;

const STORE: &str = "\
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1";
const RELEASE: &str = "\
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0";

pub(super) struct Redis {
    /// `None` where the address is none that is understood here.
    client: Option<Client>,
    idle: Pool<Connection>,
    /// One for each runtime, and a number that tells it from its successor.
    shared: Mutex<Vec<(u64, u64, MultiplexedConnection)>>,
    /// Held by the future that connects.
    connecting: tokio::sync::Mutex<()>,
}

impl Redis {
    pub(super) fn new(url: &str) -> Self {
        let client = Client::open(url).ok();
        let client =
            client.filter(|client| matches!(client.get_connection_info().addr(), ConnectionAddr::Tcp(..)));
        if client.is_none() {
            eprintln!(
                "perfkit: not the address of a redis server: `redis://host:port` is, without TLS; nothing is shared"
            );
        }
        Redis {
            client,
            idle: Pool::new(),
            shared: Mutex::new(Vec::new()),
            connecting: tokio::sync::Mutex::const_new(()),
        }
    }

    /// The answers to all commands of the pipeline, of which none may be refused.
    fn exchange(&self, pipeline: &Pipeline, until: Instant) -> Result<Vec<Value>, Failure> {
        let client = self.client.as_ref().ok_or(Failure::Refused)?;
        if let Some(connection) = self.idle.take(NOBODY) {
            match self.run(connection, pipeline, until) {
                // It was closed while it had nothing to do, as probably all others were.
                Err(Failure::Connection) => self.idle.clear(),
                answered => return answered,
            }
        }
        self.run(Connection::new(client, until)?, pipeline, until)
    }

    fn run(
        &self,
        mut connection: Connection,
        pipeline: &Pipeline,
        until: Instant,
    ) -> Result<Vec<Value>, Failure> {
        connection.stream.set_deadline(until);
        let answers = connection.exchange(pipeline)?;
        // A refusal is an answer like any other: the connection is good.
        self.idle.put(NOBODY, connection);
        answers.into_iter().map(accepted).collect()
    }

    async fn exchange_later(&self, pipeline: &Pipeline) -> Result<Vec<Value>, Failure> {
        let runtime = runtime::current()?;
        let mut is_second = false;
        loop {
            let (number, mut connection, is_new) = self.connection(runtime).await?;
            // Also if it is given up: a connection that does not answer is not used again.
            let mut suspect = Suspect { redis: self, number, is_cleared: false };
            let answers: Result<Vec<Value>, RedisError> = pipeline.query_async(&mut connection).await;
            match answers.map_err(|error| failure(&error)) {
                Err(Failure::Connection) if !is_new && !is_second => is_second = true,
                answered => {
                    suspect.is_cleared = !answered.as_ref().is_err_and(|failure| failure.is_fault());
                    return answered;
                }
            }
        }
    }

    /// The runtime's connection, with its number, and whether it is new.
    async fn connection(&self, runtime: u64) -> Result<(u64, MultiplexedConnection, bool), Failure> {
        if let Some((number, connection)) = self.existing(runtime) {
            return Ok((number, connection, false));
        }
        let client = self.client.as_ref().ok_or(Failure::Refused)?;
        let _turn = self.connecting.lock().await;
        if let Some((number, connection)) = self.existing(runtime) {
            return Ok((number, connection, false));
        }
        // Whoever asked has a deadline of its own.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connection = client.get_multiplexed_async_connection_with_config(&config).await;
        let connection = connection.map_err(|error| failure(&error))?;
        let number = unique();
        let mut shared = self.shared.lock();
        let oldest = (shared.len() >= MAX_RUNTIMES).then(|| shared.remove(0));
        shared.push((runtime, number, connection.clone()));
        drop(shared);
        drop(oldest);
        Ok((number, connection, true))
    }

    fn existing(&self, runtime: u64) -> Option<(u64, MultiplexedConnection)> {
        let shared = self.shared.lock();
        let (_, number, connection) = shared.iter().find(|(of, ..)| *of == runtime)?;
        Some((*number, connection.clone()))
    }

    fn forget(&self, number: u64) {
        let mut shared = self.shared.lock();
        let at = shared.iter().position(|(_, of, _)| *of == number);
        let gone = at.map(|at| shared.remove(at));
        drop(shared);
        drop(gone);
    }
}

/// A shared connection that is forgotten, unless it is found to be good.
struct Suspect<'a> {
    redis: &'a Redis,
    number: u64,
    is_cleared: bool,
}

impl Drop for Suspect<'_> {
    fn drop(&mut self) {
        if !self.is_cleared {
            self.redis.forget(self.number);
        }
    }
}

impl Backend for Redis {
    fn ask(&self, request: Request<'_>, until: Instant) -> Result<Answer, Failure> {
        let answer = answer(request, &self.exchange(&commands(request), until)?)?;
        match (&answer, request) {
            (Answer::Absent, Request::Get { name, lease: Some(length) }) => {
                let (pipeline, lease) = take_lease(name, length);
                leased(lease, &self.exchange(&pipeline, until)?)
            }
            _ => Ok(answer),
        }
    }

    fn ask_later<'a>(&'a self, request: Request<'a>, until: Instant) -> Later<'a, Result<Answer, Failure>> {
        Box::pin(async move {
            runtime::current()?;
            runtime::by(until, async {
                let answer = answer(request, &self.exchange_later(&commands(request)).await?)?;
                match (&answer, request) {
                    (Answer::Absent, Request::Get { name, lease: Some(length) }) => {
                        let (pipeline, lease) = take_lease(name, length);
                        leased(lease, &self.exchange_later(&pipeline).await?)
                    }
                    _ => Ok(answer),
                }
            })
            .await
        })
    }

    fn pause(&self, pause: Duration) -> Later<'_, ()> {
        Box::pin(runtime::pause(pause))
    }

    fn detach(&self, future: Later<'static, ()>) {
        runtime::detach(future);
    }

    fn max_value(&self, _: usize) -> usize {
        MAX_VALUE
    }
}

/// A connection for one request at a time.
struct Connection {
    stream: Timed,
    parser: Parser,
}

impl Connection {
    fn new(client: &Client, until: Instant) -> Result<Self, Failure> {
        let info = client.get_connection_info();
        let ConnectionAddr::Tcp(host, port) = info.addr() else { return Err(Failure::Refused) };
        let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let stream = Timed::new(net::connect(&address, until)?, until);
        let mut connection = Connection { stream, parser: Parser::new() };
        let settings = info.redis_settings();
        let mut greeting = Pipeline::new();
        if let Some(password) = settings.password() {
            greeting.cmd("AUTH").arg(settings.username()).arg(password);
        }
        if settings.db() != 0 {
            greeting.cmd("SELECT").arg(settings.db());
        }
        if !greeting.is_empty() {
            connection.exchange(&greeting)?.into_iter().try_for_each(|value| accepted(value).map(drop))?;
        }
        Ok(connection)
    }

    fn exchange(&mut self, pipeline: &Pipeline) -> Result<Vec<Value>, Failure> {
        let Connection { stream, parser } = self;
        stream.write_all(&pipeline.get_packed_pipeline()).map_err(|error| Failure::from(&error))?;
        let mut read = || parser.parse_value(&mut *stream).map_err(|error| failure(&error));
        (0..pipeline.len()).map(|_| read()).collect()
    }
}

fn commands(request: Request<'_>) -> Pipeline {
    let mut pipeline = Pipeline::new();
    match request {
        Request::Get { name, .. } => {
            pipeline.cmd("GET").arg(name);
        }
        Request::Set { name, value, ttl, how: How::Holding(lease) } => {
            let ttl = ttl.map_or_else(String::new, |ttl| milliseconds(ttl).to_string());
            pipeline.cmd("EVAL").arg(STORE).arg(2).arg(name).arg(lock(name));
            pipeline.arg(lease.token).arg(value).arg(ttl);
        }
        Request::Set { name, value, ttl, how } => {
            pipeline.cmd("SET").arg(name).arg(value);
            if let Some(ttl) = ttl {
                pipeline.arg("PX").arg(milliseconds(ttl));
            }
            if matches!(how, How::IfAbsent) {
                pipeline.arg("NX");
            }
        }
        Request::Delete { name } => {
            pipeline.cmd("DEL").arg(name).arg(lock(name));
        }
        Request::Discard { name, .. } => {
            pipeline.cmd("DEL").arg(name);
        }
        Request::Release { name, lease } => {
            pipeline.cmd("EVAL").arg(RELEASE).arg(1).arg(lock(name)).arg(lease.token);
        }
    }
    pipeline
}

fn answer(request: Request<'_>, values: &[Value]) -> Result<Answer, Failure> {
    match (request, values) {
        (Request::Get { .. }, [value]) => found(value),
        (Request::Get { .. }, _) => Err(Failure::Protocol),
        (_, [Value::Okay]) => Ok(Answer::Done(true)),
        // The condition of `SET`.
        (Request::Set { .. }, [Value::Nil]) => Ok(Answer::Done(false)),
        (_, [Value::Int(number)]) => Ok(Answer::Done(*number > 0)),
        _ => Err(Failure::Protocol),
    }
}

fn found(value: &Value) -> Result<Answer, Failure> {
    match value {
        Value::Nil => Ok(Answer::Absent),
        Value::BulkString(bytes) => Ok(Answer::Value(bytes.clone(), 0)),
        _ => Err(Failure::Protocol),
    }
}

/// Takes the lease, and looks again: another may have stored and gone meanwhile.
fn take_lease(name: &str, length: Duration) -> (Pipeline, Lease) {
    let token = unique();
    let mut pipeline = Pipeline::new();
    pipeline.cmd("SET").arg(lock(name)).arg(token).arg("PX").arg(milliseconds(length)).arg("NX");
    pipeline.cmd("GET").arg(name);
    (pipeline, Lease { token, ends: Instant::now() + length })
}

fn leased(lease: Lease, values: &[Value]) -> Result<Answer, Failure> {
    match values {
        // If the lease was taken for nothing it ends by itself, and nobody asks for it while there is a value.
        [_, value] if *value != Value::Nil => found(value),
        [Value::Okay, _] => Ok(Answer::Lead(lease)),
        [Value::Nil, _] => Ok(Answer::Follow),
        _ => Err(Failure::Protocol),
    }
}

fn lock(name: &str) -> String {
    format!("{name}:lock")
}

fn milliseconds(duration: Duration) -> u64 {
    // What the server adds to its clock must not overflow.
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).clamp(1, i64::MAX as u64 / 4)
}

fn accepted(value: Value) -> Result<Value, Failure> {
    match value {
        Value::ServerError(_) => Err(Failure::Refused),
        value => Ok(value),
    }
}

fn failure(error: &RedisError) -> Failure {
    match error.kind() {
        _ if error.is_timeout() => Failure::Timeout,
        ErrorKind::Io => Failure::Connection,
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Failure::Protocol,
        _ if error.is_unrecoverable_error() => Failure::Connection,
        _ => Failure::Refused,
    }
}
