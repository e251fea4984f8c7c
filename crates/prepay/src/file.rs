//! Documents as files: read with a limit, made whole and durable or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use clap::{Args, ValueHint};

use crate::failure::{Done, Failure};
use crate::out::{Out, Record};

/// The longest document, in bytes: that of the key-load profile.
const LONGEST: u64 = 1 << 20;

/// A file that is to be. It is written under another name beside its own, and gets its own at the end, so that
/// nobody ever sees a part of it. Making it first shows whether it can be made, before anything is done for it.
pub(crate) struct NewFile<'a> {
    path: &'a Path,
    beside: PathBuf,
    file: File,
    replaces: bool,
}

impl<'a> NewFile<'a> {
    /// Begins a file. One that is there is replaced as a whole, and only when `replaces`.
    pub(crate) fn make(path: &'a Path, replaces: bool) -> Done<Self> {
        match path.symlink_metadata() {
            Ok(_) if !replaces => return Err(there(path)),
            Ok(found) if !found.is_file() => {
                let message = format!(
                    "{}: expected a regular file to replace, found another kind",
                    path.display()
                );
                return Err(Failure::unable("file", message).next("name another file"));
            }
            _ => {}
        }
        let beside = beside(path);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
        let file = made.map_err(|error| {
            let next = match error.kind() {
                io::ErrorKind::NotFound => {
                    "make its directory first, or name a file in another one"
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "its directory cannot be written: name a file in another one"
                }
                _ => "choose another name",
            };
            Failure::file(path, &error).next(next)
        })?;
        Ok(Self { path, beside, file, replaces })
    }

    /// Writes the file. On return it and its name are durable.
    pub(crate) fn write(mut self, bytes: &[u8]) -> Done<()> {
        let failed = |error: io::Error| Failure::file(self.path, &error);
        self.file.write_all(bytes).and_then(|()| self.file.sync_all()).map_err(failed)?;
        let how = if self.replaces { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        renameat_with(CWD, &self.beside, CWD, self.path, how).map_err(
            |error| match io::Error::from(error) {
                error if error.kind() == io::ErrorKind::AlreadyExists => there(self.path),
                error => failed(error),
            },
        )?;
        sync_parent(self.path).map_err(failed)
    }
}

impl Drop for NewFile<'_> {
    /// Once the file has its own name, there is nothing beside it.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.beside); // What failed first is what counts.
    }
}

/// Writes a file at once, as [`NewFile`] does.
pub(crate) fn write(path: &Path, bytes: &[u8], replaces: bool) -> Done<()> {
    NewFile::make(path, replaces)?.write(bytes)
}

/// Where to write a document.
#[derive(Args, Clone, Debug)]
pub(crate) struct OutFlags {
    /// The file to write [default: standard output]. An existing file is not changed.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Replace an existing file.
    #[arg(long, requires = "out")]
    force: bool,
}

/// A place for a document: a new file, or standard output.
pub(crate) struct Output<'a>(Option<NewFile<'a>>);

impl OutFlags {
    /// Begins the file, before anything is done for it. Refuses one that exists.
    pub(crate) fn begin(&self) -> Done<Output<'_>> {
        let Some(path) = &self.out else { return Ok(Output(None)) };
        if !self.force && path.symlink_metadata().is_ok() {
            let next = "name another file, or give --force to replace it";
            return Err(there(path).next(next));
        }
        Ok(Output(Some(NewFile::make(path, self.force)?)))
    }
}

impl Output<'_> {
    /// Whether the document goes to standard output.
    pub(crate) const fn is_standard(&self) -> bool {
        self.0.is_none()
    }

    /// Writes a document and says so. With `--json` and without a file, the document is in the answer, as `text`.
    pub(crate) fn put(self, out: &Out, document: &str, sentence: &str, record: Record) -> Done<()> {
        match self.0 {
            Some(_) => self.put_bytes(out, document.as_bytes(), sentence, record),
            None if out.is_json() => out.record(&record.text("text", document)),
            None => out.document(document),
        }
    }

    /// Writes a document that is no text and says so. It does not go to standard output.
    pub(crate) fn put_bytes(
        self,
        out: &Out,
        document: &[u8],
        sentence: &str,
        record: Record,
    ) -> Done<()> {
        let file = self.0.ok_or_else(|| {
            Failure::flag("--out", "expected a file, since this document is no text, found none")
        })?;
        let path = file.path;
        file.write(document)?;
        out.done_with(sentence, &record.text("file", path.display()))
    }
}

/// A name beside a file, for what is to become it.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    path.with_file_name(name)
}

/// That there is a file already.
pub(crate) fn there(path: &Path) -> Failure {
    let message = format!("{}: a file of this name is there already", path.display());
    Failure::unable("file_exists", message).next("choose another name")
}

/// Why a new file was not made.
pub(crate) fn not_made(path: &Path, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => there(path),
        _ => Failure::file(path, error),
    }
}

/// Makes the name of a file durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    File::open(above.unwrap_or(Path::new(".")))?.sync_all()
}

/// Reads a document of text; `-` is standard input.
pub(crate) fn read(path: &Path) -> Done<String> {
    let failed = |error: io::Error| {
        Failure::file(path, &error).next("check the name of the file; - is standard input")
    };
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    let mut bytes = Vec::new();
    input.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        let message = format!("{}: expected at most {LONGEST} bytes, found more", path.display());
        return Err(Failure::refused("size", message).next("check which file was meant"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message =
            format!("{}: expected text, found something else at byte {at}", path.display());
        Failure::refused("text", message).next("the file is damaged, or another one was meant")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(place: &Path) -> Vec<String> {
        let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = std::fs::read_dir(place).unwrap().map(name).collect();
        names.sort();
        names.into_iter().map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("document");
        let begun = NewFile::make(&path, false).unwrap();
        assert!(!path.exists());
        begun.write(b"first").unwrap();
        assert_eq!(read(&path).unwrap(), "first");
        let code = |done: Done<()>| done.unwrap_err().body().code.to_owned();
        assert_eq!(code(write(&path, b"second", false)), "file_exists");
        write(&path, b"second", true).unwrap();
        assert_eq!(read(&path).unwrap(), "second");
        drop(NewFile::make(&path, true).unwrap());
        assert_eq!(
            (read(&path).unwrap().as_str(), names(place.path())),
            ("second", vec!["document".to_owned()])
        );

        // Somebody else takes the name meanwhile.
        let other = place.path().join("other");
        let begun = NewFile::make(&other, false).unwrap();
        std::fs::write(&other, b"theirs").unwrap();
        assert_eq!(code(begun.write(b"ours")), "file_exists");
        assert_eq!(read(&other).unwrap(), "theirs");
        assert_eq!(names(place.path()), ["document", "other"]);
        let nowhere = write(&place.path().join("no/where"), b"", false).unwrap_err();
        let next = "make its directory first, or name a file in another one";
        assert_eq!((nowhere.body().code, nowhere.body().next), ("file", Some(next)));
    }
}
