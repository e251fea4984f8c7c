//! Stores a vault in a directory of its own.
//!
//! ```text
//!  store       the sealed contents     written as `store.new`, made durable, renamed over the old one
//!  audit.log   the audit log           grows at its end, durable before anything is acknowledged
//!  audit.head  where the log ends      made as the store is; then overwritten in place by one write, which the system
//!                                      makes durable later
//!  lock        who uses the directory  never removed; the directory itself is locked too, so that nothing is lost
//!                                      if somebody removes it
//!  audit-N-M.log                       closed segments of the audit log, from entry N to entry M; each is the former
//!                                      `audit.log`, renamed
//!  before-repair-N                     copies of the files from before a repair
//!  names-N                             other files of the vault, each written as the store is, and later removed
//! ```
//!
//! - Durable means `fsync` or `fdatasync` of the file and, for a new name, of the directory. We must trust a disk that
//!   reports data as written.
//! - The directory has permissions 0700 and its files 0600. Every open is checked (`access.rs`). All files are opened
//!   relative to the open directory, so replacing the directory later has no effect.
//! - A `store.new` or `audit.head.new` left by a killed process was never acknowledged; opening removes it.
//! - After a loss of power the head may be older than the log, never newer: the log is durable before the head is written.
//!   We trust the disk to overwrite a sector, which the head fits in, whole or not at all.
//! - A read-only medium can be read.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use prepay_basics::Clock;
use prepay_vault::{Place, VaultFiles, VaultStorage, check_end};
use rustix::fs::{
    AtFlags, Dir, Mode, OFlags, fchmod, fcntl_getfl, fdatasync, fsync, openat, renameat, unlinkat,
};
use rustix::io::Errno;

use crate::SystemEntropy;
use crate::access::{self, NotOurs, named, open_file};
use crate::lock::{Lock, LockError};
use crate::witness;

const STORE: &str = "store";
const STORE_NEW: &str = "store.new";
const LOG: &str = "audit.log";
const HEAD: &str = "audit.head";
const HEAD_NEW: &str = "audit.head.new";
const LOCK: &str = "lock";
/// What the names of files begin with that a repair never changes.
const UNCHANGED: [&[u8]; 2] = [b"names-", b"audit-"];

/// More than any sealed store needs; a longer file is refused without reading it.
const MAX_STORE: u64 = 256 << 20;
/// More than any head needs.
const MAX_HEAD: u64 = 4096;

/// The directory of a vault. Only this process can use it while this value exists.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    directory: OwnedFd,
    log: Option<File>,
    head: Option<(File, usize)>,
    _lock: Lock,
}

/// Why a directory cannot be used for a vault.
#[derive(Debug)]
#[non_exhaustive]
pub enum DirectoryError {
    /// There is no such directory.
    NotThere {
        /// Its path.
        path: PathBuf,
    },
    /// It is not a directory; perhaps it is a symbolic link.
    NotADirectory {
        /// Its path.
        path: PathBuf,
    },
    /// It belongs to another user, or others have access to it.
    NotPrivate {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Another process uses it. Wait for it to end.
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process ID, if known.
        process: Option<u32>,
    },
    /// The operating system reported an error.
    Io {
        /// The directory.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
}

impl Directory {
    /// Opens an existing directory, without waiting.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DirectoryError> {
        Self::open_waiting(path, Duration::ZERO)
    }

    /// Opens an existing directory, waiting at most this long for another process to release it.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`].
    pub fn open_waiting(path: impl AsRef<Path>, at_most: Duration) -> Result<Self, DirectoryError> {
        let path = path.as_ref().to_path_buf();
        let directory = match access::open_directory(&path) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Err(DirectoryError::NotThere { path }),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                return Err(DirectoryError::NotADirectory { path });
            }
            Err(errno) => return Err(DirectoryError::Io { path, error: errno.into() }),
        };
        Self::enter(path, directory, at_most)
    }

    /// Creates the directory, and those above it, if missing; then opens it. An existing empty directory first gets the
    /// right permissions.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self, DirectoryError> {
        let path = path.as_ref();
        let io = |error| DirectoryError::Io { path: path.to_path_buf(), error };
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => {
                if std::fs::read_dir(path).map_err(io)?.next().is_none() {
                    let directory = access::open_directory(path).map_err(|e| io(e.into()))?;
                    fchmod(&directory, access::DIRECTORY).map_err(|e| io(e.into()))?;
                }
            }
            Ok(_) => return Err(DirectoryError::NotADirectory { path: path.to_path_buf() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let new = missing(path);
                let mode = access::DIRECTORY.as_raw_mode();
                DirBuilder::new().recursive(true).mode(mode).create(path).map_err(io)?;
                new.iter().try_for_each(|new| sync_name(new)).map_err(io)?;
            }
            Err(error) => return Err(io(error)),
        }
        Self::open(path)
    }

    /// As [`Directory::create`], for a vault that is about to be made. Unless it is made, what was made for it is
    /// taken back when the second value is dropped: drop it after the directory and the vault.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`].
    pub fn create_new(path: impl AsRef<Path>) -> Result<(Self, NewDirectories), DirectoryError> {
        let path = path.as_ref();
        let new = NewDirectories(missing(path));
        Ok((Self::create(path)?, new))
    }

    /// What is in a directory besides the lock, in the order of the names. A directory that is missing is empty.
    ///
    /// # Errors
    ///
    /// What the operating system reports.
    pub fn occupants(path: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.retain(|path| path.file_name().is_none_or(|name| name != LOCK));
        paths.sort();
        Ok(paths)
    }

    /// Copies the files of a vault that a repair may change to a new directory `before-repair-N` in its own. Returns the path of that.
    ///
    /// # Errors
    ///
    /// What the operating system reports.
    pub fn keep_copies(path: &Path) -> io::Result<PathBuf> {
        let mode = access::DIRECTORY.as_raw_mode();
        let mut number = 1_u32;
        let to = loop {
            let to = path.join(format!("before-repair-{number}"));
            match DirBuilder::new().mode(mode).create(&to) {
                Ok(()) => break to,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        };
        for from in Self::occupants(path)? {
            let changes = |name: &&OsStr| {
                !UNCHANGED.iter().any(|start| name.as_encoded_bytes().starts_with(start))
            };
            let name = from.file_name().filter(changes);
            if let (true, Some(name)) = (from.symlink_metadata()?.is_file(), name) {
                let copy = to.join(name);
                std::fs::copy(&from, &copy).map_err(|error| named("copy", error))?;
                File::open(&copy)?.sync_all()?;
            }
        }
        File::open(&to)?.sync_all()?;
        File::open(path)?.sync_all()?;
        Ok(to)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The surroundings of the vault in this directory: the directory, the computer's randomness, and a clock.
    pub fn into_place(self, clock: impl Clock + 'static) -> Place {
        let (storage, entropy) = (Box::new(self), Box::new(SystemEntropy));
        Place { storage, entropy, clock: Box::new(clock) }
    }

    fn enter(path: PathBuf, directory: OwnedFd, at_most: Duration) -> Result<Self, DirectoryError> {
        let io = |error| DirectoryError::Io { path: path.clone(), error };
        access::check(&directory, access::DIRECTORY).map_err(io)?.map_err(
            |problem| match problem {
                NotOurs::Kind { .. } => DirectoryError::NotADirectory { path: path.clone() },
                problem => {
                    DirectoryError::NotPrivate { path: path.clone(), problem: problem.to_string() }
                }
            },
        )?;
        let file = open_writable(&directory, LOCK, OFlags::CREATE).map_err(io)?;
        let file = file.ok_or_else(|| io(io::ErrorKind::NotFound.into()))?;
        let locked = directory.try_clone().map_err(io)?;
        let lock = Lock::take(file, locked, at_most).map_err(|error| match error {
            LockError::Held { process } => DirectoryError::InUse { path: path.clone(), process },
            LockError::Io(error) => io(named(LOCK, error)),
        })?;
        for name in [STORE_NEW, HEAD_NEW] {
            match remove(&directory, name) {
                Err(error) if error.kind() != io::ErrorKind::ReadOnlyFilesystem => {
                    return Err(io(error));
                }
                _ => {}
            }
        }
        for name in [STORE, LOG, HEAD] {
            open_file(&directory, name, OFlags::RDONLY).map_err(io)?;
        }
        Ok(Self { path, directory, log: None, head: None, _lock: lock })
    }

    /// The open log, if there is one.
    fn log(&mut self) -> io::Result<Option<&File>> {
        if self.log.is_none() {
            self.log = open_writable(&self.directory, LOG, OFlags::empty())?;
        }
        Ok(self.log.as_ref())
    }

    /// The open log, if there is one, for writing.
    fn log_to_write(&mut self) -> io::Result<Option<&File>> {
        if let Some(log) = self.log()?
            && !fcntl_getfl(log)?.contains(OFlags::RDWR)
        {
            self.log = open_file(&self.directory, LOG, OFlags::RDWR)?;
        }
        Ok(self.log.as_ref())
    }

    /// Makes a file whose name is durable.
    fn make(&self, name: &str) -> io::Result<File> {
        let how = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let file = open_file(&self.directory, name, how)?.ok_or(io::ErrorKind::NotFound)?;
        fsync(&self.directory)?;
        Ok(file)
    }
}

/// Replaces a file by one with these bytes, which is made under another name first. Until this returns there is
/// either the complete old one or the complete new one.
pub(crate) fn replace(
    directory: &OwnedFd,
    name: &str,
    new_name: &str,
    bytes: &[u8],
) -> io::Result<()> {
    replace_with(directory, name, new_name, &mut |new| new.write_all(bytes))
}

/// As [`replace`], with what `fill` writes.
fn replace_with(
    directory: &OwnedFd,
    name: &str,
    new_name: &str,
    fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut write = || {
        remove(directory, new_name)?;
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let new = open_file(directory, new_name, how)?;
        let mut new = new.ok_or(io::ErrorKind::NotFound)?;
        fill(&mut new)?;
        new.sync_all()
    };
    if let Err(error) = write() {
        let _ = remove(directory, new_name); // What failed first is what counts.
        return Err(named(new_name, error));
    }
    renameat(directory, new_name, directory, name)?;
    Ok(fsync(directory)?)
}

/// The other files of a vault, in its directory.
struct Files(OwnedFd);

impl VaultFiles for Files {
    fn write(
        &self,
        name: &str,
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        replace_with(&self.0, name, &format!("{name}.new"), fill)
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let file = open_file(&self.0, name, OFlags::RDONLY)?.ok_or(io::ErrorKind::NotFound)?;
        file.read_at(buffer, offset)
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            if let Ok(name) = entry?.file_name().to_str()
                && name.starts_with(prefix)
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        remove(&self.0, name)
    }
}

/// Directories that were not there before [`Directory::create_new`]. When this is dropped, those without a vault
/// are removed.
#[derive(Debug)]
pub struct NewDirectories(Vec<PathBuf>);

impl Drop for NewDirectories {
    /// What fails here is left: why the vault was not made counts more.
    fn drop(&mut self) {
        let Some(place) = self.0.first() else { return };
        let holds_only_the_lock = || {
            let mut names =
                std::fs::read_dir(place).ok()?.map(|entry| Some(entry.ok()?.file_name()));
            let only = names.next()??;
            (only == LOCK && names.next().is_none()).then_some(())
        };
        if holds_only_the_lock().is_some() {
            let _ = std::fs::remove_file(place.join(LOCK));
        }
        // Only empty ones can be removed, and those with a vault are not.
        self.0.iter().all(|directory| std::fs::remove_dir(directory).is_ok());
    }
}

/// The directory and those above it, as far as they are missing.
fn missing(path: &Path) -> Vec<PathBuf> {
    let is_missing =
        |path: &&Path| !path.as_os_str().is_empty() && path.symlink_metadata().is_err();
    path.ancestors().take_while(is_missing).map(Path::to_owned).collect()
}

/// Makes the name of a directory durable in the one above it.
fn sync_name(directory: &Path) -> io::Result<()> {
    let above = directory.parent().filter(|above| !above.as_os_str().is_empty());
    File::open(above.unwrap_or(Path::new(".")))?.sync_all()
}

/// Opens a file for writing; where nothing can be written, for reading.
fn open_writable(directory: &OwnedFd, name: &str, how: OFlags) -> io::Result<Option<File>> {
    match open_file(directory, name, OFlags::RDWR | how) {
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            open_file(directory, name, OFlags::RDONLY)
        }
        file => file,
    }
}

/// Removes a name, if it is there.
fn remove(directory: &OwnedFd, name: &str) -> io::Result<()> {
    match unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(named(name, errno.into())),
    }
}

/// Reads a whole file that is not longer than it may be.
pub(crate) fn read_whole(name: &str, file: File, most: u64) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    if length > most {
        let problem = format!("{name}: too long: expected at most {most} bytes, found {length}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    file.take(most).read_to_end(&mut bytes).map_err(|error| named(name, error))?;
    Ok(bytes)
}

impl VaultStorage for Directory {
    fn read_store(&mut self) -> io::Result<Option<Vec<u8>>> {
        let file = open_file(&self.directory, STORE, OFlags::RDONLY)?;
        file.map(|file| read_whole(STORE, file, MAX_STORE)).transpose()
    }

    fn replace_store(&mut self, contents: &[u8]) -> io::Result<()> {
        replace(&self.directory, STORE, STORE_NEW, contents)
    }

    fn log_length(&mut self) -> io::Result<u64> {
        self.log()?.map_or(Ok(0), |log| Ok(log.metadata()?.len()))
    }

    fn read_log(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.log()?.map_or(Ok(0), |log| log.read_at(buffer, offset))
    }

    fn append_log(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if self.log()?.is_none() {
            self.log = Some(self.make(LOG)?);
        }
        let log = self.log_to_write()?.ok_or(io::ErrorKind::NotFound)?;
        check_end(offset, log.metadata()?.len()).map_err(|error| named(LOG, error))?;
        log.write_all_at(bytes, offset).map_err(|error| named(LOG, error))?;
        Ok(fdatasync(log)?)
    }

    fn truncate_log(&mut self, length: u64) -> io::Result<()> {
        match self.log_to_write()? {
            Some(log) if log.metadata()?.len() > length => {
                log.set_len(length)?;
                log.sync_all()
            }
            _ => Ok(()),
        }
    }

    fn close_log(&mut self, name: &str) -> io::Result<()> {
        self.log = None;
        renameat(&self.directory, LOG, &self.directory, name)
            .map_err(|errno| named(LOG, errno.into()))?;
        // Before there is another log: else that might take the place of this one.
        Ok(fsync(&self.directory)?)
    }

    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let file = open_file(&self.directory, HEAD, OFlags::RDONLY)?;
        let head = file.map(|file| read_whole(HEAD, file, MAX_HEAD)).transpose()?;
        // A process killed between making the file and writing it leaves it empty.
        Ok(head.filter(|head| !head.is_empty()))
    }

    fn write_head(&mut self, head: &[u8]) -> io::Result<()> {
        let open = match self.head.take() {
            Some(open) => Some(open),
            None => match open_file(&self.directory, HEAD, OFlags::RDWR)? {
                Some(file) => {
                    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
                    Some((file, length))
                }
                None => None,
            },
        };
        let Some((file, length)) = open.filter(|&(_, length)| length > 0) else {
            return replace(&self.directory, HEAD, HEAD_NEW, head);
        };
        file.write_all_at(head, 0).map_err(|error| named(HEAD, error))?;
        if length > head.len() {
            file.set_len(head.len() as u64)?;
        }
        self.head = Some((file, head.len()));
        Ok(())
    }

    fn files(&mut self) -> io::Result<Arc<dyn VaultFiles>> {
        // Opened anew: a copy of the descriptor would share the lock.
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Arc::new(Files(openat(&self.directory, ".", how, Mode::empty())?)))
    }

    fn read_witness(&mut self, place: &str) -> io::Result<Option<Vec<u8>>> {
        witness::read(place)
    }

    fn write_witness(&mut self, place: &str, record: &[u8]) -> io::Result<()> {
        witness::write(place, record)
    }
}

prepay_basics::codes! {
    DirectoryError {
        NotThere = "not_there",
        NotADirectory = "not_a_directory",
        NotPrivate = "not_private",
        InUse = "in_use",
        Io = "file",
    }
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere { path } => write!(f, "{}: no such directory", path.display()),
            Self::NotADirectory { path } => {
                write!(f, "{}: expected a directory, found something else", path.display())
            }
            Self::NotPrivate { path, problem } => write!(f, "{}: {problem}", path.display()),
            Self::InUse { path, process: Some(process) } => {
                write!(f, "{}: in use by process {process}", path.display())
            }
            Self::InUse { path, process: None } => {
                write!(f, "{}: in use by another process", path.display())
            }
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for DirectoryError {}
