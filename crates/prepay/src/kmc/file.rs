//! Files that go in and out: read with a limit, made new and durable.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::out::{Out, Record};
use crate::failure::{Done, Failure};

/// The longest document, in octets: that of the key-load profile.
const LONGEST: u64 = 1 << 20;

/// Where a document goes.
#[derive(Args, Clone, Debug)]
pub(super) struct OutFlags {
    /// The file to make; standard output if not given. One that is there is not touched.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) out: Option<PathBuf>,
    /// Replace the file if it is there.
    #[arg(long, requires = "out")]
    pub(super) force: bool,
}

impl OutFlags {
    /// Refuses a file that is there, before anything is done.
    pub(super) fn check(&self) -> Done<()> {
        match &self.out {
            Some(path) if !self.force && path.symlink_metadata().is_ok() => Err(there(path)),
            _ => Ok(()),
        }
    }

    /// Puts a document where it goes, and says so. `record` gets the document itself, as `name`, when a program
    /// asks and no file was named.
    pub(super) fn put(
        &self,
        out: &Out,
        name: &'static str,
        document: &str,
        sentence: &str,
        record: Record,
    ) -> Done<()> {
        match &self.out {
            Some(path) => {
                write(path, document.as_bytes(), self.force)?;
                let record = record.text("file", path.display());
                out.done_with(sentence, &record)
            }
            None if out.is_json() => out.record(&record.text(name, document)),
            None => out.document(document),
        }
    }
}

fn there(path: &Path) -> Failure {
    let message = format!("{}: a file of this name is there already", path.display());
    Failure::unable("file_exists", message).next("name another file, or give --force to replace it")
}

/// Writes a file. On return it is durable. One that is there is replaced as a whole, and only when `force`.
pub(super) fn write(path: &Path, octets: &[u8], force: bool) -> Done<()> {
    if !force && path.symlink_metadata().is_ok() {
        return Err(there(path));
    }
    let failed = |error: io::Error| Failure::file(path, &error);
    let target = if force { beside(path) } else { path.to_owned() };
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(&target).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => there(&target),
        _ => failed(error),
    })?;
    let written = file.write_all(octets).and_then(|()| file.sync_all());
    let moved = written.and_then(|()| match force {
        true => std::fs::rename(&target, path),
        false => Ok(()),
    });
    if let Err(error) = moved {
        let _ = std::fs::remove_file(&target); // What failed first is what counts.
        return Err(failed(error));
    }
    sync_parent(path).map_err(failed)
}

/// A name beside a file, for what is to replace it.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    path.with_file_name(name)
}

/// Makes the name of a file durable.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    File::open(above.unwrap_or(Path::new(".")))?.sync_all()
}

/// Reads a document of text; `-` is standard input.
pub(super) fn read(path: &Path) -> Done<String> {
    let failed = |error: io::Error| {
        Failure::file(path, &error).next("check the name of the file; - is standard input")
    };
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    let mut octets = Vec::new();
    input.take(LONGEST + 1).read_to_end(&mut octets).map_err(failed)?;
    if octets.len() as u64 > LONGEST {
        let message = format!("{}: expected at most {LONGEST} octets, found more", path.display());
        return Err(Failure::refused("length", message).next("check which file was meant"));
    }
    String::from_utf8(octets).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message =
            format!("{}: expected text, found something else at octet {at}", path.display());
        Failure::refused("text", message).next("the file is damaged, or another one was meant")
    })
}
