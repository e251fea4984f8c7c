//! The store of a centre's rows.

use std::path::Path;

use prepay_store::{OpenStoreError, SqliteCentreStore};

use crate::failure::{Done, Failure};

/// The store.
pub(super) type Store = SqliteCentreStore;

/// Opens the store that is there.
pub(super) fn open(path: &Path) -> Done<Store> {
    SqliteCentreStore::open(path).map_err(|error| failure(&error))
}

/// Makes an empty store.
pub(super) fn create(path: &Path) -> Done<Store> {
    SqliteCentreStore::create(path).map_err(|error| failure(&error))
}

/// Writes all that the store holds into a new file.
pub(super) fn copy(store: &Store, path: &Path) -> Done<()> {
    store.copy_to(path).map_err(|error| failure(&error))
}

fn failure(error: &OpenStoreError) -> Failure {
    let message = error.to_string();
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
