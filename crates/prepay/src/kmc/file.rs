//! Documents of the centre: where to write one, and reading a form.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use prepay_forms::Document;

use super::refusal;
use crate::failure::Done;
pub(super) use crate::file::{read, sync_parent, write};
use crate::out::{Out, Record};

/// Where to write a document.
#[derive(Args, Clone, Debug)]
pub(super) struct OutFlags {
    /// The file to write [default: standard output]. An existing file is not changed.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) out: Option<PathBuf>,
    /// Replace an existing file.
    #[arg(long, requires = "out")]
    pub(super) force: bool,
}

impl OutFlags {
    /// Refuses an existing file, before anything is done.
    pub(super) fn check(&self) -> Done<()> {
        match &self.out {
            Some(path) if !self.force && path.symlink_metadata().is_ok() => {
                Err(crate::file::there(path)
                    .next("name another file, or give --force to replace it"))
            }
            _ => Ok(()),
        }
    }

    /// Writes a document and says so. With `--json` and without a file, the document is in the answer, as `name`.
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

/// Reads a form.
pub(super) fn read_form(path: &Path) -> Done<Document> {
    prepay_forms::read(&read(path)?).map_err(|error| refusal::form(path, &error))
}
