//! The tables of a store, in SQL.
//!
//! `prepay_kmc::store` says which tables there are and what their values mean. Statements name every column, so
//! the order of columns in the file does not matter.

use prepay_kmc::store::{Order, Query, StoreError, Table, Tables, Value, WriteTables};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, Null, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, params_from_iter};

/// The tables of a database, within the transaction that its connection is in.
pub(crate) struct SqlTables<'a>(pub(crate) &'a Connection);

/// Turns an SQLite error into a store error.
pub(crate) fn fault(error: &rusqlite::Error) -> StoreError {
    let problem = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged { problem }
        }
        _ => StoreError::Fault { problem },
    }
}

impl Tables for SqlTables<'_> {
    fn select(&self, table: &Table, query: &Query<'_>) -> Result<Vec<Vec<Value>>, StoreError> {
        let columns: Vec<_> = table.columns().collect();
        let key = columns[..table.key].join(", ");
        let mut conditions: Vec<_> =
            query.equal.iter().map(|(column, _)| format!("{column} = ?")).collect();
        if !query.after.is_empty() {
            conditions.push(format!("({key}) > ({})", placeholders(table.key)));
        }
        let wanted =
            if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") };
        let order = match query.order {
            Order::Rising => key,
            Order::Falling => columns[..table.key].join(" DESC, ") + " DESC",
        };
        let sql = format!(
            "SELECT {} FROM {} WHERE {wanted} ORDER BY {order} LIMIT {}",
            columns.join(", "),
            table.name,
            i64::try_from(query.limit).unwrap_or(i64::MAX),
        );
        let values = query.equal.iter().map(|(_, value)| value).chain(query.after).map(Sql);
        let mut statement = self.0.prepare_cached(&sql).map_err(|error| fault(&error))?;
        let mut rows = statement.query(params_from_iter(values)).map_err(|error| fault(&error))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| fault(&error))? {
            let value = |(at, column): (usize, &&str)| {
                row.get::<_, Read>(at).map(|read| read.0).map_err(|error| StoreError::Damaged {
                    problem: format!("{}.{column}: {error}", table.name),
                })
            };
            found.push(columns.iter().enumerate().map(value).collect::<Result<_, _>>()?);
        }
        Ok(found)
    }
}

impl WriteTables for SqlTables<'_> {
    fn put(&mut self, table: &Table, row: &[Value]) -> Result<(), StoreError> {
        let columns: Vec<_> = table.columns().collect();
        let (key, rest) = columns.split_at(table.key);
        let sets: Vec<_> = rest.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
            table.name,
            columns.join(", "),
            placeholders(columns.len()),
            key.join(", "),
            sets.join(", "),
        );
        let mut statement = self.0.prepare_cached(&sql).map_err(|error| fault(&error))?;
        let values = params_from_iter(row.iter().map(Sql));
        statement.execute(values).map_err(|error| fault(&error))?;
        Ok(())
    }
}

/// This many `?` placeholders.
fn placeholders(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// A value to bind to a statement.
struct Sql<'a>(&'a Value);

impl ToSql for Sql<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Value::Null => Null.to_sql(),
            // A number too large for a column is compared as text, and refused when written.
            Value::Number(number) => Ok(i64::try_from(*number)
                .map_or_else(|_| number.to_string().into(), ToSqlOutput::from)),
            Value::Text(text) => text.to_sql(),
            Value::Bytes(bytes) => bytes.to_sql(),
        }
    }
}

/// A value read from SQLite.
struct Read(Value);

impl FromSql for Read {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Null => Ok(Value::Null),
            ValueRef::Integer(number) => u64::try_from(number)
                .map(Value::Number)
                .map_err(|_| FromSqlError::OutOfRange(number)),
            ValueRef::Text(_) => String::column_result(value).map(Value::Text),
            ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec())),
            ValueRef::Real(_) => Err(FromSqlError::InvalidType),
        }
        .map(Self)
    }
}
