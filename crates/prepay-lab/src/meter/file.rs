//! The file of a meter: its format, and how it is replaced.
//!
//! All numbers are big-endian.
//!
//! ```text
//!    0  4  magic "PPMF"
//!    4  2  version, 1
//!    6  2  zero
//!    8  4  length of the body
//!   12  4  CRC-32 of the body
//!   16  4  CRC-32 of the preceding sixteen bytes
//!   20     body: one JSON object; contains the slots of the meter's storage, with the key   SECRET
//! ```
//!
//! - A file is never changed: a new one is written beside it, flushed to the disk, and renamed. So there is always
//!   one complete file, whenever power fails.
//! - A damaged file is refused and left unchanged; a person must decide what to do with it.
//! - Only its owner can read it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crc::{CRC_32_ISO_HDLC, Crc};
use zeroize::Zeroizing;

use super::answer::MeterError;

const MAGIC: &[u8; 4] = b"PPMF";
const VERSION: u16 = 1;
const HEADER: usize = 20;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The longest file that is read.
const LONGEST: u64 = 256 * 1024;

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
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(path, &error)),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| fault(path, &error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(fault(path, &"too long for a meter's file"));
    }
    match decode(&bytes) {
        Ok(body) => Ok(Some(Zeroizing::new(body.to_owned()))),
        Err(wrong) => Err(fault(path, &wrong)),
    }
}

/// Replaces the file by one with this body.
pub(super) fn replace(path: &Path, body: &str) -> Result<(), MeterError> {
    write_beside(path, &encode(body)).map_err(|error| fault(path, &error))
}

/// Makes a directory and those above it, as far as they are missing.
pub(super) fn create_directory(path: &Path) -> io::Result<()> {
    let is_missing =
        |path: &&Path| !path.as_os_str().is_empty() && path.symlink_metadata().is_err();
    let new: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(path)?;
    #[cfg(unix)]
    new.into_iter().try_for_each(|new| File::open(directory(new))?.sync_all())?;
    Ok(())
}

fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)?;
    // The new name is on the disk once the directory is flushed.
    #[cfg(unix)]
    File::open(directory(path))?.sync_all()?;
    Ok(())
}

/// The name under which the new file is written first.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(".new");
    Ok(path.with_file_name(beside))
}

#[cfg(unix)]
fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An error about a file.
pub(super) fn fault(path: &Path, error: &dyn std::fmt::Display) -> MeterError {
    MeterError::Storage(format!("{}: {error}", path.display()))
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
        newer[5] = 2;
        let header = super::CRC.checksum(&newer[..16]).to_be_bytes();
        newer[16..20].copy_from_slice(&header);
        assert!(decode(&newer).unwrap_err().contains("version 2"));
    }
}
