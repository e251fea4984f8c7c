//! The file of a meter: its format, and how it is replaced.
//!
//! All numbers are big-endian.
//!
//! ```text
//!    0  4  magic "PPMF"
//!    4  2  version, 2
//!    6  2  zero
//!    8  4  length of the body
//!   12  4  CRC-32 of the body
//!   16  4  CRC-32 of the preceding sixteen bytes
//!   20     body: one JSON object; contains the slots of the meter's storage, with the key   SECRET
//! ```
//!
//! Version 1 had neither phases nor what a meter holds in memory. It is read, but not written.
//!
//! - A file is never changed: a new one is written beside it, flushed to the disk, and renamed. So there is always
//!   one complete file, whenever power fails.
//! - One program at a time. It locks the file itself ([`Held`]), and the new one before that gets the name: whoever
//!   has the lock of the file with this name holds the meter, and nothing else can be deleted from under it. The
//!   directory is locked too: by a program with one file together with others, by one with all files alone. The
//!   locks are the operating system's (`flock`) and end with their process, even if that is killed.
//! - A damaged file is refused and left unchanged; a person must decide what to do with it.
//! - Only its owner can read it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crc::{CRC_32_ISO_HDLC, Crc};
use zeroize::Zeroizing;

use super::answer::MeterError;

const MAGIC: &[u8; 4] = b"PPMF";
const VERSION: u16 = 2;
const HEADER: usize = 20;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The longest file that is read.
const LONGEST: u64 = 256 * 1024;

/// How long to wait for another program, and between two attempts. A command takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

/// A meter's file that no other program uses meanwhile.
pub(super) struct Held {
    path: PathBuf,
    file: File,
    _directory: File,
}

/// The bytes of a file with this body.
fn encode(body: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + body.len()));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&(body.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&CRC.checksum(body.as_bytes()).to_be_bytes());
    let header = CRC.checksum(&bytes);
    bytes.extend_from_slice(&header.to_be_bytes());
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

/// The body of a file, or what is wrong with it.
fn decode(bytes: &[u8]) -> Result<&str, String> {
    let Some((header, body)) = bytes.split_at_checked(HEADER) else {
        return Err(format!("truncated: expected a header of {HEADER} bytes"));
    };
    if &header[..4] != MAGIC {
        return Err("not a meter's file".to_owned());
    }
    let word = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    if CRC.checksum(&header[..16]) != word(16) {
        return Err("damaged: the checksum of the header is wrong".to_owned());
    }
    let version = u16::from_be_bytes([header[4], header[5]]);
    if version > VERSION {
        return Err(format!("expected version {VERSION}, found version {version}"));
    }
    let expected = word(8) as usize;
    if body.len() != expected {
        let found = body.len();
        return Err(format!(
            "cut short or longer: expected a body of {expected} bytes, found {found}"
        ));
    }
    if CRC.checksum(body) != word(12) {
        return Err("damaged: the checksum of the body is wrong".to_owned());
    }
    std::str::from_utf8(body).map_err(|_| "damaged: the body is not text".to_owned())
}

/// Reads the body of a file; `None` if there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, MeterError> {
    match File::open(path) {
        Ok(file) => read_body(path, &file).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(path, &error)),
    }
}

/// A file that is not there.
pub(super) fn missing(path: &Path) -> MeterError {
    unusable(path, &ErrorKind::NotFound.into())
}

fn read_body(path: &Path, file: &File) -> Result<Zeroizing<String>, MeterError> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| unusable(path, &error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(damaged(path, &"too long for a meter's file"));
    }
    let body = decode(&bytes).map_err(|wrong| damaged(path, &wrong))?;
    Ok(Zeroizing::new(body.to_owned()))
}

impl Held {
    /// Waits until no other program uses a file, and reads its body.
    pub(super) fn open(path: &Path) -> Result<(Self, Zeroizing<String>), MeterError> {
        let patience = Instant::now();
        let directory = lock_directory(path, patience)?;
        let mut options = OpenOptions::new();
        let file = lock(path, options.read(true).write(true), patience)?;
        let body = read_body(path, &file)?;
        // The file itself, and not a symbolic link to it, is replaced.
        let path = path.canonicalize().map_err(|error| unusable(path, &error))?;
        Ok((Self { path, file, _directory: directory }, body))
    }

    /// Makes a file with this body. One that is there stays as it is.
    pub(super) fn create(path: &Path, body: &str) -> Result<Self, MeterError> {
        let patience = Instant::now();
        let directory = lock_directory(path, patience)?;
        let new = NewFile::begin(path, patience)?;
        // Another program that makes this meter has locked the same new file before.
        if path.symlink_metadata().is_ok() {
            return Err(MeterError::FileExists(path.to_owned()));
        }
        let file = new.write(body)?;
        Ok(Self { path: path.to_owned(), file, _directory: directory })
    }

    /// Replaces the file by one with this body. One that somebody else put in its place stays as it is.
    pub(super) fn replace(&mut self, body: &str) -> Result<(), MeterError> {
        let new = NewFile::begin(&self.path, Instant::now())?;
        if !has_name(&self.file, &self.path).map_err(|error| unusable(&self.path, &error))? {
            return Err(damaged(&self.path, &"removed or replaced by somebody else meanwhile"));
        }
        self.file = new.write(body)?;
        Ok(())
    }
}

/// Replaces a file in a directory that is locked by one with this body, or makes it.
pub(super) fn replace(path: &Path, body: &str) -> Result<(), MeterError> {
    let new = NewFile::begin(path, Instant::now()).map_err(MeterError::stored)?;
    new.write(body).map(drop)
}

/// Locks a directory for one program alone. Makes it and those above it, as far as they are missing.
pub(super) fn hold_directory(path: &Path) -> Result<File, MeterError> {
    let make = || {
        let is_missing =
            |path: &&Path| !path.as_os_str().is_empty() && path.symlink_metadata().is_err();
        let new: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
        fs::create_dir_all(path)?;
        new.into_iter().try_for_each(|new| File::open(directory_of(new))?.sync_all())?;
        File::open(path)
    };
    let directory = make().map_err(|error| unusable(path, &error))?;
    wait_for(path, Instant::now(), || directory.try_lock())?;
    Ok(directory)
}

/// Locks the directory of a file together with other programs that use one file in it.
fn lock_directory(path: &Path, since: Instant) -> Result<File, MeterError> {
    let directory = File::open(directory_of(path)).map_err(|error| unusable(path, &error))?;
    wait_for(path, since, || directory.try_lock_shared())?;
    Ok(directory)
}

/// Opens and locks a file. While others had the lock, another file may have got its name: that one counts.
fn lock(path: &Path, options: &OpenOptions, since: Instant) -> Result<File, MeterError> {
    loop {
        let file = options.open(path).map_err(|error| unusable(path, &error))?;
        wait_for(path, since, || file.try_lock())?;
        if has_name(&file, path).map_err(|error| unusable(path, &error))? {
            return Ok(file);
        }
    }
}

/// Whether a file has this name.
fn has_name(file: &File, path: &Path) -> io::Result<bool> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let own = file.metadata()?;
    Ok((own.dev(), own.ino()) == (found.dev(), found.ino()))
}

/// Tries to lock until it succeeds or it has taken too long.
fn wait_for(
    path: &Path,
    since: Instant,
    try_lock: impl Fn() -> Result<(), TryLockError>,
) -> Result<(), MeterError> {
    loop {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(MeterError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(unusable(path, &error)),
        }
    }
}

/// The new file, which gets the name of a meter's file once it is complete. It is locked from the beginning.
struct NewFile<'a> {
    path: &'a Path,
    beside: PathBuf,
    file: File,
}

impl<'a> NewFile<'a> {
    fn begin(path: &'a Path, since: Instant) -> Result<Self, MeterError> {
        let beside = beside(path).map_err(|error| unusable(path, &error))?;
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(false).mode(0o600);
        let file = lock(&beside, options, since)?;
        Ok(Self { path, beside, file })
    }

    fn write(self, body: &str) -> Result<File, MeterError> {
        let Self { path, beside, file } = self;
        let write = || {
            file.set_len(0)?;
            (&file).write_all(&encode(body))?;
            file.sync_all()?;
            fs::rename(&beside, path)?;
            // The new name is on the disk once the directory is flushed.
            File::open(directory_of(path))?.sync_all()
        };
        write().map_err(|error| MeterError::Storage(format!("{}: {error}", path.display())))?;
        Ok(file)
    }
}

/// The name under which the new file is written first.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(".new");
    Ok(path.with_file_name(beside))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file that cannot be opened or read.
fn unusable(path: &Path, error: &io::Error) -> MeterError {
    MeterError::File(format!("{}: {error}", path.display()))
}

/// A file that is not what it should be.
pub(super) fn damaged(path: &Path, problem: &dyn std::fmt::Display) -> MeterError {
    MeterError::Damaged(format!("{}: {problem}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn a_file_that_is_cut_flipped_longer_or_newer_is_refused() {
        let whole = encode("{\"a\":1}");
        assert_eq!(decode(&whole), Ok("{\"a\":1}"));
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_err(), "cut at {length}");
        }
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped).is_err(), "bit {bit}");
        }
        assert!(decode(&[&whole[..], b" "].concat()).is_err());
        let mut newer = whole.to_vec();
        newer[5] = 3;
        let header = super::CRC.checksum(&newer[..16]).to_be_bytes();
        newer[16..20].copy_from_slice(&header);
        assert!(decode(&newer).unwrap_err().contains("version 3"));
    }
}
