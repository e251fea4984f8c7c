//! Segments of an audit log outside the directory of their vault: copying them there, and reading them.
//!
//! - A copy is written as `NAME.new`, made durable, renamed, and the directory is synced. One that is there already stays
//!   as it is: whoever removes the original verifies the copy first.
//! - The copies have permissions 0600, and their directory, if it is made, 0700. Reading them checks neither owner nor
//!   permissions: whether they are right, their chain and the vault say.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prepay_vault::{Segment, SegmentSource, Segments, VaultFiles};
use rustix::fs::OFlags;

use crate::access::named;

/// A directory for segments, outside the directory of their vault.
#[derive(Debug)]
pub struct Archive(PathBuf);

impl Archive {
    /// Opens a directory, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// What the operating system reports, or if it is in the directory of the vault.
    pub fn open(path: &Path, vault: &Path) -> io::Result<Self> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let (place, vault) = (path.canonicalize()?, vault.canonicalize()?);
        // Also if it is mounted in a second place.
        let number =
            |path: &Path| Ok::<_, io::Error>((path.metadata()?.dev(), path.metadata()?.ino()));
        let own = number(&vault)?;
        if place.ancestors().map(number).any(|found| found.is_ok_and(|found| found == own)) {
            let problem = "expected a place outside the vault's directory, found one in it";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        Ok(Self(place))
    }

    /// Its whole path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Copies a segment, unless there is a file of its name, and opens the copy. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// What the operating system reports.
    pub fn keep(
        &self,
        segment: &Segment,
        files: &dyn VaultFiles,
        copies: &mut Segments,
    ) -> io::Result<()> {
        let name = segment.name();
        let (to, new) = (self.0.join(&name), self.0.join(format!("{name}.new")));
        if to.symlink_metadata().is_err() {
            let write = || {
                let how = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&new);
                let mut file = how?;
                let (mut buffer, mut offset) = (vec![0; 256 * 1024], 0);
                loop {
                    match files.read(&name, offset, &mut buffer)? {
                        0 => break,
                        count => {
                            file.write_all(&buffer[..count])?;
                            offset += count as u64;
                        }
                    }
                }
                file.sync_all()
            };
            if let Err(error) = write() {
                let _ = fs::remove_file(&new); // What failed first is what counts.
                return Err(named(&new.display().to_string(), error));
            }
            fs::rename(&new, &to)?;
        }
        File::open(&self.0)?.sync_all()?;
        open(&to, name, copies)
    }
}

/// Opens segments: files, and all that are in directories.
///
/// # Errors
///
/// What the operating system reports; if a file is not named as a segment is; a directory without segments; two files of
/// one name.
pub fn open_segments(paths: &[PathBuf]) -> io::Result<Segments> {
    let mut segments = Segments::new();
    for path in paths {
        let at = |error| named(&path.display().to_string(), error);
        let name = |path: &Path| {
            let name = path.file_name()?.to_str()?;
            Segment::parse_name(name).map(|_| name.to_owned())
        };
        if path.is_dir() {
            let before = segments.len();
            for entry in fs::read_dir(path).map_err(at)? {
                let path = entry.map_err(at)?.path();
                if let Some(name) = name(&path) {
                    open(&path, name, &mut segments)?;
                }
            }
            if segments.len() == before {
                let problem = "expected segments in it, such as audit-1-90.log, found none";
                return Err(at(io::Error::new(io::ErrorKind::NotFound, problem)));
            }
            continue;
        }
        let name = name(path).ok_or_else(|| {
            let problem = "expected the name of a segment, such as audit-1-90.log";
            at(io::Error::new(io::ErrorKind::InvalidInput, problem))
        })?;
        open(path, name, &mut segments)?;
    }
    Ok(segments)
}

fn open(path: &Path, name: String, segments: &mut Segments) -> io::Result<()> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| named(&path.display().to_string(), error))?;
    let source: SegmentSource = Arc::new(move |offset, buffer| file.read_at(buffer, offset));
    match segments.insert(name, source) {
        None => Ok(()),
        Some(_) => {
            let problem = "expected each segment once, found a second file of this name";
            let error = io::Error::new(io::ErrorKind::InvalidInput, problem);
            Err(named(&path.display().to_string(), error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_outside_the_vaults_directory_are_an_archive() {
        let folder = tempfile::tempdir().unwrap();
        let vault = folder.path().join("vault");
        fs::create_dir(&vault).unwrap();
        std::os::unix::fs::symlink(&vault, folder.path().join("link")).unwrap();
        for place in ["vault", "vault/archive", "vault/../vault", "link", "link/archive"] {
            let error = Archive::open(&folder.path().join(place), &vault).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{place}: {error}");
        }
        let archive = Archive::open(&folder.path().join("archive"), &vault).unwrap();
        assert_eq!(archive.path().metadata().unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn what_is_not_named_as_a_segment_is_refused_or_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["audit-1-90.log", "audit-91-95.log", "audit-91-95.log.new", "notes"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let found = open_segments(&[folder.path().to_owned()]).unwrap();
        assert!(found.keys().eq(["audit-1-90.log", "audit-91-95.log"]));
        let mut bytes = [0; 20];
        assert_eq!(found["audit-91-95.log"](6, &mut bytes).unwrap(), 9);
        assert_eq!(&bytes[..9], b"91-95.log");
        let error = open_segments(&[folder.path().join("notes")]).map(drop).unwrap_err();
        assert!(error.to_string().contains("expected the name of a segment"), "{error}");
        let error = open_segments(&[folder.path().join("audit-7-8.log")]).map(drop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        // What would verify less than was meant: a directory without segments, and the same segment twice.
        let empty = folder.path().join("empty");
        fs::create_dir(&empty).unwrap();
        let error = open_segments(&[empty]).map(drop).unwrap_err();
        assert!(error.to_string().contains("expected segments in it"), "{error}");
        let twice = [folder.path().to_owned(), folder.path().join("audit-1-90.log")];
        let error = open_segments(&twice).map(drop).unwrap_err();
        assert!(error.to_string().contains("a second file of this name"), "{error}");
    }
}
