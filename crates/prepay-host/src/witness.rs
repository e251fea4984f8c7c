//! The witness of a vault as a file outside the vault's directory: on another disk, or on a mounted share.
//!
//! - Its place is an absolute path. The directory must be there: a share that is not mounted is not taken for a witness that
//!   was lost.
//! - A new record is written as `NAME.new`, made durable, renamed over the old one, and the directory is synced.
//! - The file is checked as those of a vault are (`access.rs`). Its directory is not: who may write there is up to those who
//!   choose it.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::OFlags;

use crate::access::{named, open_directory, open_file};
use crate::directory::{read_whole, replace};

/// More than any record needs.
const LONGEST: u64 = 4096;

/// The directory of a witness, open, and the name of its file.
fn enter(place: &str) -> io::Result<(OwnedFd, &str)> {
    let path = Path::new(place);
    let name = path.file_name().and_then(|name| name.to_str());
    let (Some(above), Some(name), true) = (path.parent(), name, path.is_absolute()) else {
        let problem = "expected the absolute path of a file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    };
    let directory =
        open_directory(above).map_err(|errno| named(&above.display().to_string(), errno.into()))?;
    Ok((directory, name))
}

pub(crate) fn read(place: &str) -> io::Result<Option<Vec<u8>>> {
    let (directory, name) = enter(place)?;
    let file = open_file(&directory, name, OFlags::RDONLY)?;
    file.map(|file| read_whole(name, file, LONGEST)).transpose()
}

pub(crate) fn write(place: &str, record: &[u8]) -> io::Result<()> {
    let (directory, name) = enter(place)?;
    replace(&directory, name, &format!("{name}.new"), record)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_record_is_replaced_as_a_whole_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("SM-1.witness");
        let place = path.to_str().unwrap();
        assert_eq!(read(place).unwrap(), None);
        fs::write(folder.path().join("SM-1.witness.new"), b"of a killed process").unwrap();
        for record in [b"a first record".as_slice(), b"the next"] {
            write(place, record).unwrap();
            assert_eq!(read(place).unwrap().as_deref(), Some(record));
        }
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(&path, vec![0; 4097]).unwrap();
        assert!(read(place).unwrap_err().to_string().contains("too long"));
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(read(place).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        fs::remove_file(&path).unwrap();
        symlink("elsewhere", &path).unwrap();
        assert_eq!(read(place).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_share_that_is_not_mounted_and_what_is_no_path_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("share/SM-1.witness");
        for (place, reason) in [
            (place.to_str().unwrap(), "/share: No such file"),
            ("SM-1.witness", "expected the absolute path of a file"),
            ("/", "expected the absolute path of a file"),
            ("", "expected the absolute path of a file"),
        ] {
            for error in [read(place).unwrap_err(), write(place, b"record").unwrap_err()] {
                assert!(error.to_string().contains(reason), "{place}: {error}");
            }
        }
    }
}
