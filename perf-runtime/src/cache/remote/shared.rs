//! What a cached function with a backend holds: it looks up, computes, stores.
//!
//! What does not depend on the function's types is not generic: the machine code of a lookup is in a program once.

use core::future::Future;
use core::marker::PhantomData;
use core::time::Duration;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::backend::{Answer, How, Lease, Request, unique};
use super::client::{Client, Kind, Mode, client};
use super::codec::{self, Codec};
use super::counters::{Counters, RemoteStats};
use super::envelope::{self, Refusal};
use super::key::{self, Family};
use super::lease::{Held, how, now};
use crate::cache::keep::{Keep, Sorted};
use crate::sync::Mutex;

/// Before a generation, to tell it from what else may stand under its name.
const GENERATION: &str = "perfkit generation ";
/// Between two looks at a result that another process is computing.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The results of one function at its backend. Built by generated code as a `static`.
///
/// Of a generic function it serves all instances: each call names its own by a type, whose name should contain all generics.
#[derive(Debug)]
pub struct Shared {
    kind: Kind,
    function: &'static str,
    version: u32,
    ttl: Option<Duration>,
    codec: Codec,
    address: Option<&'static str>,
    client: OnceLock<&'static Client>,
    counters: Counters,
    /// And until when it may be used unseen.
    generation: Mutex<Option<(u64, Instant)>>,
}

/// Making one. Of `static`s, so all of it is `const`.
impl Shared {
    /// The results of `function`, whose name should begin with that of its crate: all programs that use the server use them.
    #[must_use]
    pub const fn new(kind: Kind, function: &'static str) -> Self {
        Shared {
            kind,
            function,
            version: 0,
            ttl: None,
            codec: Codec::Postcard,
            address: None,
            client: OnceLock::new(),
            counters: Counters::new(),
            generation: Mutex::new(None),
        }
    }

    /// To be raised when the function computes something else, or its result is another type of the same name and size.
    #[must_use]
    pub const fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// How long a result is kept: to the millisecond, by this machine's clock.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The form in which results are kept.
    #[must_use]
    pub const fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// Another server or file than that in the settings.
    #[must_use]
    pub const fn address(mut self, address: &'static str) -> Self {
        self.address = Some(address);
        self
    }
}

/// Where a result belongs.
struct Place {
    mode: Mode,
    name: String,
    key: Vec<u8>,
}

/// What the backend has.
enum Found {
    /// The encoded result, from that byte on.
    Bytes(Vec<u8>, usize, Place),
    /// Nothing, and it would take a result.
    Nothing(Place, Option<Held>),
    /// It was not reached.
    Silence,
}

/// What generated code calls.
impl Shared {
    /// The result for `key`: from the backend, or from the body, and then the backend has it.
    ///
    /// Blocks for at most the [deadline](super::Remote::deadline) of a request or two before the body runs and one after it, and while another process
    /// computes this very result, for at most the [wait](super::Remote::wait).
    pub fn get_or_run<M, K, R, W>(
        &'static self,
        _: PhantomData<fn() -> M>,
        key: &K,
        body: impl FnOnce() -> R,
        _: W,
    ) -> R
    where
        M: ?Sized,
        K: Serialize + ?Sized,
        W: Keep<R>,
        W::Kept: Serialize + DeserializeOwned,
    {
        let family = self.family::<M, K, W::Kept>();
        let found = now(self.find(Mode::Blocking, &family, codec::key(key)));
        let (place, held) = match self.decode(found) {
            Decoded::Value(value) => return W::kept(value),
            Decoded::Nothing(place, held) => (place, held),
            Decoded::Silence => return body(),
        };
        let result = body();
        if let Sorted::Kept(value) = W::sort(&result) {
            now(self.store(place, self.codec.encode(&value), held));
        }
        result
    }

    /// The same for a body that is a future. It does not borrow the key.
    pub fn get_or_run_async<M, K, R, W, F>(
        &'static self,
        _: PhantomData<fn() -> M>,
        key: &K,
        body: F,
        _: W,
    ) -> impl Future<Output = R> + use<M, K, R, W, F>
    where
        M: ?Sized,
        K: Serialize + ?Sized,
        F: Future<Output = R>,
        W: Keep<R>,
        W::Kept: Serialize + DeserializeOwned,
    {
        let family = self.family::<M, K, W::Kept>();
        let key = codec::key(key);
        async move {
            let found = self.find(Mode::Waiting, &family, key).await;
            let (place, held) = match self.decode(found) {
                Decoded::Value(value) => return W::kept(value),
                Decoded::Nothing(place, held) => (place, held),
                Decoded::Silence => return body.await,
            };
            let result = body.await;
            let Sorted::Kept(value) = W::sort(&result) else { return result };
            // No `R` is held where this waits, so that the future is `Send` where the body's is.
            drop(result);
            self.store(place, self.codec.encode(&value), held).await;
            W::kept(value)
        }
    }

    /// Removes the result for `key`, for all processes, and tells whether there was one. What is being computed now is not stored.
    pub fn invalidate<M, K, R, W>(&'static self, _: PhantomData<fn() -> M>, key: &K, _: W) -> bool
    where
        M: ?Sized,
        K: Serialize + ?Sized,
        W: Keep<R>,
    {
        let family = self.family::<M, K, W::Kept>();
        now(self.remove(Mode::Blocking, &family, codec::key(key)))
    }

    /// The same without blocking.
    pub fn invalidate_async<M, K, R, W>(
        &'static self,
        _: PhantomData<fn() -> M>,
        key: &K,
        _: W,
    ) -> impl Future<Output = bool> + use<M, K, R, W>
    where
        M: ?Sized,
        K: Serialize + ?Sized,
        W: Keep<R>,
    {
        let family = self.family::<M, K, W::Kept>();
        let key = codec::key(key);
        async move { self.remove(Mode::Waiting, &family, key).await }
    }

    /// Removes all results of the function, of all its instances, and tells whether the backend did so. Other processes notice after the time to
    /// [refresh](super::Remote::refresh).
    #[must_use = "a backend that is not reached removes nothing"]
    pub fn clear(&'static self) -> bool {
        now(self.next_generation(Mode::Blocking))
    }

    /// The same without blocking.
    #[must_use = "a backend that is not reached removes nothing"]
    pub async fn clear_async(&'static self) -> bool {
        self.next_generation(Mode::Waiting).await
    }

    /// What this process counted.
    #[must_use]
    pub fn stats(&self) -> RemoteStats {
        self.counters.read()
    }
}

/// What a call does next.
enum Decoded<V> {
    Value(V),
    Nothing(Place, Option<Held>),
    Silence,
}

impl Shared {
    fn family<M: ?Sized, K: ?Sized, V>(&self) -> Family {
        Family::of::<M, K, V>(self.function, self.version, self.codec.id())
    }

    fn client(&self) -> &'static Client {
        self.client.get_or_init(|| client(self.kind, self.address))
    }

    fn decode<V: DeserializeOwned>(&self, found: Found) -> Decoded<V> {
        match found {
            Found::Bytes(bytes, start, place) => {
                if let Some(value) = self.codec.decode(&bytes[start..]) {
                    self.counters.hits.add();
                    return Decoded::Value(value);
                }
                self.counters.corrupt.add();
                Decoded::Nothing(place, None)
            }
            Found::Nothing(place, held) => {
                self.counters.misses.add();
                Decoded::Nothing(place, held)
            }
            Found::Silence => Decoded::Silence,
        }
    }

    /// Looks for the result, and waits for another process that is computing it.
    async fn find(&'static self, mode: Mode, family: &Family, key: Option<Vec<u8>>) -> Found {
        let Some(key) = key else {
            self.counters.unencodable.add();
            return Found::Silence;
        };
        let Some(generation) = self.generation(mode).await else { return Found::Silence };
        let place = Place { mode, name: family.name(generation, &key), key };
        let (client, counters) = (self.client(), &self.counters);
        let lease = client.config.lease;
        let end = Instant::now() + client.config.wait.min(lease);
        let (mut pause, mut has_waited, mut has_discarded) = (FIRST_PAUSE, false, false);
        loop {
            let request = Request::Get { name: &place.name, lease: Some(lease) };
            match client.ask(mode, request, counters).await {
                None | Some(Answer::Done(_)) => return Found::Silence,
                Some(Answer::Absent) => return Found::Nothing(place, None),
                Some(Answer::Lead(lease)) => {
                    let held = Held::new(client, counters, mode, place.name.clone(), lease);
                    return Found::Nothing(place, Some(held));
                }
                Some(Answer::Value(bytes, mark)) => {
                    let refusal = match envelope::open(&bytes, &place.name, &place.key, milliseconds()) {
                        Ok(body) => {
                            let start = bytes.len() - body.len();
                            if has_waited {
                                counters.lease_hits.add();
                            }
                            return Found::Bytes(bytes, start, place);
                        }
                        Err(refusal) => refusal,
                    };
                    match refusal {
                        Refusal::Foreign => counters.foreign.add(),
                        Refusal::Corrupt => counters.corrupt.add(),
                        Refusal::Expired => {}
                    }
                    if has_discarded {
                        return Found::Nothing(place, None);
                    }
                    // Then one process gets the lease, and not all of them compute.
                    has_discarded = true;
                    let request = Request::Discard { name: &place.name, mark };
                    if client.ask(mode, request, counters).await.is_none() {
                        return Found::Silence;
                    }
                }
                Some(Answer::Follow) => {
                    if !has_waited {
                        has_waited = true;
                        counters.lease_waits.add();
                    }
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Found::Nothing(place, None);
                    }
                    client.pause(mode, pause.min(left)).await;
                    pause = (pause * 3 / 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Stores what the body made.
    async fn store(&'static self, place: Place, body: Option<Vec<u8>>, held: Option<Held>) {
        let (client, counters) = (self.client(), &self.counters);
        let Place { mode, name, key } = place;
        let Some(body) = body else {
            counters.unencodable.add();
            return;
        };
        let sealed = envelope::seal(&name, &key, &body, milliseconds(), self.ttl);
        let Some(value) = sealed.filter(|value| value.len() <= client.backend.max_value(name.len())) else {
            counters.too_large.add();
            return;
        };
        let lease = held.as_ref().and_then(Held::lease);
        let set = |how| Request::Set { name: &name, value: &value, ttl: self.ttl, how };
        let mut answer = client.ask(mode, set(how(lease)), counters).await;
        if matches!(answer, Some(Answer::Done(false))) && lease.is_some_and(Lease::is_over) {
            // It was not taken away but forgotten, as far as one can know.
            answer = client.ask(mode, set(How::IfAbsent), counters).await;
        }
        if matches!(answer, Some(Answer::Done(true))) {
            counters.stores.add();
        }
        // Where nothing was said the lease is given back: the value may not be there.
        if let (Some(held), Some(_)) = (held, answer) {
            held.end();
        }
    }

    async fn remove(&'static self, mode: Mode, family: &Family, key: Option<Vec<u8>>) -> bool {
        let Some(key) = key else { return false };
        let Some(generation) = self.generation(mode).await else { return false };
        let name = family.name(generation, &key);
        let answer = self.client().ask(mode, Request::Delete { name: &name }, &self.counters).await;
        matches!(answer, Some(Answer::Done(true)))
    }

    /// The generation of the results, as the backend has it or had it a short time ago.
    async fn generation(&'static self, mode: Mode) -> Option<u64> {
        let (client, counters) = (self.client(), &self.counters);
        let refresh = client.config.refresh;
        {
            let mut known = self.generation.lock();
            let now = Instant::now();
            if let Some((generation, until)) = &mut *known {
                if now < *until {
                    return Some(*generation);
                }
                // This call looks; the others go on meanwhile.
                *until = now + refresh;
            }
        }
        let look = Look(&self.generation);
        let name = key::generation(self.function, self.version);
        // More than once only where others set or damage it at the same time.
        for _ in 0..3 {
            let generation = match client.ask(mode, Request::Get { name: &name, lease: None }, counters).await
            {
                Some(Answer::Value(bytes, mark)) => {
                    let Some(generation) = read_generation(&bytes) else {
                        counters.foreign.add();
                        if client.ask(mode, Request::Discard { name: &name, mark }, counters).await.is_none()
                        {
                            break;
                        }
                        continue;
                    };
                    generation
                }
                Some(Answer::Absent) => {
                    let generation = unique();
                    match self.set_generation(mode, &name, generation, How::IfAbsent).await {
                        Some(Answer::Done(true)) => generation,
                        Some(_) => continue,
                        None => break,
                    }
                }
                _ => break,
            };
            look.end(generation, Instant::now() + refresh);
            return Some(generation);
        }
        None
    }

    async fn next_generation(&'static self, mode: Mode) -> bool {
        let name = key::generation(self.function, self.version);
        let generation = unique();
        let answer = self.set_generation(mode, &name, generation, How::Always).await;
        let is_set = matches!(answer, Some(Answer::Done(true)));
        let refresh = self.client().config.refresh;
        *self.generation.lock() = is_set.then(|| (generation, Instant::now() + refresh));
        is_set
    }

    async fn set_generation(
        &'static self,
        mode: Mode,
        name: &str,
        generation: u64,
        how: How<'_>,
    ) -> Option<Answer> {
        let value = format!("{GENERATION}{generation:x}");
        let request = Request::Set { name, value: value.as_bytes(), ttl: None, how };
        self.client().ask(mode, request, &self.counters).await
    }
}

/// While a call looks which generation it is. If it finds none, or is given up, nothing is known.
struct Look<'a>(&'a Mutex<Option<(u64, Instant)>>);

impl Look<'_> {
    fn end(self, generation: u64, until: Instant) {
        *self.0.lock() = Some((generation, until));
        core::mem::forget(self);
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

fn read_generation(bytes: &[u8]) -> Option<u64> {
    let digits = str::from_utf8(bytes).ok()?.strip_prefix(GENERATION)?;
    u64::from_str_radix(digits, 16).ok()
}

/// Since 1970.
fn milliseconds() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as u64)
}
