//! What a centre asks of its storage.
//!
//! A store holds the rows of [`entity`](crate::entity). It answers single rows by key, and lists in the order
//! of keys, a page at a time. All writing is one [`commit`](CentreStore::commit) of many changes, which
//! happens whole or not at all.
//!
//! ```text
//!  Centre ── rows, changes ──> commit.rs   the checks of the contract, once for every engine
//!                              schema.rs   which field lies in which column
//!                                  │
//!                    Tables: select and put, within a transaction
//!                       │                     │
//!                  MemoryStore          prepay-store: SQLite
//! ```
//!
//! # Contract
//!
//! - **Whole**: a commit that is refused, or that a crash cuts, changes nothing. A commit that was answered
//!   is durable. The changes apply in their order, so a later one may refer to an earlier one.
//! - **Versions**: an inserted row has version 1, each update adds 1. An update says which version it read;
//!   another one is a [`StoreError::Conflict`], and the caller reads again. So two processes never overwrite
//!   each other unseen.
//! - **Keys**: an insert of a key that is there is [`StoreError::AlreadyThere`]; an update of one that is not
//!   is [`StoreError::NotThere`].
//! - **Unique**: see [`Constraint`]; a second one is [`StoreError::Duplicate`].
//! - **References**: a row that names a missing one is [`StoreError::Dangling`], at the change that does.
//! - **Inserted only**: ownerships, agreements, key loads and journal entries are never updated
//!   ([`StoreError::InsertOnly`]).
//! - **Steps** of a form are only ever added to: an update that leaves one out or says it otherwise is
//!   [`StoreError::Steps`].
//! - **Checks in this order** for each change: inserted only, key (and version), steps, unique in the order
//!   of [`Constraint`], references in the order of the row's fields. The first failing change is reported.
//! - **Journal**: the store numbers the entries of a commit without a gap, in the order of the changes.
//! - **Pages**: a listing gives the rows behind a key, in rising order of keys, at most `limit` of them
//!   (1 to [`PAGE`]; a greater one counts as [`PAGE`]). An empty page is the end.
//! - Nothing is ever deleted.

mod change;
mod column;
mod commit;
mod error;
mod memory;
mod schema;
mod table;

pub use change::{Change, NewJournalEntry, Row, RowKey};
pub use column::Field;
pub use error::{Constraint, StoreError};
pub use memory::MemoryStore;
pub use schema::{Entity, Filter};
pub use table::{Order, Query, Table, Tables, Value};

use crate::entity::JournalEntry;
use column::Columns;

/// The greatest page.
pub const PAGE: usize = 1000;

/// A row and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The row.
    pub row: T,
    /// Its version: 1 when inserted, 1 more with each update.
    pub version: u64,
}

/// The storage of a centre. The [module](self) states the contract.
///
/// An engine gives its tables within a transaction; everything else follows from them. Every read can fail
/// with [`StoreError::Fault`] and [`StoreError::Damaged`].
pub trait CentreStore {
    /// Reads within one transaction, so that all answers are of the same moment.
    ///
    /// # Errors
    ///
    /// Those of `act`, and [`StoreError::Fault`].
    fn read<T>(
        &self,
        act: impl FnOnce(&dyn Tables) -> Result<T, StoreError>,
    ) -> Result<T, StoreError>;

    /// Writes within one transaction: all of it is durable on return, or nothing happened.
    ///
    /// # Errors
    ///
    /// Those of `act`, and [`StoreError::Fault`].
    fn write(
        &mut self,
        act: impl FnOnce(&mut dyn Tables) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// The row with a key.
    fn get<E: Entity>(&self, key: &E::Key) -> Result<Option<Versioned<E>>, StoreError> {
        self.find(&Filter::key(key))
    }

    /// The first row that is meant.
    fn find<E: Entity>(&self, filter: &Filter<E>) -> Result<Option<Versioned<E>>, StoreError> {
        Ok(self.list(filter, None, 1)?.pop())
    }

    /// The rows that are meant, behind a key, as one page.
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

    /// Entries of the journal behind a sequence number (0 for all).
    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        let query =
            Query { after: &after.values(), limit: limit.clamp(1, PAGE), ..Query::default() };
        self.read(|tables| journal(tables, &query))
    }

    /// Makes all changes, or none.
    ///
    /// # Errors
    ///
    /// Every [`StoreError`]. Nothing has changed then, but after a [`StoreError::Fault`] the caller cannot
    /// know: it opens the store again and looks.
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
