//! One process at a time: a lock on a file, which contains the process ID of the holder.
//!
//! The lock is the operating system's (`flock`); it ends with its process, even if that is killed. The process ID
//! is for people only: the holder writes it after it has the lock and clears it before it releases the lock. An
//! ID left by a killed process is not reported. On read-only media there is no ID. The file itself is never
//! removed, because a lock on a removed file locks nobody out. Somebody else may remove it nevertheless, so the
//! directory that it is in, which cannot be removed while a vault is in it, is locked as well.
//!
//! On network file systems the lock is only as good as their implementation of `flock`; some cannot lock a directory,
//! and then the lock is that on the file alone.

use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// How long to wait between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// A lock that is held.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    directory: OwnedFd,
}

/// Why the lock was not taken.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process holds it.
    Held {
        /// Its process ID, if known.
        process: Option<u32>,
    },
    /// The operating system failed.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock, waiting at most this long.
    pub(crate) fn take(
        file: File,
        directory: OwnedFd,
        at_most: Duration,
    ) -> Result<Self, LockError> {
        let begun = Instant::now();
        loop {
            match file.try_lock().and_then(|()| try_lock_directory(&directory)) {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= at_most => {
                    return Err(LockError::Held { process: holder(&file) });
                }
                Err(TryLockError::WouldBlock) => {
                    sleep(PAUSE.min(at_most.saturating_sub(begun.elapsed())));
                }
            }
        }
        let number = format!("{}\n", std::process::id());
        let _ = file.set_len(0).and_then(|()| file.write_all_at(number.as_bytes(), 0));
        Ok(Self { file, directory })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The ID is only for people; one that stays behind does no harm.
        let _ = self.file.set_len(0);
        // Closing them is not enough: a process that is just being started has copies of both.
        let _ = flock(&self.directory, FlockOperation::Unlock);
        let _ = self.file.unlock();
    }
}

/// Locks a directory, if its file system can.
fn try_lock_directory(directory: impl AsFd) -> Result<(), TryLockError> {
    match flock(directory, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(TryLockError::WouldBlock),
        Ok(()) | Err(Errno::BADF | Errno::INVAL | Errno::NOTSUP | Errno::NOLCK | Errno::NOSYS) => {
            Ok(())
        }
        Err(errno) => Err(TryLockError::Error(errno.into())),
    }
}

/// The process whose ID is in the file, if it is running.
fn holder(file: &File) -> Option<u32> {
    let mut bytes = [0; 16];
    let count = file.read_at(&mut bytes, 0).ok()?;
    let number: u32 = std::str::from_utf8(&bytes[..count]).ok()?.trim_end().parse().ok()?;
    let pid = Pid::from_raw(number.cast_signed())?;
    let is_gone = test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
    (!is_gone).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_only_lock_file_still_locks_others_out() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        std::fs::write(&path, b"").unwrap();
        let take = || {
            let directory = File::open(place.path()).unwrap();
            Lock::take(File::open(&path).unwrap(), directory.into(), Duration::ZERO)
        };
        let lock = take().unwrap();
        let refused = take().unwrap_err();
        assert!(matches!(refused, LockError::Held { process: None }), "{refused:?}");
        drop(lock);
        take().unwrap();
    }

    #[test]
    fn a_copy_of_the_descriptors_keeps_no_lock_that_was_given_up() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        let open = || (File::create(&path).unwrap(), File::open(place.path()).unwrap());
        let (file, directory) = open();
        let _copies = (file.try_clone().unwrap(), directory.try_clone().unwrap());
        drop(Lock::take(file, directory.into(), Duration::ZERO).unwrap());
        let (file, directory) = open();
        Lock::take(file, directory.into(), Duration::ZERO).unwrap();
    }
}
