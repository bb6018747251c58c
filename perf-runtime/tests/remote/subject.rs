//! A function whose results are shared, and that counts its runs.

use std::marker::PhantomData;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use perf_runtime::cache::KeepAny;
use perf_runtime::cache::remote::{Kind, RemoteStats, Shared, remote};
use serde::Serialize;

/// Settings that a busy machine keeps.
pub(crate) fn settings() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        remote()
            .deadline(Duration::from_millis(500))
            .back_off(3, Duration::from_millis(50), Duration::from_millis(200))
            .lease(Duration::from_secs(6))
            .wait(Duration::from_secs(5))
            .refresh(Duration::from_millis(200))
            .install();
    });
}

pub(crate) fn leak(shared: Shared) -> &'static Shared {
    settings();
    Box::leak(Box::new(shared))
}

pub(crate) struct Subject {
    pub(crate) shared: &'static Shared,
    runs: AtomicU32,
}

impl Subject {
    pub(crate) fn new(kind: Kind, address: &'static str) -> Self {
        Self::of(Shared::new(kind, "tests::subject").address(address).ttl(Duration::from_secs(600)))
    }

    pub(crate) fn of(shared: Shared) -> Self {
        Subject { shared: leak(shared), runs: AtomicU32::new(0) }
    }

    /// The length of the key's bytes, as text of that length.
    pub(crate) fn call<K: Serialize + ?Sized>(&self, key: &K) -> String {
        let result = self.shared.get_or_run(instance(), key, || self.body(key), KeepAny);
        assert_eq!(result, self::result(key), "{:?}", self.stats());
        result
    }

    /// The same from a future.
    pub(crate) async fn call_async<K: Serialize + ?Sized>(&self, key: &K) -> String {
        let body = async { self.body(key) };
        let result = self.shared.get_or_run_async(instance(), key, body, KeepAny).await;
        assert_eq!(result, self::result(key), "{:?}", self.stats());
        result
    }

    pub(crate) fn invalidate<K: Serialize + ?Sized>(&self, key: &K) -> bool {
        self.shared.invalidate::<(), K, String, KeepAny>(instance(), key, KeepAny)
    }

    fn body<K: Serialize + ?Sized>(&self, key: &K) -> String {
        self.runs.fetch_add(1, Ordering::Relaxed);
        result(key)
    }

    pub(crate) fn runs(&self) -> u32 {
        self.runs.load(Ordering::Relaxed)
    }

    pub(crate) fn stats(&self) -> RemoteStats {
        self.shared.stats()
    }
}

pub(crate) fn instance() -> PhantomData<fn() -> ()> {
    PhantomData
}

fn result<K: Serialize + ?Sized>(key: &K) -> String {
    serde_json::to_string(key).unwrap()
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
