//! Tables as a backend sees them: rows of values under a key. A backend does not know what they mean.

use super::StoreError;

/// A table: its columns in order, those of the key first.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How many of its columns are the key.
    pub key: usize,
    pub(super) columns: &'static [&'static [&'static str]], // Each field may take several columns.
    /// By which other columns its rows are selected.
    pub(super) indexes: &'static [&'static [&'static str]],
}

impl Table {
    /// The names of its columns.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().copied().flatten().copied()
    }
}

/// The value of a column. Numbers sort before texts and texts before bytes; texts sort by their bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing.
    Null,
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Which rows of a table to select.
#[derive(Clone, Debug, Default)]
pub struct Query<'a> {
    /// Only rows with these values in these columns.
    pub equal: &'a [(&'static str, Value)],
    /// Only rows after this key.
    pub after: &'a [Value],
    /// In rising or falling order of keys.
    pub order: Order,
    /// At most this many.
    pub limit: usize,
}

/// The order of keys in which rows are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The smallest key first.
    #[default]
    Rising,
    /// The greatest key first.
    Falling,
}

/// The tables of a backend, within one transaction.
pub trait Tables {
    /// The rows that a query selects, each with the values of all columns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fault`], [`StoreError::Damaged`].
    fn select(&self, table: &Table, query: &Query<'_>) -> Result<Vec<Vec<Value>>, StoreError>;
}

/// The tables of a backend, within a transaction that may write.
pub trait WriteTables: Tables {
    /// Writes a row with the values of all columns, replacing any row with the same key.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fault`], [`StoreError::Damaged`].
    fn put(&mut self, table: &Table, row: &[Value]) -> Result<(), StoreError>;
}
