//! The store of a centre's rows.

use std::path::Path;

use prepay_store::{OpenStoreError, SqliteCentreStore};

use crate::failure::{Done, Failure};

/// The store.
pub(super) type Store = SqliteCentreStore;

/// Opens the store that is there.
pub(super) fn open(path: &Path) -> Done<Store> {
    SqliteCentreStore::open(path).map_err(|error| failure(path, &error))
}

/// Makes an empty store.
pub(super) fn create(path: &Path) -> Done<Store> {
    SqliteCentreStore::create(path).map_err(|error| failure(path, &error))
}

fn failure(path: &Path, error: &OpenStoreError) -> Failure {
    let message = format!("{}: {error}", path.display());
    let restore = "keep the file as it is, and restore the centre from a back-up";
    match error {
        OpenStoreError::NotThere { .. } => Failure::unable(error.code(), message).next(restore),
        OpenStoreError::AlreadyThere { .. } => {
            Failure::unable(error.code(), message).next("choose an empty directory")
        }
        OpenStoreError::NotADatabase { .. }
        | OpenStoreError::OtherApplication { .. }
        | OpenStoreError::Damaged { .. } => Failure::refused(error.code(), message).next(restore),
        OpenStoreError::Newer { .. } => {
            Failure::refused(error.code(), message).next("use the program that made it")
        }
        OpenStoreError::ReadOnly { .. } => {
            Failure::unable(error.code(), message).next("let its owner run the command")
        }
        _ => {
            Failure::unable(error.code(), message).next("mend the disk, then run the command again")
        }
    }
}
