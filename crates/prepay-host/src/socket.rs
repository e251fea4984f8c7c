//! The Unix socket of a service: made so that nobody can connect before its permissions are right, refused where
//! something else is, removed at the end.
//!
//! - The socket is made under another name with permissions 0600, gets its group and permissions, and is then renamed.
//! - A socket that nobody listens on is that of a service that was killed, and is replaced. One that somebody listens on is
//!   refused, and so is any other file. Two services that begin at once take turns: a lock on the directory.
//! - The permissions of the directory apply too: who may not enter it cannot connect.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, CWD, Gid, Mode, chmodat, chownat};
use rustix::process::umask;

/// Permissions of the socket: its owner and its group may connect.
const SOCKET: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP).union(Mode::WGRP);

/// A socket on which a service listens. It is removed when this value is dropped.
#[derive(Debug)]
pub struct ServiceSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and number of the file, so that no other's is removed.
    file: (u64, u64),
}

/// Who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The user.
    pub user: u32,
    /// The process.
    pub process: i32,
}

/// Why there is no socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum SocketError {
    /// Another service listens there.
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// Something else has this name.
    NotASocket {
        /// Its path.
        path: PathBuf,
    },
    /// The operating system reported an error.
    Io {
        /// The socket.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
}

prepay_basics::codes! {
    SocketError {
        InUse = "in_use",
        NotASocket = "file_exists",
        Io = "file",
    }
}

impl ServiceSocket {
    /// Makes a socket and listens on it. With a group, its members may connect.
    ///
    /// Call this before other threads exist: for a moment it changes the permissions of every new file of the process.
    ///
    /// # Errors
    ///
    /// [`SocketError`].
    pub fn bind(path: impl AsRef<Path>, group: Option<u32>) -> Result<Self, SocketError> {
        let path = path.as_ref().to_path_buf();
        let io = |error| SocketError::Io { path: path.clone(), error };
        let above = path.parent().filter(|above| !above.as_os_str().is_empty());
        let turn = File::open(above.unwrap_or(Path::new("."))).map_err(io)?;
        turn.lock().map_err(io)?;
        make_room(&path)?;
        let mut name = path.clone().into_os_string();
        name.push(format!(".{}", std::process::id()));
        let new = PathBuf::from(name);
        let _ = std::fs::remove_file(&new); // Left by a process with the same number.
        let before = umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
        let listener = UnixListener::bind(&new);
        umask(before);
        let listener = listener.map_err(io)?;
        let placed = Self::place(&new, &path, group);
        let file = placed.map_err(|error| {
            let _ = std::fs::remove_file(&new); // The first failure is the one to report.
            io(error)
        })?;
        listener.set_nonblocking(true).map_err(io)?;
        Ok(Self { listener, path, file })
    }

    /// Gives a new socket its permissions and its name.
    fn place(new: &Path, path: &Path, group: Option<u32>) -> io::Result<(u64, u64)> {
        if let Some(group) = group {
            chownat(CWD, new, None, Some(Gid::from_raw(group)), AtFlags::SYMLINK_NOFOLLOW)?;
        }
        chmodat(CWD, new, SOCKET, AtFlags::empty())?;
        let found = new.symlink_metadata()?;
        std::fs::rename(new, path)?;
        Ok((found.dev(), found.ino()))
    }

    /// The next client, and who it is as far as the operating system tells. Nothing if none came in this time.
    ///
    /// # Errors
    ///
    /// Errors of the operating system.
    pub fn accept(&self, at_most: Duration) -> io::Result<Option<(UnixStream, Option<Peer>)>> {
        let until = Timespec::try_from(at_most).ok();
        let mut waiting = [PollFd::new(&self.listener, PollFlags::IN)];
        match poll(&mut waiting, until.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        match self.listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                let peer = peer(&stream);
                Ok(Some((stream, peer)))
            }
            // It left before its turn came.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for ServiceSocket {
    fn drop(&mut self) {
        let found = self.path.symlink_metadata();
        if found.is_ok_and(|found| (found.dev(), found.ino()) == self.file) {
            let _ = std::fs::remove_file(&self.path); // One that is left is replaced.
        }
    }
}

/// Refuses what has the name of a new socket, or removes it if it is one that nobody listens on.
fn make_room(path: &Path) -> Result<(), SocketError> {
    let path = path.to_path_buf();
    let found = match path.symlink_metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(SocketError::Io { path, error }),
    };
    if !found.file_type().is_socket() {
        return Err(SocketError::NotASocket { path });
    }
    match UnixStream::connect(&path) {
        Ok(_) => Err(SocketError::InUse { path }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(&path).map_err(|error| SocketError::Io { path, error })
        }
        Err(error) => Err(SocketError::Io { path, error }),
    }
}

/// Who is at the other end.
#[cfg(target_os = "linux")]
fn peer(stream: &UnixStream) -> Option<Peer> {
    let found = rustix::net::sockopt::socket_peercred(stream).ok()?;
    Some(Peer { user: found.uid.as_raw(), process: found.pid.as_raw_nonzero().get() })
}

/// Who is at the other end: other systems tell it in other ways.
#[cfg(not(target_os = "linux"))]
fn peer(_: &UnixStream) -> Option<Peer> {
    None
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path } => {
                let path = path.display();
                write!(f, "{path}: expected no service, found one that listens on this socket")
            }
            Self::NotASocket { path } => {
                write!(f, "{}: expected no file, or a socket; found something else", path.display())
            }
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for SocketError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::InUse { .. } | Self::NotASocket { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_socket_is_for_its_owner_and_group_and_goes_with_its_service() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("socket");
        let socket = ServiceSocket::bind(&path, None).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o660);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
        assert!(socket.accept(Duration::ZERO).unwrap().is_none());
        let _client = UnixStream::connect(&path).unwrap();
        let (_, peer) = socket.accept(Duration::from_secs(9)).unwrap().unwrap();
        let own = rustix::process::geteuid().as_raw();
        assert!(peer.is_none_or(|peer| peer.user == own), "{peer:?}");
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn a_live_socket_or_another_file_is_refused_and_a_dead_one_replaced() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("socket");
        let socket = ServiceSocket::bind(&path, None).unwrap();
        assert_eq!(ServiceSocket::bind(&path, None).unwrap_err().code(), "in_use");
        // A service that is killed leaves its socket behind.
        rustix::net::shutdown(&socket.listener, rustix::net::Shutdown::Both).unwrap();
        let next = ServiceSocket::bind(&path, None).unwrap();
        drop(socket);
        assert!(path.exists(), "the socket of the next service stays");
        drop(next);
        std::fs::write(&path, "important").unwrap();
        assert_eq!(ServiceSocket::bind(&path, None).unwrap_err().code(), "file_exists");
        assert_eq!(std::fs::read(&path).unwrap(), b"important");
        let error = ServiceSocket::bind(place.path().join("no/socket"), None).unwrap_err();
        assert_eq!(error.code(), "file");
    }
}
