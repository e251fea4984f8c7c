//! A store in memory: the model for all others.
//!
//! A commit changes a copy of everything, which replaces the original if all went well. That makes it atomic,
//! and slow with many rows.

use std::collections::BTreeMap;

use super::{CentreStore, Order, Query, StoreError, Table, Tables, Value, WriteTables};

/// A store in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    rows: BTreeMap<&'static str, BTreeMap<Vec<Value>, Vec<Value>>>, // By table and key.
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Tables for MemoryStore {
    fn select(&self, table: &Table, query: &Query<'_>) -> Result<Vec<Vec<Value>>, StoreError> {
        let holds = |row: &[Value], (column, value): &(&str, Value)| {
            table.columns().position(|name| name == *column).is_some_and(|at| row[at] == *value)
        };
        let fits = |row: &&Vec<Value>| query.equal.iter().all(|equal| holds(row, equal));
        let rows = self.rows.get(table.name).into_iter().flatten();
        let rows = rows.filter(|(key, _)| key.as_slice() > query.after).map(|(_, row)| row);
        let mut rows: Vec<_> = rows.filter(fits).collect();
        if query.order == Order::Falling {
            rows.reverse();
        }
        Ok(rows.into_iter().take(query.limit).cloned().collect())
    }
}

impl WriteTables for MemoryStore {
    fn put(&mut self, table: &Table, row: &[Value]) -> Result<(), StoreError> {
        let rows = self.rows.entry(table.name).or_default();
        rows.insert(row[..table.key].to_vec(), row.to_vec());
        Ok(())
    }
}

impl CentreStore for MemoryStore {
    fn read<T>(
        &self,
        act: impl FnOnce(&dyn Tables) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        act(self)
    }

    fn write(
        &mut self,
        act: impl FnOnce(&mut dyn WriteTables) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut copy = self.clone();
        act(&mut copy)?;
        *self = copy;
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
