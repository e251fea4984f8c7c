//! The interface between a centre and its storage.
//!
//! A store holds the rows of [`entity`](crate::entity). It finds single rows by key and lists rows in the order
//! of their keys, page by page. Changes are written together in one [`commit`](CentreStore::commit), which
//! succeeds or fails as a whole.
//!
//! ```text
//!  Centre ── rows, changes ──> commit.rs   the checks of the contract, once for every backend
//!                              schema.rs   which field is stored in which column
//!                                  │
//!                 authenticated.rs   compares every row with what the module expects
//!                                  │
//!                    Tables: select and put, within a transaction
//!                       │                     │
//!                  MemoryStore          prepay-store: SQLite
//! ```
//!
//! # Contract
//!
//! - **Atomic**: a commit that is refused, or interrupted by a crash, changes nothing. A commit that returned
//!   is durable. Changes apply in order, so a later one may refer to an earlier one.
//! - **Versions**: an inserted row has version 1, and each update adds 1. An update states the version that it
//!   read; if the stored one differs, it fails with [`StoreError::Conflict`] and the caller reads again. So two
//!   processes never overwrite each other's changes.
//! - **Keys**: inserting an existing key is [`StoreError::AlreadyThere`]; updating a missing one is
//!   [`StoreError::NotThere`].
//! - **Unique**: breaking a [`Constraint`] is [`StoreError::Duplicate`].
//! - **References**: a row that refers to a missing one is [`StoreError::Dangling`].
//! - **Insert only**: ownerships, agreements, key loads and journal entries are never updated
//!   ([`StoreError::InsertOnly`]).
//! - **Steps** of a form can only be added: an update that leaves one out or changes one is
//!   [`StoreError::Steps`].
//! - **Order of checks** for each change: insert only, key (and version), steps, unique in the order of
//!   [`Constraint`], references in the order of the row's fields. The first failing change is reported.
//! - **Journal**: the store numbers the entries without a gap, in the order of the changes.
//! - **Pages**: a listing returns the rows after a key, in rising order of keys, at most `limit` of them
//!   (1 to [`PAGE`]; more counts as [`PAGE`]). An empty page is the end.
//! - Nothing is ever deleted.

mod authenticated;
mod change;
mod column;
mod commit;
mod error;
mod memory;
mod schema;
mod table;
mod tree;

pub use authenticated::{AuthenticatedStore, Inventory, verify};
pub use change::{Change, NewJournalEntry, Row, RowKey};
pub use column::Field;
pub use error::{Constraint, Difference, StoreError};
pub use memory::MemoryStore;
pub use schema::{Entity, Filter};
pub use table::{Order, Query, Table, Tables, Value, WriteTables};

use crate::entity::JournalEntry;
use column::Columns;

/// The largest page.
pub const PAGE: usize = 1000;

/// A row and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The row.
    pub row: T,
    /// Its version: 1 when inserted, one more after each update.
    pub version: u64,
}

/// The storage of a centre. The [module](self) states the contract.
///
/// A backend gives access to its tables within a transaction; all other methods are built on that. Every read can
/// fail with [`StoreError::Fault`] and [`StoreError::Damaged`].
pub trait CentreStore {
    /// Reads within one transaction, so that all results are of the same moment.
    ///
    /// # Errors
    ///
    /// Those of `act`, and [`StoreError::Fault`].
    fn read<T>(
        &self,
        act: impl FnOnce(&dyn Tables) -> Result<T, StoreError>,
    ) -> Result<T, StoreError>;

    /// Writes within one transaction: when this returns, either everything is durable or nothing has changed.
    ///
    /// # Errors
    ///
    /// Those of `act`, and [`StoreError::Fault`].
    fn write(
        &mut self,
        act: impl FnOnce(&mut dyn WriteTables) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Makes durable whatever a read has seen, even what an interrupted process wrote.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fault`].
    fn sync(&self) -> Result<(), StoreError>;

    /// The row with a key.
    fn get<E: Entity>(&self, key: &E::Key) -> Result<Option<Versioned<E>>, StoreError> {
        self.find(&Filter::key(key))
    }

    /// The first row that passes a filter.
    fn find<E: Entity>(&self, filter: &Filter<E>) -> Result<Option<Versioned<E>>, StoreError> {
        Ok(self.list(filter, None, 1)?.pop())
    }

    /// The rows after a key that pass a filter, as one page.
    fn list<E: Entity>(
        &self,
        filter: &Filter<E>,
        after: Option<&E::Key>,
        limit: usize,
    ) -> Result<Vec<Versioned<E>>, StoreError> {
        let after = after.map(Field::values).unwrap_or_default();
        let limit = limit.clamp(1, PAGE);
        let query = Query { equal: &filter.equal, after: &after, limit, ..Query::default() };
        self.read(|tables| schema::select(tables, &query))
    }

    /// Entries of the journal after a sequence number (0 for all).
    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        let query =
            Query { after: &after.values(), limit: limit.clamp(1, PAGE), ..Query::default() };
        self.read(|tables| journal(tables, &query))
    }

    /// Makes all changes or none.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`]; nothing has changed then. Only after a [`StoreError::Fault`] this is not certain: open
    /// the store again and look.
    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.write(|tables| changes.iter().try_for_each(|change| commit::apply(tables, change)))
    }
}

/// The entries of the journal that a query asks for.
fn journal(tables: &dyn Tables, query: &Query<'_>) -> Result<Vec<JournalEntry>, StoreError> {
    let rows = tables.select(schema::JOURNAL, query)?;
    let read = |values| JournalEntry::read(&mut Columns::new(schema::JOURNAL, values));
    rows.into_iter().map(read).collect()
}
