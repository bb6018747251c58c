//! Where the backends are, and how long a call has patience with them.
//!
//! What the program says with [`remote`] comes first, then the environment, then the defaults.

use core::time::Duration;
use std::env;
use std::path::PathBuf;

use super::breaker::Patience;
use crate::sync::Mutex;

/// Longer than anybody means, and short enough that times can be added.
const LONGEST: Duration = Duration::from_secs(60 * 60 * 24);

static INSTALLED: Mutex<Option<Remote>> = Mutex::new(None);

/// The settings of all backends, to be changed and [installed](Remote::install).
///
/// ```
/// use std::time::Duration;
///
/// perf_runtime::cache::remote::remote()
///     .memcached("cache.internal:11211")
///     .deadline(Duration::from_millis(50))
///     .install();
/// ```
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until they are installed"]
pub struct Remote {
    pub(super) memcached: String,
    pub(super) redis: String,
    pub(super) disk: PathBuf,
    pub(super) disk_size: u64,
    pub(super) deadline: Duration,
    pub(super) lease: Duration,
    pub(super) wait: Duration,
    pub(super) refresh: Duration,
    pub(super) patience: Patience,
}

/// The settings as they are: those installed last, or else what the environment and the defaults give.
///
/// | variable | default |
/// |---|---|
/// | `PERFKIT_MEMCACHED` | `127.0.0.1:11211` |
/// | `PERFKIT_REDIS` | `redis://127.0.0.1:6379` |
/// | `PERFKIT_DISK` | `perfkit/<program>.redb` in the user's directory for caches |
pub fn remote() -> Remote {
    INSTALLED.lock().clone().unwrap_or_else(Remote::from_environment)
}

impl Remote {
    fn from_environment() -> Self {
        let text = |name, or: &str| match env::var(name) {
            Ok(value) if !value.is_empty() => value,
            _ => or.to_owned(),
        };
        let disk = env::var_os("PERFKIT_DISK").filter(|path| !path.is_empty());
        Remote {
            memcached: text("PERFKIT_MEMCACHED", "127.0.0.1:11211"),
            redis: text("PERFKIT_REDIS", "redis://127.0.0.1:6379"),
            disk: disk.map_or_else(default_disk, PathBuf::from),
            disk_size: 256 << 20,
            deadline: Duration::from_millis(100),
            lease: Duration::from_secs(10),
            wait: Duration::from_secs(2),
            refresh: Duration::from_secs(1),
            patience: Patience {
                failures: 5,
                first: Duration::from_millis(100),
                longest: Duration::from_secs(10),
            },
        }
    }

    /// The memcached server, `host:port`.
    pub fn memcached(mut self, address: impl Into<String>) -> Self {
        self.memcached = address.into();
        self
    }

    /// The redis server, `redis://[[user]:password@]host[:port][/database]`.
    pub fn redis(mut self, url: impl Into<String>) -> Self {
        self.redis = url.into();
        self
    }

    /// The file on disk.
    pub fn disk(mut self, path: impl Into<PathBuf>) -> Self {
        self.disk = path.into();
        self
    }

    /// Bytes of results that are kept in the file; beyond that, the oldest give way. 256 MiB by default.
    pub fn disk_size(mut self, bytes: u64) -> Self {
        self.disk_size = bytes;
        self
    }

    /// How long one request may take, with connecting if need be. 100 ms by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.clamp(Duration::from_millis(1), LONGEST);
        self
    }

    /// For how long one process alone may compute a missing result while others wait. 10 s by default; if it dies meanwhile, they
    /// wait no longer than that.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.clamp(Duration::from_secs(1), LONGEST);
        self
    }

    /// How long a call waits for a result that another process is computing, before it computes for itself. 2 s by default; never longer than
    /// the [lease](Remote::lease).
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// How long after another process has cleared a function's results they may still be used here. 1 s by default.
    pub fn refresh(mut self, refresh: Duration) -> Self {
        self.refresh = refresh.min(LONGEST);
        self
    }

    /// After how many failures in a row a server is left alone, for how long at first, and for how long at most. 5, 100 ms and 10 s by
    /// default.
    pub fn back_off(mut self, failures: u32, first: Duration, longest: Duration) -> Self {
        self.patience = Patience { failures: failures.max(1), first, longest: longest.min(LONGEST) };
        self
    }

    /// Makes these the settings of all functions that have not met their backend yet.
    pub fn install(self) {
        *INSTALLED.lock() = Some(self);
    }
}

/// One file for each program: two that have a function in common do not know each other's versions of it.
fn default_disk() -> PathBuf {
    let home = || env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let caches = if cfg!(windows) {
        env::var_os("LOCALAPPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches"))
    } else {
        let told = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        told.or_else(|| home().map(|home| home.join(".cache")))
    };
    let program = env::current_exe().ok();
    let program = program.as_ref().and_then(|path| path.file_stem());
    let file = program.map_or_else(|| "program".into(), |name| name.to_string_lossy());
    caches.unwrap_or_else(env::temp_dir).join("perfkit").join(format!("{file}.redb"))
}
