//! Reading rows of one table: by key, or a page at a time.
//!
//! A row and its parts in other tables are read in one transaction, so they belong together whatever another
//! process writes meanwhile.

use prepay_kmc::store::{Found, PAGE, Page, StoreError, Versioned};
use rusqlite::{Connection, OptionalExtension, ToSql};

use super::column::{Columns, fault};

/// A row of the domain that lies in one table, perhaps with parts in others.
pub(super) trait Table: Sized {
    /// The table.
    const NAME: &'static str;
    /// Its key columns, in the order in which rows are listed.
    const KEY: &'static str;

    /// The row, but for parts in other tables.
    fn read(columns: &Columns<'_>) -> Result<Self, StoreError>;

    /// Fetches the parts that lie in other tables.
    fn complete(&mut self, _connection: &Connection) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The row that a condition on unique columns names.
pub(super) fn find<T: Table>(
    connection: &Connection,
    condition: &str,
    values: &[&dyn ToSql],
) -> Found<T> {
    let sql = format!("SELECT * FROM {} WHERE {condition}", T::NAME);
    let _snapshot = connection.unchecked_transaction().map_err(|error| fault(&error))?;
    let mut statement = connection.prepare_cached(&sql).map_err(|error| fault(&error))?;
    let found = statement
        .query_row(values, |row| Ok(versioned::<T>(&Columns::new(T::NAME, row))))
        .optional()
        .map_err(|error| fault(&error))?
        .transpose()?;
    let Some(mut found) = found else { return Ok(None) };
    found.row.complete(connection)?;
    Ok(Some(found))
}

/// The rows that a condition names, in the order of keys.
pub(super) fn page<T: Table>(
    connection: &Connection,
    condition: &str,
    values: &[&dyn ToSql],
    limit: usize,
) -> Page<T> {
    let (name, key, limit) = (T::NAME, T::KEY, limit.clamp(1, PAGE));
    let sql = format!("SELECT * FROM {name} WHERE {condition} ORDER BY {key} LIMIT {limit}");
    let _snapshot = connection.unchecked_transaction().map_err(|error| fault(&error))?;
    let mut statement = connection.prepare_cached(&sql).map_err(|error| fault(&error))?;
    let rows = statement
        .query_map(values, |row| Ok(versioned::<T>(&Columns::new(name, row))))
        .map_err(|error| fault(&error))?;
    let mut page = Vec::new();
    for row in rows {
        page.push(row.map_err(|error| fault(&error))??);
    }
    for found in &mut page {
        found.row.complete(connection)?;
    }
    Ok(page)
}

fn versioned<T: Table>(columns: &Columns<'_>) -> Result<Versioned<T>, StoreError> {
    Ok(Versioned { row: T::read(columns)?, version: columns.count("version")? })
}

/// The parts of a row in another table, in their order.
pub(super) fn parts<T>(
    connection: &Connection,
    table: &'static str,
    owner: (&str, i64),
    read: impl Fn(&Columns<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let (column, value) = owner;
    let sql = format!("SELECT * FROM {table} WHERE {column} = ?1 ORDER BY place");
    let mut statement = connection.prepare_cached(&sql).map_err(|error| fault(&error))?;
    let rows = statement
        .query_map([value], |row| Ok(read(&Columns::new(table, row))))
        .map_err(|error| fault(&error))?;
    let mut parts = Vec::new();
    for row in rows {
        parts.push(row.map_err(|error| fault(&error))??);
    }
    Ok(parts)
}

/// Writes a row: all columns, the key columns first. A row with this key is replaced column by column.
pub(super) fn put(
    connection: &Connection,
    table: &str,
    keys: usize,
    columns: &[(&str, &dyn ToSql)],
) -> Result<(), StoreError> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    let (key, rest) = names.split_at(keys);
    let sets: Vec<String> = rest.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let sql = format!(
        "INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
        names.join(", "),
        places.join(", "),
        key.join(", "),
        sets.join(", "),
    );
    let values: Vec<&dyn ToSql> = columns.iter().map(|(_, value)| *value).collect();
    let mut statement = connection.prepare_cached(&sql).map_err(|error| fault(&error))?;
    statement.execute(&*values).map_err(|error| fault(&error))?;
    Ok(())
}
