//! The storage of a vault: what is in it, and how durable it must be; and a record outside it.
//!
//! ```text
//!  store   the sealed contents        replaced as a whole, never half
//!  log     the audit log              grows at its end; truncated only to drop what was never acknowledged;
//!                                     closed, it becomes one of the files
//!  head    where the log ends         one small record, overwritten in place
//!  files   more, each with a name     written once, as a whole; never changed, only removed
//!  witness elsewhere, if there is one replaced as a whole, never half
//! ```
//!
//! The vault does the sealing and chaining and knows the meaning; storage knows bytes and durability only.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The storage of one vault. It has a single user at a time.
pub trait VaultStorage: Send {
    /// The sealed contents, or `None` if there is no vault yet.
    ///
    /// # Errors
    ///
    /// Errors of the storage.
    fn read_store(&mut self) -> io::Result<Option<Vec<u8>>>;

    /// Replaces the sealed contents. The new ones are durable when this returns; until then, a reader finds either the
    /// complete old ones or the complete new ones.
    ///
    /// # Errors
    ///
    /// Errors of the storage; either the old or the new contents are there then.
    fn replace_store(&mut self, contents: &[u8]) -> io::Result<()>;

    /// How many bytes the log has.
    ///
    /// # Errors
    ///
    /// Errors of the storage.
    fn log_length(&mut self) -> io::Result<u64>;

    /// Reads at most `buffer.len()` bytes of the log from an offset. Returns how many; zero at the end.
    ///
    /// # Errors
    ///
    /// Errors of the storage.
    fn read_log(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Appends bytes to the log, which ends at `offset`. They are durable when this returns.
    ///
    /// # Errors
    ///
    /// The error of [`check_end`] if the log ends elsewhere; nothing was written then. Errors of the storage; a first
    /// part of the bytes may be there then.
    fn append_log(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Truncates the log to `length`: drops the torn end of a write that was never acknowledged.
    ///
    /// # Errors
    ///
    /// Errors of the storage.
    fn truncate_log(&mut self, length: u64) -> io::Result<()>;

    /// Closes the log: it becomes the file `name` of [`VaultStorage::files`], and there is no log. That is durable when
    /// this returns; until then there is either the log or the file.
    ///
    /// # Errors
    ///
    /// Errors of the storage.
    fn close_log(&mut self, name: &str) -> io::Result<()>;

    /// The head, or `None` if none was ever written.
    ///
    /// # Errors
    ///
    /// Errors of the storage.
    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>>;

    /// Overwrites the head. It survives the end of the process at once, and a power failure soon.
    ///
    /// # Errors
    ///
    /// Errors of the storage.
    fn write_head(&mut self, head: &[u8]) -> io::Result<()>;

    /// The other files of the vault. They can be used beside everything else.
    ///
    /// # Errors
    ///
    /// Errors of the storage.
    fn files(&mut self) -> io::Result<Arc<dyn VaultFiles>>;

    /// The record of a witness, which is not in this storage but at a place of its own; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Errors of the place, or if it is none.
    fn read_witness(&mut self, place: &str) -> io::Result<Option<Vec<u8>>>;

    /// Replaces the record of a witness. The new one is durable when this returns; until then, a reader finds either the
    /// complete old one or the complete new one.
    ///
    /// # Errors
    ///
    /// Errors of the place, or if it is none.
    fn write_witness(&mut self, place: &str, record: &[u8]) -> io::Result<()>;
}

/// Files of a vault, each written once as a whole. A name has lower-case letters, digits, `-` and `.` only.
pub trait VaultFiles: Send + Sync {
    /// Writes a new file with what `fill` writes. It is durable when this returns; until then there is no file of
    /// this name.
    ///
    /// # Errors
    ///
    /// Errors of the storage and of `fill`; there is no file of this name then, unless the storage failed at the very
    /// end.
    fn write(
        &self,
        name: &str,
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()>;

    /// Reads at most `buffer.len()` bytes of a file from an offset. Returns how many; zero at the end.
    ///
    /// # Errors
    ///
    /// Errors of the storage; [`io::ErrorKind::NotFound`] if there is no such file.
    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// The names of all files that begin with `prefix`, also of those that were never finished.
    ///
    /// # Errors
    ///
    /// Errors of the storage.
    fn list(&self, prefix: &str) -> io::Result<Vec<String>>;

    /// Removes a file, if it is there. That is durable soon.
    ///
    /// # Errors
    ///
    /// Errors of the storage.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// Checks that a log ends where its only writer left it.
///
/// # Errors
///
/// If it ends elsewhere: somebody else has written to it.
pub fn check_end(expected: u64, found: u64) -> io::Result<()> {
    if expected == found {
        return Ok(());
    }
    let problem = format!(
        "something else has changed the audit log: expected its end at byte {expected}, found {found}"
    );
    Err(io::Error::other(problem))
}

/// A vault's storage in memory, for tests, demonstrations and benchmarks.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    /// The sealed contents.
    pub store: Option<Vec<u8>>,
    /// The audit log.
    pub log: Vec<u8>,
    /// The head.
    pub head: Option<Vec<u8>>,
    /// The other files.
    pub files: MemoryFiles,
    /// Records of witnesses by their places, which are outside: every clone has the same.
    pub witnesses: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

/// The files of a [`MemoryStorage`]. A clone has the same contents, but changes on its own.
#[derive(Debug, Default)]
pub struct MemoryFiles(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl MemoryFiles {
    /// All files by name, to look at or to change.
    pub fn all(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another handle to the same files.
    #[must_use]
    pub fn handle(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl Clone for MemoryFiles {
    fn clone(&self) -> Self {
        Self(Arc::new(Mutex::new(self.all().clone())))
    }
}

impl VaultFiles for MemoryFiles {
    fn write(
        &self,
        name: &str,
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        fill(&mut bytes)?;
        self.all().insert(name.to_owned(), bytes);
        Ok(())
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let files = self.all();
        let bytes = files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(read_at(bytes, offset, buffer))
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<String>> {
        Ok(self.all().keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.all().remove(name);
        Ok(())
    }
}

fn read_at(bytes: &[u8], offset: u64, buffer: &mut [u8]) -> usize {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    let count = buffer.len().min(bytes.len() - start);
    buffer[..count].copy_from_slice(&bytes[start..start + count]);
    count
}

impl VaultStorage for MemoryStorage {
    fn read_store(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.store.clone())
    }

    fn replace_store(&mut self, contents: &[u8]) -> io::Result<()> {
        self.store = Some(contents.to_vec());
        Ok(())
    }

    fn log_length(&mut self) -> io::Result<u64> {
        Ok(self.log.len() as u64)
    }

    fn read_log(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(read_at(&self.log, offset, buffer))
    }

    fn append_log(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        check_end(offset, self.log.len() as u64)?;
        self.log.extend_from_slice(bytes);
        Ok(())
    }

    fn truncate_log(&mut self, length: u64) -> io::Result<()> {
        self.log.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }

    fn close_log(&mut self, name: &str) -> io::Result<()> {
        let log = std::mem::take(&mut self.log);
        self.files.all().insert(name.to_owned(), log);
        Ok(())
    }

    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.head.clone())
    }

    fn write_head(&mut self, head: &[u8]) -> io::Result<()> {
        self.head = Some(head.to_vec());
        Ok(())
    }

    fn files(&mut self) -> io::Result<Arc<dyn VaultFiles>> {
        Ok(Arc::new(self.files.handle()))
    }

    fn read_witness(&mut self, place: &str) -> io::Result<Option<Vec<u8>>> {
        let witnesses = self.witnesses.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(witnesses.get(place).cloned())
    }

    fn write_witness(&mut self, place: &str, record: &[u8]) -> io::Result<()> {
        let mut witnesses = self.witnesses.lock().unwrap_or_else(PoisonError::into_inner);
        witnesses.insert(place.to_owned(), record.to_vec());
        Ok(())
    }
}
