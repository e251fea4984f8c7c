//! Checks a directory or file before secrets go through it.
//!
//! It must be a directory, or a regular file with one name; it must belong to the user who runs the program;
//! and nobody else may read, write or enter it. A symbolic link as the last part of a path is never followed.
//! Not checked: access control lists beyond the nine permission bits, and who may change the directories
//! above.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;
use rustix::process::geteuid;

/// Permissions of our directories.
pub(crate) const DIRECTORY: Mode = Mode::RWXU;
/// Permissions of our files.
pub(crate) const FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Why a directory or file failed the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotOurs {
    /// It is something else, such as a symbolic link.
    Kind { expected: &'static str },
    /// It belongs to another user.
    Owner { expected: u32, found: u32 },
    /// Others have access to it.
    Permissions { expected: u32, found: u32 },
    /// It has more than one name.
    Names { found: u64 },
}

/// Checks an open file or directory.
pub(crate) fn check(opened: impl AsFd, expected: Mode) -> io::Result<Result<(), NotOurs>> {
    let stat = fstat(opened)?;
    Ok(judge(&stat, expected, geteuid().as_raw()))
}

/// Checks a file by its name, without opening it. `None` if there is no such file.
pub(crate) fn check_name(path: &std::path::Path) -> io::Result<Option<Result<(), NotOurs>>> {
    match statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(judge(&stat, FILE, geteuid().as_raw()))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

fn judge(stat: &Stat, expected: Mode, user: u32) -> Result<(), NotOurs> {
    let kind = FileType::from_raw_mode(stat.st_mode);
    let wanted = if expected == DIRECTORY { FileType::Directory } else { FileType::RegularFile };
    if kind != wanted {
        return Err(NotOurs::Kind { expected: name(wanted) });
    }
    if stat.st_uid != user {
        return Err(NotOurs::Owner { expected: user, found: stat.st_uid });
    }
    let found = Mode::from_raw_mode(stat.st_mode);
    if found.intersects(Mode::RWXG | Mode::RWXO) {
        let expected = expected.as_raw_mode();
        return Err(NotOurs::Permissions { expected, found: found.as_raw_mode() });
    }
    #[allow(clippy::useless_conversion, reason = "the width differs between systems")]
    let names = u64::from(stat.st_nlink);
    if wanted == FileType::RegularFile && names > 1 {
        return Err(NotOurs::Names { found: names });
    }
    Ok(())
}

fn name(kind: FileType) -> &'static str {
    if kind == FileType::Directory { "a directory" } else { "a regular file" }
}

/// Opens and checks a file in an open directory. `None` if there is no such file.
pub(crate) fn open_file(directory: &OwnedFd, name: &str, how: OFlags) -> io::Result<Option<File>> {
    let flags = how | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = match openat(directory, name, flags, FILE) {
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => {
            return Err(refuse(name, NotOurs::Kind { expected: "a regular file" }));
        }
        opened => opened.map_err(|errno| named(name, errno.into()))?,
    };
    check(&opened, FILE)
        .map_err(|error| named(name, error))?
        .map_err(|problem| refuse(name, problem))?;
    Ok(Some(File::from(opened)))
}

/// Opens a directory. A symbolic link as the last part of its path is not followed.
pub(crate) fn open_directory(path: &std::path::Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::empty())
}

/// Adds a file's name to an error.
pub(crate) fn named(name: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
}

fn refuse(name: &str, problem: NotOurs) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, format!("{name}: {problem}"))
}

impl std::fmt::Display for NotOurs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kind { expected } => write!(f, "expected {expected}, found something else"),
            Self::Owner { expected, found } => {
                write!(f, "belongs to another user: expected user {expected}, found {found}")
            }
            Self::Permissions { expected, found } => {
                write!(f, "open to others: expected permissions {expected:04o}, found {found:04o}")
            }
            Self::Names { found } => {
                write!(f, "has other names (hard links): expected 1 name, found {found}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failed_check_is_reported() {
        let place = tempfile::tempdir().unwrap();
        let file = File::create(place.path().join("f")).unwrap();
        let stat = fstat(&file).unwrap();
        let user = geteuid().as_raw();
        let with = |mode: u32| {
            let mut stat = stat;
            stat.st_mode = mode;
            stat
        };
        assert_eq!(judge(&with(0o100_600), FILE, user), Ok(()));
        assert_eq!(judge(&with(0o100_400), FILE, user), Ok(()));
        let kind = judge(&with(0o040_700), FILE, user).unwrap_err();
        assert_eq!(kind, NotOurs::Kind { expected: "a regular file" });
        let kind = judge(&with(0o100_700), DIRECTORY, user).unwrap_err();
        assert_eq!(kind, NotOurs::Kind { expected: "a directory" });
        let owner = judge(&with(0o100_600), FILE, user + 1).unwrap_err();
        assert_eq!(owner, NotOurs::Owner { expected: user + 1, found: user });
        for found in [0o640, 0o620, 0o610, 0o604, 0o602, 0o601] {
            let open = judge(&with(0o100_000 | found), FILE, user).unwrap_err();
            assert_eq!(open, NotOurs::Permissions { expected: 0o600, found }, "{found:o}");
        }
        let mut twice = with(0o100_600);
        twice.st_nlink = 2;
        assert_eq!(judge(&twice, FILE, user), Err(NotOurs::Names { found: 2 }));
    }
}
