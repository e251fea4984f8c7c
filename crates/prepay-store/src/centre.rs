//! The state of a key management centre in one SQLite file.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prepay_kmc::store::{CentreStore, StoreError, Tables, WriteTables};
use rusqlite::{Connection, TransactionBehavior};

use crate::open::{self, OpenStoreError};
use crate::tables::{SqlTables, fault};

/// The state of a key management centre in one SQLite file.
///
/// Several processes may have the same file open; their commits take turns.
pub struct SqliteCentreStore {
    connection: Mutex<Connection>,
}

impl SqliteCentreStore {
    /// Creates a new file.
    ///
    /// # Errors
    ///
    /// [`OpenStoreError`].
    pub fn create(path: &Path) -> Result<Self, OpenStoreError> {
        Ok(Self { connection: Mutex::new(open::create(path)?) })
    }

    /// Opens an existing file and brings it to the current schema.
    ///
    /// # Errors
    ///
    /// [`OpenStoreError`].
    pub fn open(path: &Path) -> Result<Self, OpenStoreError> {
        Ok(Self { connection: Mutex::new(open::open(path)?) })
    }

    /// Checks the structure of the whole file and the references between rows, which opening does not. Whether the rows
    /// are right is up to `prepay_kmc::store::AuthenticatedStore`.
    ///
    /// # Errors
    ///
    /// [`OpenStoreError::Damaged`], [`OpenStoreError::Fault`].
    pub fn check(&self, path: &Path) -> Result<(), OpenStoreError> {
        open::check(&self.connection(), path)
    }

    /// Opens an existing file only to read it, such as that of a back-up: nothing is written, neither in the file nor
    /// beside it. Nobody else may have it open.
    ///
    /// # Errors
    ///
    /// [`OpenStoreError`].
    pub fn look(path: &Path) -> Result<Self, OpenStoreError> {
        Ok(Self { connection: Mutex::new(open::look(path)?) })
    }

    /// A store in memory, for tests.
    ///
    /// # Errors
    ///
    /// [`OpenStoreError`].
    pub fn in_memory() -> Result<Self, OpenStoreError> {
        Ok(Self { connection: Mutex::new(open::in_memory()?) })
    }

    /// Writes everything committed to a new file, for a back-up. The copy is on the disk when this returns;
    /// others may go on working meanwhile.
    ///
    /// Copying the file itself is no back-up: the newest commits may still be in the `-wal` file beside it.
    ///
    /// # Errors
    ///
    /// [`OpenStoreError::AlreadyThere`], [`OpenStoreError::Fault`]. A failure leaves no new file behind.
    pub fn copy_to(&self, path: &Path) -> Result<(), OpenStoreError> {
        open::copy(&self.connection(), path)
    }

    /// A panic in another thread leaves no half commit: SQLite rolled its transaction back.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CentreStore for SqliteCentreStore {
    fn read<T>(
        &self,
        act: impl FnOnce(&dyn Tables) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self.connection();
        let snapshot = connection.unchecked_transaction().map_err(|error| fault(&error))?;
        act(&SqlTables(&snapshot))
    }

    fn write(
        &mut self,
        act: impl FnOnce(&mut dyn WriteTables) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| fault(&error))?;
        act(&mut SqlTables(&transaction))?;
        transaction.commit().map_err(|error| fault(&error))
    }

    /// An interrupted process may have left a commit in the `-wal` file that is not on the disk yet. Moving it into the
    /// main file writes both to the disk.
    fn sync(&self) -> Result<(), StoreError> {
        let move_all = "PRAGMA wal_checkpoint(TRUNCATE)";
        let is_busy = self.connection().query_row(move_all, [], |row| row.get::<_, bool>(0));
        match is_busy.map_err(|error| fault(&error))? {
            false => Ok(()),
            true => {
                let problem = "another program holds the database: expected that none does";
                Err(StoreError::Fault { problem: problem.to_owned() })
            }
        }
    }
}
