//! Tables as an engine sees them: rows of values under a key. What a row means, no engine knows.

use super::StoreError;

/// A table: its columns in their order, those of the key first.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How many of its columns are the key.
    pub key: usize,
    pub(super) columns: &'static [&'static [&'static str]], // Each field may take several columns.
}

impl Table {
    /// The names of its columns.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().copied().flatten().copied()
    }
}

/// What lies in a column. Numbers come before texts, and texts before bytes; texts are in the order of bytes.
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

/// Which rows of a table an engine is asked for.
#[derive(Clone, Debug, Default)]
pub struct Query<'a> {
    /// Only rows with these values in these columns.
    pub equal: &'a [(&'static str, Value)],
    /// Only rows behind this key.
    pub after: &'a [Value],
    /// In the order of keys, or the last one first.
    pub order: Order,
    /// At most so many.
    pub limit: usize,
}

/// In which order of keys rows are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The smallest key first.
    #[default]
    Rising,
    /// The greatest key first.
    Falling,
}

/// The tables of an engine, within one transaction.
pub trait Tables {
    /// The rows that a query asks for, each with the values of all columns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fault`], [`StoreError::Damaged`].
    fn select(&self, table: &Table, query: &Query<'_>) -> Result<Vec<Vec<Value>>, StoreError>;

    /// Writes a row with the values of all columns. A row with the same key gives way to it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fault`], [`StoreError::Damaged`].
    fn put(&mut self, table: &Table, row: &[Value]) -> Result<(), StoreError>;
}
