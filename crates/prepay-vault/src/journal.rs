//! The end of the log: entries that wait to be written, and how they are written.
//!
//! Entries are queued under the vault's lock, which is quick. A thread that needs one to be durable calls the
//! [`Flusher`], without the vault's lock. The first thread writes all waiting entries. Threads that come during a write
//! wait for its end; then one of those whose entries are still not written writes for all.
//!
//! Every write goes in this order: log, durable; then head; then, where it is due, the witness (`witness.rs`); then the answer.
//! The log must end where the vault left it: if
//! it does not, another process writes to it, and the vault is broken.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::VaultError;
use super::head;
use super::record::{LogMac, Position};
use super::segment::Segment;
use super::witness::Watch;
use crate::{MemoryStorage, VaultStorage, check_end};
use prepay_basics::Moment;

/// Shared by the vault and its flushers.
pub(super) struct Journal {
    disk: Mutex<Disk>,
    queue: Mutex<Queue>,
    durable: AtomicU64,
    /// Whether a flusher is writing.
    writing: Mutex<bool>,
    written: Condvar,
}

/// The storage, and whether it failed.
pub(super) struct Disk {
    pub(super) storage: Box<dyn VaultStorage>,
    /// What was told to the witness, if the vault has one.
    pub(super) watch: Option<Watch>,
    failed: Option<VaultError>,
}

/// The entries that wait to be written.
pub(super) struct Queue {
    /// Their bytes.
    pub(super) pending: Vec<u8>,
    /// The position after the last of them.
    pub(super) position: Position,
    /// When the last of them was written.
    pub(super) moment: Moment,
    pub(super) id: [u8; 16],
    /// Gone when the vault is locked.
    pub(super) mac: Option<LogMac>,
    /// A buffer to reuse.
    spare: Vec<u8>,
}

/// Makes entries durable, from any thread, without the vault's lock.
#[derive(Clone)]
pub struct Flusher(pub(super) Arc<Journal>);

impl Flusher {
    /// Returns when the entry with this number, and all before it, are durable.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`] if the storage fails or has failed.
    pub fn flush_through(&self, sequence: u64) -> Result<(), VaultError> {
        let journal = &*self.0;
        let is_durable = || journal.durable.load(Ordering::Acquire) >= sequence;
        if is_durable() {
            return Ok(());
        }
        let writing = lock(&journal.writing);
        let writing = journal.written.wait_while(writing, |writing| *writing && !is_durable());
        let mut writing = writing.unwrap_or_else(PoisonError::into_inner);
        if is_durable() {
            return Ok(());
        }
        *writing = true;
        drop(writing);
        let _turn = Turn(journal);
        journal.flush(&mut journal.disk())
    }
}

/// A flusher's turn to write. When dropped, for whatever reason, it wakes all waiting threads.
struct Turn<'a>(&'a Journal);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(&self.0.writing) = false;
        self.0.written.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    pub(super) fn usable(&self) -> Result<(), VaultError> {
        match &self.failed {
            None => Ok(()),
            Some(error) => Err(error.clone()),
        }
    }

    /// Nothing more can be done with the storage. Returns the error.
    pub(super) fn fail(&mut self, error: VaultError) -> VaultError {
        self.failed.insert(error).clone()
    }

    /// Uses the storage. If that fails or panics, the vault is broken.
    pub(super) fn run(
        &mut self,
        work: impl FnOnce(&mut dyn VaultStorage) -> io::Result<()>,
    ) -> Result<(), VaultError> {
        self.usable()?;
        let broken =
            |problem: &dyn fmt::Display| VaultError::Broken { problem: problem.to_string() };
        self.failed = Some(broken(&"a write was not finished"));
        let outcome = work(&mut *self.storage);
        self.failed = outcome.err().map(|error| broken(&error));
        self.usable()
    }
}

impl Journal {
    pub(super) fn new(
        storage: Box<dyn VaultStorage>,
        id: [u8; 16],
        mac: LogMac,
        position: Position,
        moment: Moment,
    ) -> Self {
        let (pending, spare) = (Vec::new(), Vec::new());
        let queue = Queue { pending, position, moment, id, mac: Some(mac), spare };
        Self {
            disk: Mutex::new(Disk { storage, watch: None, failed: None }),
            queue: Mutex::new(queue),
            durable: AtomicU64::new(position.sequence),
            writing: Mutex::new(false),
            written: Condvar::new(),
        }
    }

    pub(super) fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }

    /// Writes all waiting entries.
    pub(super) fn flush(&self, disk: &mut Disk) -> Result<(), VaultError> {
        disk.usable()?;
        let moment = {
            let queue = self.queue();
            if queue.pending.is_empty() {
                return Ok(());
            }
            queue.moment
        };
        let tell = disk.watch.as_ref().is_some_and(|watch| watch.is_due(moment));
        if tell {
            self.ask_witness(disk)?;
        }
        let (bytes, position, head) = {
            let mut queue = self.queue();
            let head = queue.head(&queue.position)?;
            let spare = std::mem::take(&mut queue.spare);
            (std::mem::replace(&mut queue.pending, spare), queue.position, head)
        };
        disk.run(|storage| {
            storage.append_log(position.length - bytes.len() as u64, &bytes)?;
            storage.write_head(&head)
        })?;
        if tell {
            self.tell_witness(disk, position.into(), moment)?;
        }
        self.durable.store(position.sequence, Ordering::Release);
        let mut bytes = bytes;
        bytes.clear();
        self.queue().spare = bytes;
        Ok(())
    }

    /// Replaces the store by one that contains an entry not yet in the log, then writes the entry.
    pub(super) fn commit(
        &self,
        disk: &mut Disk,
        store: &[u8],
        bytes: &[u8],
        after: Position,
    ) -> Result<(), VaultError> {
        let head = self.queue().head(&after)?;
        let offset = after.length - bytes.len() as u64;
        disk.run(|storage| {
            check_end(offset, storage.log_length()?)?;
            storage.replace_store(store)?;
            storage.append_log(offset, bytes)?;
            storage.write_head(&head)
        })?;
        self.queue().position = after;
        self.durable.store(after.sequence, Ordering::Release);
        Ok(())
    }

    /// Replaces the store by one that lists the log as a segment of this name and contains the first entry of the next
    /// log; then closes the log and begins that one.
    pub(super) fn rotate(
        &self,
        disk: &mut Disk,
        store: &[u8],
        segment: &Segment,
        beginning: &[u8],
        after: Position,
    ) -> Result<(), VaultError> {
        let head = self.queue().head(&after)?;
        disk.run(|storage| {
            check_end(segment.length, storage.log_length()?)?;
            storage.replace_store(store)?;
            storage.close_log(&segment.name())?;
            storage.append_log(0, beginning)?;
            storage.write_head(&head)
        })?;
        self.queue().position = after;
        self.durable.store(after.sequence, Ordering::Release);
        Ok(())
    }

    /// Replaces the store by one that contains an entry, then cuts the log to a length and writes what it lacks, with the
    /// entry at the end.
    pub(super) fn repair(
        &self,
        store: &[u8],
        cut: u64,
        bytes: &[u8],
        after: Position,
    ) -> Result<(), VaultError> {
        let head = self.queue().head(&after)?;
        self.disk().run(|storage| {
            storage.replace_store(store)?;
            if storage.log_length()? > cut {
                storage.truncate_log(cut)?;
            }
            storage.append_log(cut, bytes)?;
            storage.write_head(&head)
        })?;
        self.queue().position = after;
        self.durable.store(after.sequence, Ordering::Release);
        Ok(())
    }

    /// Wipes the key and releases the storage, so that others can use it. Nothing can be written afterwards.
    pub(super) fn wipe(&self) {
        self.queue().mac = None;
        let mut disk = self.disk();
        disk.failed.get_or_insert(VaultError::Locked);
        disk.storage = Box::new(MemoryStorage::default());
    }
}

impl Queue {
    pub(super) fn mac(&self) -> Result<&LogMac, VaultError> {
        self.mac.as_ref().ok_or(VaultError::Locked)
    }

    fn head(&self, position: &Position) -> Result<Vec<u8>, VaultError> {
        Ok(head::write(&self.id, position, self.mac()?))
    }
}
