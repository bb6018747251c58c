//! What a cached function with a backend holds: it looks up, computes, stores.
//!
//! What does not depend on the function's types is not generic: the machine code of a lookup is in a program once.

use core::any::type_name;
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
use crate::cache::registry;
use crate::site::Site;
use crate::snapshot::RemoteRow;
use crate::sync::{AtomicU64, Mutex, Ordering};

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
    function: Function,
    /// Of a [`Function::At`], when it is known.
    name: OnceLock<&'static str>,
    version: u32,
    ttl: Option<Duration>,
    codec: Codec,
    address: Option<&'static str>,
    client: OnceLock<&'static Client>,
    counters: Counters,
    /// And until when it may be used unseen.
    generation: Mutex<Option<(u64, Instant)>>,
    removals: AtomicU64,
}

/// What the function is called at the backend.
#[derive(Clone, Copy, Debug)]
enum Function {
    Named(&'static str),
    /// As the compiler names it, which is not known before the program runs.
    At(&'static Site),
}

/// Making one. Of `static`s, so all of it is `const`.
impl Shared {
    /// The results of `function`, whose name should begin with that of its crate: all programs that use the server use them.
    #[must_use]
    pub const fn new(kind: Kind, function: &'static str) -> Self {
        Shared::of_function(kind, Function::Named(function))
    }

    /// The results of the function at `site`.
    #[must_use]
    pub const fn at(kind: Kind, site: &'static Site) -> Self {
        Shared::of_function(kind, Function::At(site))
    }

    const fn of_function(kind: Kind, function: Function) -> Self {
        Shared {
            kind,
            function,
            name: OnceLock::new(),
            version: 0,
            ttl: None,
            codec: Codec::Postcard,
            address: None,
            client: OnceLock::new(),
            counters: Counters::new(),
            generation: Mutex::new(None),
            removals: AtomicU64::new(0),
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
    /// How often this process had removed a result of the function by then.
    removals: u64,
}

/// What is asked for.
pub(super) struct Call {
    /// Names of types: the instance of the function, the key, the value.
    types: [&'static str; 3],
    value_size: usize,
    /// `None` where it has no such form.
    key: Option<Vec<u8>>,
}

impl Call {
    /// Of the instance that this text names.
    pub(super) fn of<K: Serialize + ?Sized, V>(instance: &'static str, key: &K) -> Self {
        let types = [instance, type_name::<K>(), type_name::<V>()];
        Call { types, value_size: size_of::<V>(), key: codec::key(key) }
    }
}

/// A result, for a backend and for the caller.
pub(super) enum Split<R> {
    /// Its bytes, if it has any, and what makes it again: an `R` need not be `Send`.
    Kept(Option<Vec<u8>>, Box<dyn FnOnce() -> R + Send>),
    NotKept(R),
}

pub(super) type Splitter<R> = fn(R, Codec) -> Split<R>;

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
        self.run::<R, W>(Call::of::<K, W::Kept>(type_name::<M>(), key), body)
    }

    /// The same where the key is encoded already.
    pub(super) fn run<R, W>(&'static self, call: Call, body: impl FnOnce() -> R) -> R
    where
        W: Keep<R>,
        W::Kept: Serialize + DeserializeOwned,
    {
        let found = now(self.find(Mode::Blocking, call));
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
        let call = Call::of::<K, W::Kept>(type_name::<M>(), key);
        self.run_async::<R, W, F>(call, body)
    }

    pub(super) async fn run_async<R, W, F>(&'static self, call: Call, body: F) -> R
    where
        F: Future<Output = R>,
        W: Keep<R>,
        W::Kept: Serialize + DeserializeOwned,
    {
        let found = self.find(Mode::Waiting, call).await;
        let (place, held) = match self.decode(found) {
            Decoded::Value(value) => return W::kept(value),
            Decoded::Nothing(place, held) => (place, held),
            Decoded::Silence => return body.await,
        };
        // No `R` is held where this waits, nor one that was borrowed, so that the future is `Send` where the body's is.
        let value = match to_keep::<R, W>(body.await) {
            Ok(value) => value,
            Err(result) => return result,
        };
        self.store(place, self.codec.encode(&value), held).await;
        W::kept(value)
    }

    /// A run of the body whatever the backend has, whose result it then has. Begins by removing what it has, so that whoever
    /// invalidates the result meanwhile, in whatever process, is obeyed.
    pub(super) fn prime<R>(&'static self, call: Call, split: Splitter<R>, body: impl FnOnce() -> R) -> R {
        let place = now(self.renew(Mode::Blocking, call));
        let result = body();
        let Some((place, held)) = place else { return result };
        match split(result, self.codec) {
            Split::Kept(bytes, again) => {
                now(self.store(place, bytes, held));
                again()
            }
            Split::NotKept(result) => result,
        }
    }

    pub(super) async fn prime_async<R>(
        &'static self,
        call: Call,
        split: Splitter<R>,
        body: impl Future<Output = R>,
    ) -> R {
        let Some((place, held)) = self.renew(Mode::Waiting, call).await else { return body.await };
        let (bytes, again) = match split(body.await, self.codec) {
            Split::Kept(bytes, again) => (bytes, again),
            Split::NotKept(result) => return result,
        };
        self.store(place, bytes, held).await;
        again()
    }

    /// Removes the result for `key`, for all processes, and tells whether there was one. What is being computed now is not stored.
    pub fn invalidate<M, K, R, W>(&'static self, _: PhantomData<fn() -> M>, key: &K, _: W) -> bool
    where
        M: ?Sized,
        K: Serialize + ?Sized,
        W: Keep<R>,
    {
        self.invalidate_call(Call::of::<K, W::Kept>(type_name::<M>(), key))
    }

    pub(super) fn invalidate_call(&'static self, call: Call) -> bool {
        now(self.remove(Mode::Blocking, call))
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
        self.invalidate_call_async(Call::of::<K, W::Kept>(type_name::<M>(), key))
    }

    pub(super) async fn invalidate_call_async(&'static self, call: Call) -> bool {
        self.remove(Mode::Waiting, call).await
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
    fn function(&self) -> &'static str {
        match self.function {
            Function::Named(name) => name,
            Function::At(site) => self.name.get_or_init(|| registry::name_at_backend(site)),
        }
    }

    /// What reports show.
    pub(in crate::cache) fn row(&'static self) -> RemoteRow {
        self.stats().row(self.kind.name())
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
    async fn find(&'static self, mode: Mode, call: Call) -> Found {
        match self.place(mode, call).await {
            Some(place) => self.find_at(place).await,
            None => Found::Silence,
        }
    }

    async fn place(&'static self, mode: Mode, call: Call) -> Option<Place> {
        let Call { types, value_size, key } = call;
        let Some(key) = key else {
            self.counters.unencodable.add();
            return None;
        };
        let removals = self.removals.load(Ordering::SeqCst);
        let generation = self.generation(mode).await?;
        let (function, version, codec) = (self.function(), self.version, self.codec.id());
        let name = Family { function, version, codec, types, value_size }.name(generation, &key);
        Some(Place { mode, name, key, removals })
    }

    async fn find_at(&'static self, place: Place) -> Found {
        let mode = place.mode;
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
        let Place { mode, name, key, removals } = place;
        let is_removed = || held.is_none() && self.removals.load(Ordering::SeqCst) != removals;
        if is_removed() {
            return;
        }
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
        if is_removed() {
            // Just now: it may have been stored after it.
            client.ask(mode, Request::Delete { name: &name }, counters).await;
        } else if matches!(answer, Some(Answer::Done(true))) {
            counters.stores.add();
        }
        // Where nothing was said the lease is given back: the value may not be there.
        if let (Some(held), Some(_)) = (held, answer) {
            held.end();
        }
    }

    async fn remove(&'static self, mode: Mode, call: Call) -> bool {
        match self.place(mode, call).await {
            Some(place) => self.remove_at(&place).await == Some(true),
            None => false,
        }
    }

    /// `None` if the backend did not say.
    async fn remove_at(&'static self, place: &Place) -> Option<bool> {
        // Of a backend without leases this is what tells those who compute.
        self.removals.fetch_add(1, Ordering::SeqCst);
        let request = Request::Delete { name: &place.name };
        match self.client().ask(place.mode, request, &self.counters).await? {
            Answer::Done(was_there) => Some(was_there),
            _ => None,
        }
    }

    /// Removes the result and gives the place for another one. `None` where the backend is not reached.
    async fn renew(&'static self, mode: Mode, call: Call) -> Option<(Place, Option<Held>)> {
        let mut place = self.place(mode, call).await?;
        self.remove_at(&place).await?;
        place.removals = self.removals.load(Ordering::SeqCst);
        match self.find_at(place).await {
            Found::Bytes(_, _, place) => Some((place, None)),
            Found::Nothing(place, held) => Some((place, held)),
            Found::Silence => None,
        }
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
        let name = key::generation(self.function(), self.version);
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
        self.removals.fetch_add(1, Ordering::SeqCst);
        let name = key::generation(self.function(), self.version);
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

/// What is to be kept of a result, or the result.
fn to_keep<R, W: Keep<R>>(result: R) -> Result<W::Kept, R> {
    match W::sort(&result) {
        Sorted::Kept(value) => Ok(value),
        Sorted::Refused(_) | Sorted::Private => Err(result),
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
