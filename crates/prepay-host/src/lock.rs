//! One process at a time: a lock on a file, with the holder's process number inside.
//!
//! The lock is the operating system's (`flock`) and ends with the process that holds it, however that
//! ends. The number is for people only: it is written after the lock is had and emptied before it is given
//! back, and a number left by a killed process is not reported once that process is gone. Where nothing can
//! be written, it is not there. The file itself is never removed, since a lock on a removed file keeps
//! nobody out.
//!
//! Over network file systems the lock is as good as the system makes it.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};

/// How long to wait between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// A lock that is held.
#[derive(Debug)]
pub(crate) struct Lock(File);

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Somebody else has it.
    Held {
        /// The process, when it can be told.
        process: Option<u32>,
    },
    /// Something broke.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock, waiting for it at most so long.
    pub(crate) fn take(file: File, at_most: Duration) -> Result<Self, LockError> {
        let begun = Instant::now();
        loop {
            match file.try_lock() {
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
        Ok(Self(file))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Only for people: a number that stays behind does no harm.
        let _ = self.0.set_len(0);
        let _ = self.0.unlock();
    }
}

/// The living process whose number is in the file.
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
    fn a_lock_that_cannot_be_written_keeps_others_out_all_the_same() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        std::fs::write(&path, b"").unwrap();
        let read_only = || File::open(&path).unwrap();
        let lock = Lock::take(read_only(), Duration::ZERO).unwrap();
        let refused = Lock::take(read_only(), Duration::ZERO).unwrap_err();
        assert!(matches!(refused, LockError::Held { process: None }), "{refused:?}");
        drop(lock);
        Lock::take(read_only(), Duration::ZERO).unwrap();
    }
}
