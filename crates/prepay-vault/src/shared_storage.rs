//! Storage that a test can read while a vault uses it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::{VaultFiles, VaultStorage};

fn locked<S>(storage: &Mutex<S>) -> io::Result<MutexGuard<'_, S>> {
    storage.lock().map_err(|_| io::Error::other("the storage is in an unknown state"))
}

impl<S: VaultStorage> VaultStorage for Arc<Mutex<S>> {
    fn read_store(&mut self) -> io::Result<Option<Vec<u8>>> {
        locked(self)?.read_store()
    }

    fn replace_store(&mut self, contents: &[u8]) -> io::Result<()> {
        locked(self)?.replace_store(contents)
    }

    fn log_length(&mut self) -> io::Result<u64> {
        locked(self)?.log_length()
    }

    fn read_log(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        locked(self)?.read_log(offset, buffer)
    }

    fn append_log(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        locked(self)?.append_log(offset, bytes)
    }

    fn truncate_log(&mut self, length: u64) -> io::Result<()> {
        locked(self)?.truncate_log(length)
    }

    fn close_log(&mut self, name: &str) -> io::Result<()> {
        locked(self)?.close_log(name)
    }

    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        locked(self)?.read_head()
    }

    fn write_head(&mut self, head: &[u8]) -> io::Result<()> {
        locked(self)?.write_head(head)
    }

    fn files(&mut self) -> io::Result<Arc<dyn VaultFiles>> {
        locked(self)?.files()
    }

    fn read_witness(&mut self, place: &str) -> io::Result<Option<Vec<u8>>> {
        locked(self)?.read_witness(place)
    }

    fn write_witness(&mut self, place: &str, record: &[u8]) -> io::Result<()> {
        locked(self)?.write_witness(place, record)
    }
}
