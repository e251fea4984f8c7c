//! Where a document of the centre goes.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::failure::Done;
pub(super) use crate::file::{read, sync_parent, write};
use crate::out::{Out, Record};

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
            Some(path) if !self.force && path.symlink_metadata().is_ok() => {
                Err(crate::file::there(path)
                    .next("name another file, or give --force to replace it"))
            }
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
