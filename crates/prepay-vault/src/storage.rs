//! Where a vault lives: three things to keep, and how safely.
//!
//! ```text
//!  store   the sealed contents        replaced as a whole, never half
//!  log     the audit log              grows at its end; is cut only to drop what was never acknowledged
//!  head    where the log ends         one small record, overwritten in place
//! ```
//!
//! Sealing, chaining and meaning are the vault's; here are only bytes and durability.

use std::io;

/// The place of one vault. Whoever has it, has it alone.
pub trait VaultStorage: Send {
    /// The sealed contents, or nothing when there is no vault yet.
    ///
    /// # Errors
    ///
    /// What the place reports.
    fn read_store(&mut self) -> io::Result<Option<Vec<u8>>>;

    /// Replaces the sealed contents. On return the new ones are durable; at any moment before, a reader
    /// finds the old ones or the new ones, whole.
    ///
    /// # Errors
    ///
    /// What the place reports; the old or the new contents are then there.
    fn replace_store(&mut self, contents: &[u8]) -> io::Result<()>;

    /// How many bytes the log has.
    ///
    /// # Errors
    ///
    /// What the place reports.
    fn log_length(&mut self) -> io::Result<u64>;

    /// Reads at most `buffer.len()` bytes of the log from an offset, and says how many; zero at its end.
    ///
    /// # Errors
    ///
    /// What the place reports.
    fn read_log(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Adds bytes at the end of the log. On return they are durable.
    ///
    /// # Errors
    ///
    /// What the place reports; a beginning of the bytes may then be there.
    fn append_log(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Drops what lies behind `length`: the torn end of a write that was never acknowledged.
    ///
    /// # Errors
    ///
    /// What the place reports.
    fn truncate_log(&mut self, length: u64) -> io::Result<()>;

    /// The head, or nothing when none was ever written.
    ///
    /// # Errors
    ///
    /// What the place reports.
    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>>;

    /// Overwrites the head. It survives the end of the process at once, and a power failure soon.
    ///
    /// # Errors
    ///
    /// What the place reports.
    fn write_head(&mut self, head: &[u8]) -> io::Result<()>;
}

/// A vault's place in memory, for tests, demonstrations and benchmarks.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    /// The sealed contents.
    pub store: Option<Vec<u8>>,
    /// The audit log.
    pub log: Vec<u8>,
    /// The head.
    pub head: Option<Vec<u8>>,
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
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.log.len());
        let count = buffer.len().min(self.log.len() - start);
        buffer[..count].copy_from_slice(&self.log[start..start + count]);
        Ok(count)
    }

    fn append_log(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.log.extend_from_slice(bytes);
        Ok(())
    }

    fn truncate_log(&mut self, length: u64) -> io::Result<()> {
        self.log.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }

    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.head.clone())
    }

    fn write_head(&mut self, head: &[u8]) -> io::Result<()> {
        self.head = Some(head.to_vec());
        Ok(())
    }
}
