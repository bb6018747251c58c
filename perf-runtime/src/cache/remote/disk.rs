//! A file, by redb: transactions that a crash leaves whole, checksums, and any number of processes that share it.
//!
//! | table | key | value |
//! |---|---|---|
//! | `entries` | name | number of the write, value |
//! | `ages` | number of the write | name, bytes of the value; not of a generation, which must outlive the results |
//! | `totals` | `next`, `bytes` | the next number; all values together |
//!
//! Each write is durable when it returns, also after a crash. When there is more than the limit, what was written first goes.
//!
//! redb waits for other processes without an end, and one of them may be stopped in the middle of a write. So a thread does what there is to do, one
//! request after the other, and whoever asks waits for it no longer than is reasonable.
//!
//! A file that is damaged is told on standard error, put aside and begun anew. redb itself may panic on pages that somebody else wrote into, so
//! the file is checked as a whole when it is opened, and what it still may do is caught.

use core::time::Duration;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Instant;

use redb::{
    ConcurrencyMode, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition,
    TableError, TransactionError, WriteTransaction,
};

use super::backend::{Answer, Backend, Failure, How, Request};
use super::key::is_generation;
use crate::sync::sleep;

const ENTRIES: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("entries");
const AGES: TableDefinition<'_, u64, (&str, u64)> = TableDefinition::new("ages");
const TOTALS: TableDefinition<'_, &str, u64> = TableDefinition::new("totals");

const MAX_VALUE: usize = 64 << 20;
/// Of pages in memory.
const CACHE: usize = 8 << 20;
/// For a request: a write waits for the disk, and the first one for the file to be checked.
const PATIENCE: Duration = Duration::from_secs(2);
/// Requests that wait to be taken up.
const QUEUE: usize = 256;

pub(super) struct Disk {
    path: PathBuf,
    limit: u64,
    /// To the thread that does it; `None` if there can be none.
    worker: OnceLock<Option<SyncSender<Task>>>,
}

/// A request, and who waits for the answer.
struct Task {
    request: Owned,
    until: Instant,
    asker: SyncSender<Result<Answer, Failure>>,
}

enum Owned {
    Get(String),
    Set { name: String, value: Vec<u8>, only_if_absent: bool },
    Remove(String),
}

impl Disk {
    pub(super) fn new(path: &Path, limit: u64) -> Self {
        Disk { path: path.to_owned(), limit, worker: OnceLock::new() }
    }

    fn worker(&self) -> Option<&SyncSender<Task>> {
        let start = || {
            let (sender, tasks) = sync_channel(QUEUE);
            let mut file = File { path: self.path.clone(), limit: self.limit, open: None };
            let thread = thread::Builder::new().name("perfkit-disk".into());
            thread.spawn(move || file.work(&tasks)).is_ok().then_some(sender)
        };
        self.worker.get_or_init(start).as_ref()
    }
}

impl Backend for Disk {
    /// The deadline is for servers; here it is another.
    fn ask(&self, request: Request<'_>, _: Instant) -> Result<Answer, Failure> {
        let request = match request {
            Request::Get { name, .. } => Owned::Get(name.into()),
            Request::Set { name, value, how, .. } => Owned::Set {
                name: name.into(),
                value: value.into(),
                only_if_absent: matches!(how, How::IfAbsent),
            },
            Request::Delete { name } | Request::Discard { name, .. } => Owned::Remove(name.into()),
            Request::Release { .. } => return Ok(Answer::Done(false)),
        };
        let worker = self.worker().ok_or(Failure::Connection)?;
        let (asker, answer) = sync_channel(1);
        worker.try_send(Task { request, until: Instant::now() + PATIENCE, asker }).map_err(|error| {
            match error {
                TrySendError::Full(_) => Failure::Timeout,
                TrySendError::Disconnected(_) => Failure::Connection,
            }
        })?;
        answer.recv_timeout(PATIENCE).map_err(|_| Failure::Timeout)?
    }

    fn max_value(&self, _: usize) -> usize {
        MAX_VALUE.min(usize::try_from(self.limit).unwrap_or(usize::MAX))
    }
}

/// The file, as its thread has it.
struct File {
    path: PathBuf,
    limit: u64,
    open: Option<Database>,
}

/// What redb says.
enum Trouble {
    Damage(String),
    Failure(Failure),
}

impl File {
    fn work(&mut self, tasks: &Receiver<Task>) {
        for Task { request, until, asker } in tasks {
            // Nobody waits for it any more.
            if Instant::now() < until {
                let _ = asker.send(self.run(&request));
            }
        }
    }

    fn run(&mut self, request: &Owned) -> Result<Answer, Failure> {
        match caught(|| self.answer(request)) {
            Ok(answer) => Ok(answer),
            Err(Trouble::Failure(failure)) => Err(failure),
            Err(Trouble::Damage(what)) => {
                // Closing may find more of it.
                let open = self.open.take();
                let _ = caught(|| {
                    drop(open);
                    Ok(())
                });
                self.put_aside(&what);
                // As far as anybody knows there is nothing in it.
                caught(|| self.answer(request)).map_err(|_| Failure::Connection)
            }
        }
    }

    fn answer(&mut self, request: &Owned) -> Result<Answer, Trouble> {
        let database = match &mut self.open {
            Some(database) => database,
            open => open.insert(create(&self.path)?),
        };
        match request {
            Owned::Get(name) => get(database, name),
            Owned::Set { name, value, only_if_absent } => {
                change(database, self.limit, name, Some(value), *only_if_absent)
            }
            Owned::Remove(name) => change(database, self.limit, name, None, false),
        }
    }

    /// The file stays beside the new one, under a name that the next damaged one takes.
    fn put_aside(&self, what: &str) {
        let aside = self.path.with_extension("damaged");
        let path = self.path.display();
        eprintln!(
            "perfkit: the results in {path} are damaged ({what}); they are computed anew, and the file is kept as {}",
            aside.display()
        );
        if fs::rename(&self.path, &aside).is_err() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn create(path: &Path) -> Result<Database, Trouble> {
    if let Some(directory) = path.parent() {
        // If it fails, so does opening.
        let _ = fs::create_dir_all(directory);
    }
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder.set_concurrency_mode(ConcurrencyMode::MultiWriter);
    builder.set_check_integrity_on_open(true);
    Ok(builder.create(path)?)
}

fn change(
    database: &Database,
    limit: u64,
    name: &str,
    value: Option<&[u8]>,
    only_if_absent: bool,
) -> Result<Answer, Trouble> {
    let transaction = begin(database)?;
    let is_done = {
        let mut entries = transaction.open_table(ENTRIES)?;
        let mut ages = transaction.open_table(AGES)?;
        let mut totals = transaction.open_table(TOTALS)?;
        let total = |name| -> Result<u64, Trouble> { Ok(totals.get(name)?.map_or(0, |total| total.value())) };
        let (mut next, mut bytes) = (total("next")?, total("bytes")?);
        let old = entries.get(name)?.map(|old| (old.value().0, old.value().1.len() as u64));
        if old.is_some() && only_if_absent {
            false
        } else {
            if let Some((number, length)) = old {
                if ages.remove(number)?.is_some() {
                    bytes = bytes.saturating_sub(length);
                }
                if value.is_none() {
                    entries.remove(name)?;
                }
            }
            if let Some(value) = value {
                entries.insert(name, (next, value))?;
                if !is_generation(name) {
                    ages.insert(next, (name, value.len() as u64))?;
                    bytes = bytes.saturating_add(value.len() as u64);
                }
                next = next.wrapping_add(1);
            }
            while bytes > limit {
                let Some(oldest) = ages.pop_first()? else { break };
                let (name, length) = oldest.1.value();
                entries.remove(name)?;
                bytes = bytes.saturating_sub(length);
            }
            totals.insert("next", next)?;
            totals.insert("bytes", bytes)?;
            old.is_some() || value.is_some()
        }
    };
    if is_done {
        transaction.commit()?;
    }
    Ok(Answer::Done(is_done))
}

fn get(database: &Database, name: &str) -> Result<Answer, Trouble> {
    let transaction = database.begin_read()?;
    let entries = match transaction.open_table(ENTRIES) {
        Ok(entries) => entries,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Answer::Absent),
        Err(error) => return Err(error.into()),
    };
    let Some(entry) = entries.get(name)? else { return Ok(Answer::Absent) };
    let (number, value) = entry.value();
    Ok(Answer::Value(value.to_vec(), number))
}

/// Never waits for ever for a process that is stopped in the middle of a write.
fn begin(database: &Database) -> Result<WriteTransaction, Trouble> {
    let end = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(100);
    loop {
        match database.try_begin_write() {
            Err(TransactionError::WouldBlock) if Instant::now() < end => {
                sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(10));
            }
            Err(TransactionError::WouldBlock) => return Err(Trouble::Failure(Failure::Timeout)),
            begun => return Ok(begun?),
        }
    }
}

/// A panic of redb is damage that it found.
fn caught<T>(work: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Trouble::Damage("redb panicked".into())))
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Corrupted(what) => Trouble::Damage(what),
            StorageError::ValueTooLarge(_) => Trouble::Failure(Failure::TooLarge),
            // What redb says of a file that is no database, or that was cut short.
            StorageError::Io(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof
                ) =>
            {
                Trouble::Damage(error.to_string())
            }
            StorageError::LockPoisoned(_) => Trouble::Damage("redb panicked".into()),
            _ => Trouble::Failure(Failure::Connection),
        }
    }
}

impl From<DatabaseError> for Trouble {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Storage(error) => error.into(),
            DatabaseError::UpgradeRequired(version) => Trouble::Damage(format!("format version {version}")),
            _ => Trouble::Failure(Failure::Connection),
        }
    }
}

impl From<TransactionError> for Trouble {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Storage(error) => error.into(),
            _ => Trouble::Failure(Failure::Connection),
        }
    }
}

impl From<TableError> for Trouble {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Storage(error) => error.into(),
            TableError::TableDoesNotExist(_) | TableError::TableAlreadyOpen(..) => {
                Trouble::Failure(Failure::Connection)
            }
            error => Trouble::Damage(error.to_string()),
        }
    }
}

impl From<redb::CommitError> for Trouble {
    fn from(error: redb::CommitError) -> Self {
        match error {
            redb::CommitError::Storage(error) => error.into(),
            _ => Trouble::Failure(Failure::Connection),
        }
    }
}
