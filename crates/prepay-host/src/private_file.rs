//! Small files with secrets: a key file, a passphrase file, a back-up.
//!
//! They are created with permissions 0600 and never overwrite anything. Reading refuses a file that belongs to
//! another user, is accessible to others, or is a symbolic link. [`fault`] makes the same checks on any file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use rustix::fs::{CWD, OFlags, fsync, openat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::access;

/// Creates a file with these bytes, which is on the disk when this returns.
///
/// # Errors
///
/// Errors of the operating system; [`io::ErrorKind::AlreadyExists`] if something has this name.
pub fn create(path: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
    let path = path.as_ref();
    let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut file = File::from(openat(CWD, path, how, access::FILE)?);
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _ = std::fs::remove_file(path); // The first failure is the one to report.
        return Err(error);
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    Ok(fsync(File::open(above.unwrap_or(Path::new(".")))?)?)
}

/// Why a file is not private, if so. A missing file has no fault. This is for files that a library opens, such as
/// a database: it touches no lock on them.
///
/// # Errors
///
/// Errors of the operating system.
pub fn fault(path: impl AsRef<Path>) -> io::Result<Option<String>> {
    let checked = access::check_name(path.as_ref())?;
    Ok(checked.and_then(Result::err).map(|problem| problem.to_string()))
}

/// Reads a whole file of at most this many bytes.
///
/// # Errors
///
/// Errors of the operating system; [`io::ErrorKind::PermissionDenied`] if the file is not private,
/// [`io::ErrorKind::InvalidData`] if it is longer.
pub fn read(path: impl AsRef<Path>, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = match openat(CWD, path.as_ref(), flags, rustix::fs::Mode::empty()) {
        Err(Errno::LOOP) => {
            let problem = "expected a regular file, found a symbolic link";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
        }
        opened => opened?,
    };
    access::check(&opened, access::FILE)?
        .map_err(|problem| io::Error::new(io::ErrorKind::PermissionDenied, problem.to_string()))?;
    // Reserve space for everything, because growing would leave a copy behind unwiped.
    let mut bytes = Zeroizing::new(vec![0; most + 1]);
    let mut file = File::from(opened);
    let mut count = 0;
    loop {
        match file.read(&mut bytes[count..])? {
            0 if count > most => {
                let problem = format!("too long: expected at most {most} bytes");
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            }
            0 => break,
            more => count += more,
        }
    }
    bytes.truncate(count);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_created_private_read_back_and_never_overwritten() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("key");
        create(&path, b"secret").unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(create(&path, b"other").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(*read(&path, 6).unwrap(), b"secret");
        assert_eq!(read(&path, 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(*read(&path, 7).unwrap(), b"secret");
    }

    #[test]
    fn a_file_that_others_can_read_or_a_link_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("key");
        create(&path, b"secret").unwrap();
        let link = place.path().join("link");
        symlink(&path, &link).unwrap();
        let refused = read(&link, 6).unwrap_err().to_string();
        assert_eq!(refused, "expected a regular file, found a symbolic link");
        let expected = "expected a regular file, found something else";
        assert_eq!(fault(&link).unwrap().as_deref(), Some(expected));
        assert_eq!(fault(place.path()).unwrap().as_deref(), Some(expected));
        assert_eq!(fault(&path).unwrap(), None);
        assert_eq!(fault(place.path().join("nothing")).unwrap(), None);
        assert!(fault(path.join("below a file")).is_err());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = read(&path, 6).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        let expected = "open to others: expected permissions 0600, found 0640";
        assert!(refused.to_string().contains(expected), "{refused}");
        assert_eq!(fault(&path).unwrap().as_deref(), Some(expected));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::hard_link(&path, place.path().join("twice")).unwrap();
        let expected = "has other names (hard links): expected 1 name, found 2";
        assert_eq!(fault(&path).unwrap().as_deref(), Some(expected));
    }
}
