//! A file, by redb: transactions that a crash leaves whole, checksums, and any number of processes that share it.
//!
//! | table | key | value |
//! |---|---|---|
//! | `entries` | name | number of the write, value |
//! | `ages` | number of the write | name, bytes of the value |
//! | `totals` | `next`, `bytes` | the next number; all values together |
//!
//! Each write is durable when it returns, also after a crash; writes that come at the same time go together. When there is more than the limit, what was
//! written first goes.
//!
//! A file that is damaged is told on standard error, put aside and begun anew. redb itself may panic on pages that somebody else wrote into, so
//! the file is checked as a whole when it is opened, and what it still may do is caught.

use core::time::Duration;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use redb::{
    ConcurrencyMode, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition,
    TableError, TransactionError, WriteTransaction,
};

use super::backend::{Answer, Backend, Failure, How, Request};
use crate::sync::{Mutex, sleep};

const ENTRIES: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("entries");
const AGES: TableDefinition<'_, u64, (&str, u64)> = TableDefinition::new("ages");
const TOTALS: TableDefinition<'_, &str, u64> = TableDefinition::new("totals");

const MAX_VALUE: usize = 64 << 20;
/// Of pages in memory.
const CACHE: usize = 8 << 20;
/// A write waits for the disk, and for other processes that do.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Disk {
    path: PathBuf,
    limit: u64,
    open: Mutex<Option<Arc<Database>>>,
}

/// What redb says.
enum Trouble {
    Damage(String),
    Failure(Failure),
}

impl Disk {
    pub(super) fn new(path: &Path, limit: u64) -> Self {
        Disk { path: path.to_owned(), limit, open: Mutex::new(None) }
    }

    /// Opens the file on first use, and again after damage. Those who come meanwhile wait.
    fn database(&self) -> Result<Arc<Database>, Failure> {
        let mut open = self.open.lock();
        if let Some(database) = &*open {
            return Ok(Arc::clone(database));
        }
        let database = match caught(|| self.create()) {
            Ok(database) => database,
            Err(Trouble::Failure(failure)) => return Err(failure),
            Err(Trouble::Damage(what)) => {
                self.put_aside(&what);
                match caught(|| self.create()) {
                    Ok(database) => database,
                    Err(_) => return Err(Failure::Connection),
                }
            }
        };
        let database = Arc::new(database);
        *open = Some(Arc::clone(&database));
        Ok(database)
    }

    fn create(&self) -> Result<Database, Trouble> {
        if let Some(directory) = self.path.parent() {
            // If it fails, so does opening.
            let _ = fs::create_dir_all(directory);
        }
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE);
        builder.set_concurrency_mode(ConcurrencyMode::MultiWriter);
        builder.set_check_integrity_on_open(true);
        Ok(builder.create(&self.path)?)
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

    fn run(&self, request: Request<'_>) -> Result<Answer, Failure> {
        let database = self.database()?;
        match caught(|| self.answer(&database, request)) {
            Ok(answer) => Ok(answer),
            Err(Trouble::Failure(failure)) => Err(failure),
            Err(Trouble::Damage(what)) => {
                let mut open = self.open.lock();
                // Who comes second finds it put aside.
                if open.take_if(|open| Arc::ptr_eq(open, &database)).is_some() {
                    self.put_aside(&what);
                }
                Err(Failure::Protocol)
            }
        }
    }

    fn answer(&self, database: &Database, request: Request<'_>) -> Result<Answer, Trouble> {
        match request {
            Request::Get { name, .. } => get(database, name),
            Request::Set { name, value, how, .. } => {
                let only_if_absent = matches!(how, How::IfAbsent);
                self.change(database, name, Some(value), only_if_absent)
            }
            Request::Delete { name } | Request::Discard { name, .. } => {
                self.change(database, name, None, false)
            }
            Request::Release { .. } => Ok(Answer::Done(false)),
        }
    }

    fn change(
        &self,
        database: &Database,
        name: &str,
        value: Option<&[u8]>,
        only_if_absent: bool,
    ) -> Result<Answer, Trouble> {
        let transaction = begin(database)?;
        let is_done = {
            let mut entries = transaction.open_table(ENTRIES)?;
            let mut ages = transaction.open_table(AGES)?;
            let mut totals = transaction.open_table(TOTALS)?;
            let total =
                |name| -> Result<u64, Trouble> { Ok(totals.get(name)?.map_or(0, |total| total.value())) };
            let (mut next, mut bytes) = (total("next")?, total("bytes")?);
            let old = entries.get(name)?.map(|old| (old.value().0, old.value().1.len() as u64));
            if old.is_some() && only_if_absent {
                false
            } else {
                if let Some((number, length)) = old {
                    ages.remove(number)?;
                    bytes = bytes.saturating_sub(length);
                    if value.is_none() {
                        entries.remove(name)?;
                    }
                }
                if let Some(value) = value {
                    entries.insert(name, (next, value))?;
                    ages.insert(next, (name, value.len() as u64))?;
                    next = next.wrapping_add(1);
                    bytes = bytes.saturating_add(value.len() as u64);
                }
                while bytes > self.limit {
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
}

impl Backend for Disk {
    /// Reads from memory or the file; writes wait for the disk. So the deadline, which is for servers, does not hold here.
    fn ask(&self, request: Request<'_>, _: Instant) -> Result<Answer, Failure> {
        self.run(request)
    }

    fn max_value(&self, _: usize) -> usize {
        MAX_VALUE.min(usize::try_from(self.limit).unwrap_or(usize::MAX))
    }
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
