//! The store of a centre's rows.
//!
//! Its rows hold no secret, but say which keys go to whom: a file that somebody else may write to, or may
//! have put there, is refused.

use std::ffi::OsString;
use std::path::Path;

use prepay_host::private_file;
use prepay_kmc::centre::record_of;
use prepay_kmc::store::verify;
use prepay_kmc_module::ExpectedDatabase;
use prepay_kmp::CentreId;
use prepay_store::{OpenStoreError, SqliteCentreStore};

use super::refusal;
use crate::failure::{Done, Failure};

/// The store.
pub(super) type Store = SqliteCentreStore;

/// Opens the store that is there.
pub(super) fn open(path: &Path) -> Done<Store> {
    check_private(path)?;
    SqliteCentreStore::open(path).map_err(|error| failure(&error))
}

/// The store of a back-up, only to read it. Nothing is written.
pub(super) struct BackupStore(SqliteCentreStore);

const OTHER_COPY: &str =
    "use another copy of the back-up: it consists of vault.backup and centre.db";

impl BackupStore {
    /// Checks the file, and that it belongs to this centre.
    pub(super) fn open(path: &Path, centre: &CentreId) -> Done<Self> {
        check_private(path)?;
        let damaged = |error: OpenStoreError| failure(&error).next(OTHER_COPY);
        let store = SqliteCentreStore::look(path).map_err(damaged)?;
        store.check(path).map_err(damaged)?;
        record_of(&store, centre).map_err(|error| refusal::command(&error))?;
        Ok(Self(store))
    }

    /// Checks that every row is right for the vault in the back-up. A vault of an earlier version cannot tell.
    pub(super) fn verify(&self, expected: &ExpectedDatabase) -> Done<()> {
        match expected.current {
            None => Ok(()),
            Some(_) => verify(&self.0, expected)
                .map(drop)
                .map_err(|error| refusal::store(error).next(OTHER_COPY)),
        }
    }
}

/// Checks the structure of a store that is there.
pub(super) fn check(store: &Store, path: &Path) -> Done<()> {
    store.check(path).map_err(|error| failure(&error))
}

/// Makes an empty store.
pub(super) fn create(path: &Path) -> Done<Store> {
    SqliteCentreStore::create(path).map_err(|error| failure(&error))
}

/// Writes all that the store holds into a new file.
pub(super) fn copy(store: &Store, path: &Path) -> Done<()> {
    store.copy_to(path).map_err(|error| failure(&error))
}

/// Refuses a store that is not its owner's alone: its file, or one of the two that SQLite keeps beside it.
pub(super) fn check_private(path: &Path) -> Done<()> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = OsString::from(path);
        name.push(ending);
        let file = Path::new(&name);
        let fault = private_file::fault(file).map_err(|error| Failure::file(file, &error))?;
        if let Some(problem) = fault {
            let message = format!("{}: {problem}", file.display());
            return Err(Failure::unable("not_private", message).next(
                "find out who could write to it, then make it yours alone: chown, chmod 600",
            ));
        }
    }
    Ok(())
}

fn failure(error: &OpenStoreError) -> Failure {
    let message = error.to_string();
    match error {
        OpenStoreError::NotThere { .. } => Failure::unable(error.code(), message)
            .next("restore vault and centre.db from a back-up"),
        OpenStoreError::AlreadyThere { .. } => {
            Failure::unable(error.code(), message).next("choose an empty directory")
        }
        OpenStoreError::NotADatabase { .. }
        | OpenStoreError::OtherApplication { .. }
        | OpenStoreError::Damaged { .. }
        | OpenStoreError::Newer { .. } => Failure::refused(error.code(), message),
        OpenStoreError::Fault { .. } => Failure::broken(error.code(), message),
        _ => Failure::unable(error.code(), message),
    }
}
